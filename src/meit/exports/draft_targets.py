"""Where the drafts of many recordings are written: a file each, in folders as the recordings lie in."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from meit.ecg.files.formats import find_recordings, format_of, list_folder
from meit.errors import MeitError


@dataclass(frozen=True)
class DraftTarget:
    """name: of what is written about the recording at `path`, below any folder and without a suffix; None where it is the
    recording's own name, which its file says."""

    path: Path
    name: Path | None

    def at(self, folder: Path, recording_name: str, suffix: str) -> Path:
        """The file to write. Raises MeitError where that is the recording itself, or what is stated beside it."""
        name = self.name or Path(recording_name)
        file = folder / name.with_name(name.name + suffix)
        if file.exists() and any(file.samefile(own) for own in self._own() if own.exists()):
            raise MeitError(
                f"{self.path}: the draft would overwrite the recording's own {file.suffix}; choose another --out"
            )
        return file

    def _own(self) -> Iterator[Path]:
        yield self.path
        format_ = format_of(self.path)
        if format_ is not None and format_.name in ("CSV", "NPY"):
            yield self.path.with_suffix(".json")  # it states rate and unit


def draft_targets(places: Sequence[Path]) -> tuple[list[DraftTarget], list[str]]:
    """The recordings at places, which are files or folders, and a line for each folder that holds other files too.

    A folder's own folders are kept, and of one recording in two formats the suffixes: so no two drafts meet. Raises
    RecordingError for a place that is not there and for a folder without recordings.
    """
    below: dict[Path, Path | None] = {}
    warnings = []
    for place in places:
        if place.is_dir():
            listing = list_folder(place)
            below |= dict.fromkeys(listing.recordings, place)
            warnings += [warning] if (warning := listing.warning()) else []
        else:
            below |= dict.fromkeys(find_recordings(place))
    stems = Counter(path.with_suffix("") for path in below)
    targets = []
    for path, folder in below.items():
        name = path.relative_to(folder).with_suffix("") if folder else None
        if stems[path.with_suffix("")] > 1:
            name = name.with_name(path.name) if name else Path(path.name)
        targets.append(DraftTarget(path, name))
    return targets, warnings
