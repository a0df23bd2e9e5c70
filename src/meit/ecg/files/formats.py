"""Any file that holds a 12-lead ECG -> Recording: one row a format, recognised by content."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from meit.ecg.files import recognise
from meit.ecg.files.table_files import is_csv, is_npy, read_csv, read_npy
from meit.ecg.files.vendor_files import VENDOR_FORMATS
from meit.ecg.files.wfdb_files import header_beside, is_wfdb, read_wfdb
from meit.ecg.recording import MIN_SECONDS, Recording, check_usable
from meit.errors import RecordingError


@dataclass(frozen=True)
class Format:
    """recognises and listed never raise; read(path, allow_missing) raises RecordingError.

    listed: of the files of a recording, the one for which find_recordings lists it.
    """

    name: str
    recognises: Callable[[Path], bool]
    read: Callable[[Path, bool], Recording]
    listed: Callable[[Path], bool]


FORMATS = (  # those whose first bytes tell come first: a file of theirs beside a WFDB header is still their file
    *(Format(vendor.name, vendor.recognises, vendor.read, vendor.recognises) for vendor in VENDOR_FORMATS),
    Format("WFDB", is_wfdb, read_wfdb, lambda path: path.suffix == ".hea"),
    Format("CSV", is_csv, read_csv, lambda path: path.suffix == ".csv" and is_csv(path)),
    Format("NPY", is_npy, read_npy, lambda path: path.suffix == ".npy"),
)


def read_ecg(path: str | Path, allow_missing: bool = False, min_seconds: float = MIN_SECONDS) -> Recording:
    """Reads one recording: of WFDB its .hea, its .dat or .mat, or the name without suffix.

    allow_missing: leads that are absent and cannot be derived become NaN, instead of an error.
    Raises RecordingError, one line that names the file and the remedy, for anything else than a 12-lead ECG of
    min_seconds or more.
    """
    path = Path(path)
    for format_ in FORMATS:
        if format_.recognises(path):
            recording = format_.read(path, allow_missing)
            check_usable(recording, min_seconds)
            return recording
    raise RecordingError(_why_not(path))


def find_recordings(path: str | Path) -> list[Path]:
    """A file gives itself (or its stem); a folder all recordings in it and below, sorted.

    Raises RecordingError for a path that is not there and for a folder without recordings.
    """
    path = Path(path)
    if not path.is_dir():
        if not path.exists() and not any(format_.recognises(path) for format_ in FORMATS):
            raise RecordingError(_why_not(path))
        return [path]
    found = sorted(file for file in path.rglob("*") if _is_listed(file))
    if not found:
        raise RecordingError(f"{path}: no recordings in this folder (looked for {_names()})")
    return found


def _is_listed(file: Path) -> bool:
    if file.suffix in (".dat", ".mat") and header_beside(file) is not None:  # read with its header; not opened here
        return False
    return file.is_file() and any(format_.listed(file) for format_ in FORMATS)


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
    other = recognise.other_file(start)
    if other is not None:
        return f"{path}: {other}"
    if path.suffix in (".dat", ".mat"):
        is_text = all(byte in b"\t\n\r" or 32 <= byte < 127 for byte in start[:512])
        kind = "is a text file and has" if is_text else "has"
        return f"{path}: {kind} no header {path.with_suffix('.hea').name} beside it; WFDB needs both files"
    if path.suffix == ".hea":
        return f"{path}: is not a WFDB header; its first line must read NAME SIGNALS RATE SAMPLES"
    root = recognise.xml_root(start)
    kind = f"XML with the root <{root[:40]}>, " if root else ""
    return f"{path}: {kind}not a known ECG format (known: {_names()})"
