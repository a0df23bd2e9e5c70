"""The errors that a user of meit can meet; each message says what is wrong with what, and what to do."""

import errno
import os

FULL = "make room there, then start the same command again"
DENIED = "get the right to it, or name another place"
SYSTEM_REMEDIES = {
    errno.ENOSPC: FULL,
    errno.EDQUOT: FULL,
    errno.EFBIG: FULL,
    errno.EACCES: DENIED,
    errno.EPERM: DENIED,
    errno.EROFS: DENIED,
    errno.ENOENT: "check how it is written",
    errno.EISDIR: "name a file",
    errno.ENOTDIR: "name a folder",
    errno.EEXIST: "name another, or move what lies there",
    errno.ENAMETOOLONG: "choose a shorter name",
    errno.EMFILE: "allow more open files: ulimit -n 4096",
}


class MeitError(Exception):
    """Base of all errors that meit raises on purpose; the command line prints it as one line and exits with 2."""


class RecordingError(MeitError):
    """A file that is not a readable 12-lead ECG: missing, empty, truncated, of an unknown format, too few leads."""


class DataError(MeitError):
    """A data set, table or shard folder that does not have the stated layout."""


class ModelError(MeitError):
    """A checkpoint, backbone or recipe that cannot be used as asked."""


class StationError(MeitError):
    """What the reading station refuses or cannot do; its kinds below say which answer a client needs."""


class AccessError(StationError):
    """Nobody is logged in: an unknown or expired session, a wrong login or password, a used token."""


class RoleError(StationError):
    """The account is known but may not do this."""


class AbsentError(StationError):
    """There is no such recording, report or account."""


class StaleError(StationError):
    """Somebody else has changed it meanwhile: load it again."""


class BusyError(StationError):
    """Too many tries, or the database was busy for too long: wait."""


class UnacknowledgedError(StationError):
    """A text to be signed states what the measurements contradict. contradicted: what has to be acknowledged."""

    def __init__(self, contradicted: tuple[str, ...]):
        super().__init__(f"acknowledge what the measurements contradict, or change the text: {'; '.join(contradicted)}")
        self.contradicted = contradicted


def system_words(error: OSError, unnamed: str = "the output") -> str:
    """One line that says what is wrong with which file, and what to do; unnamed: what is said where the error names none."""
    places = [os.fsdecode(name) for name in (error.filename, error.filename2) if isinstance(name, str | bytes)]
    told = f"{' -> '.join(places) or unnamed}: {error.strerror or one_line(error)}"
    remedy = SYSTEM_REMEDIES.get(error.errno or 0)
    return f"{told}; {remedy}" if remedy else told


def one_line(error: Exception) -> str:
    return " ".join(str(error).split())
