"""The errors that a user of meit can meet; each message says what is wrong with what, and what to do."""


class MeitError(Exception):
    """Base of all errors that meit raises on purpose; the command line prints it as one line and exits with 2."""


class RecordingError(MeitError):
    """A file that is not a readable 12-lead ECG: missing, empty, truncated, of an unknown format, too few leads."""


class DataError(MeitError):
    """A data set, table or shard folder that does not have the stated layout."""


class ModelError(MeitError):
    """A checkpoint, backbone or recipe that cannot be used as asked."""
