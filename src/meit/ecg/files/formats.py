"""Any file that holds a 12-lead ECG -> Recording: one row a format, recognised by content.

read_ecg(path)          one recording
find_recordings(path)   the recordings in a folder
list_folder(folder)     the same, with the files that are none
walk_folder(folder)     the same, one folder after the other
"""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from meit.ecg.files import recognise
from meit.ecg.files.calibration_pulse import without_pulse
from meit.ecg.files.limits import is_text
from meit.ecg.files.table_files import is_csv, is_nameless_table, is_npy, read_csv, read_npy
from meit.ecg.files.vendor.cardiosoft import is_cardiosoft, read_cardiosoft
from meit.ecg.files.vendor_files import VENDOR_FORMATS, VendorFormat
from meit.ecg.files.wfdb_files import SIGNAL_SUFFIXES, header_beside, is_wfdb, read_wfdb
from meit.ecg.files.wfdb_names import HEADER_SUFFIX, named_beside_headers
from meit.ecg.recording import MIN_SECONDS, Recording, check_usable
from meit.errors import MeitError, RecordingError

MOST_LEFT_OUT_NAMED = 3  # of the files that a folder leaves out


@dataclass(frozen=True)
class Format:
    """recognises(path, the file's first bytes) never raises; read(path, allow_missing) raises RecordingError.

    suffix: in small letters, of the file for which a folder lists a recording; empty where any will do. by_suffix:
    whether that is enough to list it, so that a damaged one is read, and refused with the reason.
    """

    name: str
    recognises: Callable[[Path, bytes], bool]
    read: Callable[[Path, bool], Recording]
    suffix: str = ""
    by_suffix: bool = False

    def lists(self, path: Path, start: bytes) -> bool:
        if self.suffix and path.suffix.lower() != self.suffix:
            return False
        return self.by_suffix or self.recognises(path, start)


def _vendor(format_: VendorFormat) -> Format:
    return Format(format_.name, lambda path, start: format_.matches(start), format_.read)


FORMATS = (  # those whose first bytes tell come first: a file of theirs beside a WFDB header is still their file
    *map(_vendor, VENDOR_FORMATS),
    Format("GE CardioSoft XML", is_cardiosoft, read_cardiosoft),
    Format("WFDB", is_wfdb, read_wfdb, ".hea", by_suffix=True),
    Format("CSV", is_csv, read_csv, ".csv"),
    Format("NPY", is_npy, read_npy, ".npy", by_suffix=True),
)
COMPANIONS = (".json",)  # states what belongs to a table of the same name


@dataclass(frozen=True)
class Listing:
    """What a folder holds, and the folders below it. recordings: files to be read, sorted. left_out: files that are
    neither a recording nor part of one, sorted; hidden ones are not looked at."""

    folder: Path
    recordings: tuple[Path, ...]
    left_out: tuple[Path, ...]

    def warning(self) -> str:
        """One line that names the files left out; empty where there are none."""
        return left_out_words(self.folder, self.left_out, len(self.left_out)) if self.left_out else ""


def left_out_words(folder: Path, files: Sequence[Path], count: int) -> str:
    """One line that names the first of files that are no recordings, and says how many there are."""
    names = [str(file.relative_to(folder)) for file in files[:MOST_LEFT_OUT_NAMED]]
    more = ", ..." if count > MOST_LEFT_OUT_NAMED else ""
    what = "1 file is no recording" if count == 1 else f"{count} files are no recordings"
    return f"{folder}: {what} that meit knows: {', '.join(names)}{more}"


def read_ecg(path: str | Path, allow_missing: bool = False, min_seconds: float = MIN_SECONDS) -> Recording:
    """Reads one recording: of WFDB its .hea, its .dat or .mat, or the name without suffix.

    allow_missing: leads that are absent and cannot be derived become NaN, instead of an error.
    Raises RecordingError, one line that names the file and the remedy, for anything else than a 12-lead ECG of
    min_seconds or more.
    """
    path = Path(path)
    format_ = format_of(path)
    if format_ is None:
        raise RecordingError(_why_not(path))
    try:
        recording = without_pulse(format_.read(path, allow_missing))
    except (MeitError, MemoryError):
        raise
    except Exception as error:  # one file never stops the others
        raise RecordingError(
            f"{path}: cannot be read as {format_.name} ({type(error).__name__}), which is a bug of meit; report it"
        ) from error
    check_usable(recording, min_seconds)
    return recording


