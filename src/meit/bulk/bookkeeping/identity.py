"""What a recording's files were when it was drafted, so that a later run sees whether they have changed.

Size and time of change are looked at first, which costs no reading. Their content is compared where the time differs
(copied, touched, mounted elsewhere), and where it cannot be trusted: a file that was changed within CLOCK_STEP_S before
it was looked at, or later, may have been changed once more within the same tick of the file system's clock.
"""

import hashlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from meit.ecg.files.formats import COMPANIONS
from meit.ecg.files.wfdb_files import header_beside
from meit.ecg.files.wfdb_headers import named_beside
from meit.ecg.files.wfdb_names import HEADER_SUFFIX, named_files

CLOCK_STEP_S = 2.0  # of FAT, the coarsest
_HEADER_BYTES = 65_536
_ABSENT = (-1, -1)


@dataclass(frozen=True)
class FileIdentity:
    """files: (name, size in bytes, time of change in ns) of each that belongs to a recording, beside it; -1 where it is
    not there. sha256: of all their contents. seen_ns: when they were looked at."""

    files: tuple[tuple[str, int, int], ...]
    sha256: str
    seen_ns: int

    @classmethod
    def of(cls, path: Path) -> "FileIdentity":
        """Taken before the recording is read: a change after that is seen the next time."""
        seen_ns = time.time_ns()
        files = list(_files(path))
        stated = tuple((file.name, *_size_and_time(file)) for file in files)
        return cls(stated, _sha256(files), seen_ns)

    def now(self, path: Path) -> "FileIdentity | None":
        """Of a recording that is unchanged, what is known of it now (itself where nothing had to be read); else None."""
        places = [path.with_name(name) for name, *_ in self.files]
        found = [_size_and_time(place) for place in places]
        if [size for size, _ in found] != [size for _, size, _ in self.files]:
            return None
        same_time = [time_ns for _, time_ns in found] == [time_ns for *_, time_ns in self.files]
        if same_time and max(time_ns for _, time_ns in found) < self.seen_ns - CLOCK_STEP_S * 1e9:
            return self
        again = FileIdentity.of(path)
        return again if again.sha256 == self.sha256 else None

    def to_dict(self) -> dict[str, Any]:
        return {"files": self.files, "sha256": self.sha256, "seen_ns": self.seen_ns}

    @classmethod
    def from_dict(cls, given: dict[str, Any]) -> "FileIdentity":
        return cls(
            tuple((name, size, time_ns) for name, size, time_ns in given["files"]), given["sha256"], given["seen_ns"]
        )


def _files(path: Path) -> Iterator[Path]:
    """All that a recording is read from; what could stand beside it counts, though it is absent."""
    header = path if path.suffix.lower() == HEADER_SUFFIX else header_beside(path)
    found = {} if header is not None else dict.fromkeys([path, *(path.with_suffix(suffix) for suffix in COMPANIONS)])
    ahead = [] if header is None else [header]
    found |= dict.fromkeys(ahead)
    while ahead:
        here = ahead.pop()
        for name in named_files(_start(here)):
            file = named_beside(here, name)
            if file not in found:
                found[file] = None
                ahead += [file] if file.suffix.lower() == HEADER_SUFFIX else []
    if header is not None and path.is_file():
        found.setdefault(path)  # another format's file may stand beside a header of its name
    return iter(found)


def _start(header: Path) -> bytes:
    try:
        with header.open("rb") as file:
            return file.read(_HEADER_BYTES)
    except OSError:
        return b""


def _size_and_time(file: Path) -> tuple[int, int]:
    try:
        found = file.stat()
    except OSError:
        return _ABSENT
    return found.st_size, found.st_mtime_ns


def _sha256(files: list[Path]) -> str:
    whole = hashlib.sha256()
    for file in files:
        try:
            with file.open("rb") as content:
                whole.update(
                    f"{file.name}:{hashlib.file_digest(content, 'sha256').hexdigest()}\n".encode("utf-8", "replace")
                )
        except OSError:
            whole.update(f"{file.name}:-\n".encode("utf-8", "replace"))
    return whole.hexdigest()
