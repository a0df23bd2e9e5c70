"""Files that are small if they are what they should be."""

from pathlib import Path

from meit.errors import RecordingError


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
