"""Which file this is, by its first bytes; nothing here raises, or reads more than HEAD_BYTES."""

import re
import struct
from pathlib import Path

HEAD_BYTES = 65_536  # a table or an aECG may begin with a page of comments

_UTF_8 = b"\xef\xbb\xbf"
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_ELEMENT = re.compile(r"<(?:[\w.-]+:)?([A-Za-z_][\w.-]*)")  # not <?xml or <!DOCTYPE

# where, which bytes, what a user should do with such a file
_OTHERS = (
    (0, b"%PDF", "is a PDF, which holds a drawing of the ECG; export its samples, for example as XML or DICOM"),
    (0, b"\x89PNG", "is a picture of an ECG; export its samples, for example as XML or DICOM"),
    (0, b"\xff\xd8\xff", "is a picture of an ECG; export its samples, for example as XML or DICOM"),
    (128, b"DICM", "is a DICOM object without a waveform; give the ECG itself, not its drawing or its report"),
    (0, b"\xffBIOSEMI", "is BDF, with samples of 24 bits; convert it to EDF"),
    (0, b"PK\x03\x04", "is a zip archive; unpack it"),
    (0, b"\x1f\x8b", "is compressed with gzip; unpack it"),
)


def first_bytes(path: Path) -> bytes:
    """The first HEAD_BYTES of a regular file, empty where there is none to read."""
    try:
        if not path.is_file():  # opening a pipe would wait for its writer
            return b""
        with path.open("rb") as file:
            return file.read(HEAD_BYTES)
    except (OSError, ValueError):  # ValueError: a NUL in the name
        return b""


def xml_root(start: bytes) -> str:
    """Name of an XML file's root element without its prefix; empty for anything else."""
    wide = start.startswith(_UTF_16)
    if not wide and not start.removeprefix(_UTF_8).lstrip().startswith(b"<"):
        return ""
    text = start.decode("utf-16" if wide else "utf-8", errors="ignore")
    element = _ELEMENT.search(_COMMENT.sub("", text))
    return element[1] if element else ""


def is_dicom_waveform(start: bytes) -> bool:
    """The SOP class in the file's meta information is one of the waveforms (DICOM PS3.4, table B.5-1)."""
    return start[128:132] == b"DICM" and b"1.2.840.10008.5.1.4.1.1.9." in start[:1024]


def is_scp(start: bytes) -> bool:
    """Section 0 stands first, and its first pointer is to itself, at byte 7 (EN 1064, 5.3)."""
    if len(start) < 32:
        return False
    section, length = struct.unpack_from("<HI", start, 8)
    pointed, _, position = struct.unpack_from("<HII", start, 22)
    return (section, pointed, position) == (0, 0, 7) and length >= 26


def is_edf(start: bytes) -> bool:
    """Version 0, and counts of records and signals that are numbers (edfplus.info, EDF specification)."""
    return start[:8] == b"0       " and re.fullmatch(rb"-?\d+ *\S* *[\d.]+ *\d+ *", start[236:256]) is not None


def is_ishne(start: bytes) -> bool:
    """Its magic number (Badilini 1998, Ann Noninvasive Electrocardiol 3:263)."""
    return start[:8] == b"ISHNE1.0"


def other_file(start: bytes) -> str | None:
    """What a file is that is often taken for an ECG, and what to do with it; None where that is not known."""
    for place, magic, remedy in _OTHERS:
        if start[place : place + len(magic)] == magic:
            return remedy
    return None
