"""What all formats share: units of voltage, what a file may say of a patient, and how much one ECG may hold."""

from pathlib import Path
from typing import Literal

from meit.errors import RecordingError

MILLIVOLTS = {"v": 1e3, "mv": 1.0, "uv": 1e-3, "\u00b5v": 1e-3, "\u03bcv": 1e-3, "nv": 1e-6}  # lower case -> mV in one
MAX_VALUES = 12 * 500 * 3600  # samples times signals: an hour of 12 leads at 500 Hz, which takes half a gigabyte

Sex = Literal["F", "M"]
_SEXES: dict[str, Sex] = {"f": "F", "female": "F", "m": "M", "male": "M"}


def sex_of(word: str) -> Sex | None:
    """ "F" or "M" of what a file says, in any case; None for anything else."""
    return _SEXES.get(word.strip(" \t.,;").lower())


def read_bounded(path: Path, most: int, too_large: str) -> bytes:
    """All bytes of a file. Raises RecordingError where it cannot be read, and, saying `too_large`, beyond `most` bytes."""
    try:
        with path.open("rb") as file:
            raw = file.read(most + 1)
    except OSError as error:
        raise RecordingError(f"{path}: cannot be read ({error.strerror or error})") from None
    if len(raw) > most:
        raise RecordingError(f"{path}: {too_large}")
    return raw


def is_text(start: bytes) -> bool:
    """Whether the beginning of a file is printable ASCII throughout."""
    return all(byte in b"\t\n\r" or 32 <= byte < 127 for byte in start)