def format_of(path: Path) -> Format | None:
    """The first of FORMATS that recognises a file, by its first bytes; None where none does. Never raises."""
    start = recognise.first_bytes(path)
    return next((format_ for format_ in FORMATS if format_.recognises(path, start)), None)


def find_recordings(path: str | Path) -> list[Path]:
    """A file gives itself (or its stem); a folder all recordings in it and below, sorted.

    Raises RecordingError for a path that is not there and for a folder without recordings.
    """
    path = Path(path)
    if not path.is_dir():
        if not path.exists() and format_of(path) is None:
            raise RecordingError(_why_not(path))
        return [path]
    return list(list_folder(path).recordings)


def list_folder(folder: str | Path) -> Listing:
    """The recordings in a folder and below it, and the files that are none. RecordingError for one without recordings."""
    listings = list(walk_folder(folder))
    recordings = sorted(file for one in listings for file in one.recordings)
    return Listing(Path(folder), tuple(recordings), tuple(sorted(file for one in listings for file in one.left_out)))


def walk_folder(folder: str | Path) -> Iterator[Listing]:
    """The same, one folder below it after the other: memory does not grow with their number."""
    folder = Path(folder)
    found = False
    for place, below, names in os.walk(folder):
        below.sort()
        files = [Path(place, name) for name in sorted(names)]
        links = [Path(place, name) for name in below if os.path.islink(os.path.join(place, name))]  # not walked
        listing = _listed(folder, files, links)
        found |= bool(listing.recordings)
        yield listing
    if not found:
        raise RecordingError(f"{folder}: no recordings in this folder (looked for {_names()})")


def _listed(folder: Path, files: list[Path], links: list[Path]) -> Listing:
    """Of the files of one folder; folder: where the listing began."""
    recordings: list[Path] = []
    others = list(links)
    for file in files:
        if file.is_file() or file.is_symlink():
            (recordings if _is_listed(file) else others).append(file)
    parts = named_beside_headers(file for file in recordings if file.suffix.lower() == HEADER_SUFFIX)
    whole = [file for file in recordings if file not in parts] or recordings
    stems = {file.with_suffix("") for file in recordings}
    left_out = tuple(
        file
        for file in sorted(others)
        if file not in parts and not _is_part(file, stems) and not _is_hidden(file.relative_to(folder))
    )
    return Listing(folder, tuple(whole), left_out)


def _is_listed(file: Path) -> bool:
    if file.suffix.lower() in SIGNAL_SUFFIXES and header_beside(file) is not None:  # read with its header
        return False
    if not file.is_file():
        return False
    start = recognise.first_bytes(file)
    return any(format_.lists(file, start) for format_ in FORMATS)


def _is_part(file: Path, stems: set[Path]) -> bool:
    """Whether a file belongs to a recording by its name: annotations beside a header, what is stated of a table."""
    return header_beside(file) is not None or (file.suffix.lower() in COMPANIONS and file.with_suffix("") in stems)


def _is_hidden(file: Path) -> bool:
    return any(part.startswith(".") for part in file.parts)


def _names() -> str:
    return ", ".join(format_.name for format_ in FORMATS)


def _why_not(path: Path) -> str:
    """One line on why no format recognises a path."""
    if path.is_dir():
        return f"{path}: is a folder; give one recording in it"
    if not path.exists():
        return f"{path}: no such file"
    if not path.is_file():
        return f"{path}: is no regular file; copy what it gives to a file"
    try:
        with path.open("rb") as file:
            start = file.read(recognise.HEAD_BYTES)
    except OSError as error:
        return f"{path}: cannot be read ({error.strerror or error})"
    if not start:
        return f"{path}: is empty; copy the file again"
    other = recognise.other_file(path, start)
    if other is not None:
        return f"{path}: {other}"
    if path.suffix.lower() in SIGNAL_SUFFIXES:
        kind = "is a text file and has" if is_text(start[:512]) else "has"
        return f"{path}: {kind} no header {path.with_suffix('.hea').name} beside it; WFDB needs both files"
    if path.suffix.lower() == ".hea":
        return f"{path}: is not a WFDB header; its first line must read NAME SIGNALS RATE SAMPLES"
    if is_nameless_table(start):
        return (
            f"{path}: is a table whose first row names no leads; it must be like I,II,III,aVR,...,V6, and the lines "
            '"# rate_hz: 500" and "# unit: mV" before it state the rate and the unit'
        )
    root = recognise.xml_root(start)
    kind = f"XML with the root <{root[:40]}>, " if root else ""
    return f"{path}: {kind}not a known ECG format (known: {_names()})"
