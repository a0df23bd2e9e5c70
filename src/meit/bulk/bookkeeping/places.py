"""The hidden folder beside the drafts: the journal, files that are being written, and a lock."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from meit.errors import DataError


class Places:
    """temporary: of the same file system as the drafts, so that a rename is all that brings a file to its name."""

    def __init__(self, out: Path):
        self._own = out / ".meit"
        self.journal = self._own / "journal.jsonl"
        self.temporary = self._own / "temporary"

    @contextmanager
    def taken(self) -> Iterator["Places"]:
        """Nobody else's meanwhile. What a killed run has left half-written goes, and what this one leaves.

        Raises DataError where another run is at work."""
        self._own.mkdir(parents=True, exist_ok=True)
        with (self._own / "lock").open("w") as lock:
            if not _locked(lock):
                raise DataError(f"{self._own.parent}: another run is writing there; wait, or choose another --out")
            shutil.rmtree(self.temporary, ignore_errors=True)
            self.temporary.mkdir(exist_ok=True)
            try:
                yield self
            finally:
                shutil.rmtree(self.temporary, ignore_errors=True)


def _locked(file: IO[str]) -> bool:
    """Until the file is closed or the process ends. Where the system has no such locks, nothing is guarded."""
    try:
        import fcntl
    except ImportError:
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks
        return True
    return True
