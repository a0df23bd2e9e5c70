"""Where the drafts of many recordings are written: a file each, in folders as the recordings lie in."""

import os
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path

from meit.ecg.files.formats import MOST_LEFT_OUT_NAMED, find_recordings, format_of, left_out_words, walk_folder
from meit.errors import MeitError, RecordingError

STDIN = Path("-")


@dataclass(frozen=True)
class DraftTarget:
    """name: of what is written about the recording at `path`, below any folder and without a suffix. place: the folder in
    which the recording was looked for. both: whether its name needs its suffix, as another format's file has the rest."""

    path: Path
    place: Path
    both: bool = False

    @property
    def name(self) -> str:
        """Below its place as the recording lies there. One from elsewhere keeps its whole path, as it could meet others."""
        return other_name(str(self.path), str(self.place), int(self.both))

    def at(self, folder: Path, suffix: str) -> Path:
        return draft_file(self.path, self.name, folder, suffix)


def draft_file(path: Path, name: str, folder: Path, suffix: str) -> Path:
    """The file to write. Raises MeitError where that is the recording itself, or what is stated beside it."""
    file = folder / f"{name}{suffix}"
    if file.exists() and any(file.samefile(own) for own in _own(path) if own.exists()):
        raise MeitError(f"{path}: the draft would overwrite the recording's own {file.suffix}; choose another --out")
    return file


def _own(path: Path) -> Iterator[Path]:
    yield path
    format_ = format_of(path)
    if format_ is not None and format_.name in ("CSV", "NPY"):
        yield path.with_suffix(".json")  # it states rate and unit


def other_name(path: str, place: str, step: int) -> str:
    """The names that a draft can have, one step after the other until no other recording's has the same: 0 its place in
    the folder, 1 that with its suffix, 2 and 3 the same behind the folder's own name, 4 the whole path."""
    file, folder = Path(os.path.abspath(path)), Path(os.path.abspath(place))
    if step == 4 or not file.is_relative_to(folder):
        below = file.relative_to(file.anchor)
    else:
        below = file.relative_to(folder if step < 2 else folder.parent)
    whole = step in (1, 3, 4) or not file.is_file()  # "00195_hr", which stands for its .hea and .dat
    return str(below if whole else below.with_suffix(""))


def draft_targets(places: Sequence[Path], warnings: list[str]) -> Iterator[DraftTarget]:
    """The recordings at places, which are files or folders, one folder after the other; a line goes to `warnings` for
    each place that holds other files too.

    Raises RecordingError for a place that is not there, at once, and for a folder without recordings.
    """
    for place in places:
        if not place.is_dir():
            find_recordings(place)
    for place in places:
        if place.is_dir():
            yield from _in_folder(place, warnings)
        else:
            yield DraftTarget(place, place.parent)


def listed_targets(file: Path) -> Iterator[DraftTarget]:
    """The recordings that a text file names (`-`: stdin), one a line, from the file's own folder on; folders among them
    are looked through. Blank lines are nothing. A name that is not there is a recording that fails."""
    place = Path() if file == STDIN else file.parent
    with nullcontext(sys.stdin.buffer) if file == STDIN else file.open("rb") as lines:
        for line in lines:
            name = os.fsdecode(line.rstrip(b"\r\n"))
            if not name.strip():
                continue
            path = Path(os.path.normpath(place / name))
            if path.is_dir():
                with suppress(RecordingError):  # an empty folder; one is not to stop the others
                    yield from _in_folder(path, [], place)
                    continue
            yield DraftTarget(path, place)


def _in_folder(folder: Path, warnings: list[str], place: Path | None = None) -> Iterator[DraftTarget]:
    named: list[Path] = []
    count = 0
    for listing in walk_folder(folder):
        stems = Counter(path.with_suffix("") for path in listing.recordings)
        for path in listing.recordings:
            yield DraftTarget(path, place or folder, stems[path.with_suffix("")] > 1)
        named += listing.left_out[: MOST_LEFT_OUT_NAMED - len(named)]
        count += len(listing.left_out)
    if count:
        warnings.append(left_out_words(folder, named, count))
