"""The journal of a folder of drafts: JSON lines that are only ever appended, so that a killed run loses none of them."""

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

_TAIL_BYTES = 65_536


class Journal:
    """One process appends to it; each `append` is one write to the file, which is not buffered."""

    def __init__(self, path: Path):
        self._path = path
        _cut_torn_line(path)
        self._file = path.open("ab", buffering=0)

    def append(self, rows: Iterable[dict[str, Any]]) -> None:
        lines = "".join(json.dumps(row, separators=(",", ":"), allow_nan=False) + "\n" for row in rows).encode()
        while lines:
            lines = lines[self._file.write(lines) or 0 :]

    def close(self) -> None:
        """What was appended is on the disk then."""
        with suppress(OSError):  # some file systems cannot
            os.fsync(self._file.fileno())
        self._file.close()


def journal_rows(path: Path) -> Iterator[dict[str, Any]]:
    """What was appended, one by one. A line that was not finished is left out; so is one that cannot be understood: what
    it was about is done again."""
    if not path.exists():
        return
    with path.open("rb") as lines:
        for line in lines:
            if not line.endswith(b"\n"):
                return
            with suppress(ValueError):
                row = json.loads(line)
                if isinstance(row, dict):
                    yield row


def _cut_torn_line(path: Path) -> None:
    """A process that was killed, or a full disk, can leave the last line unfinished: what is appended next would join it."""
    if not path.exists():
        return
    with path.open("r+b") as file:
        end = file.seek(0, os.SEEK_END)
        while end > 0:
            start = max(0, end - _TAIL_BYTES)
            file.seek(start)
            newline = file.read(end - start).rfind(b"\n")
            if newline >= 0:
                end = start + newline + 1
                break
            end = start
        file.truncate(end)
