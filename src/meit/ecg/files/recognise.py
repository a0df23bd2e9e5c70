"""Which file this is, by its first bytes; nothing here raises, or reads more than HEAD_BYTES."""

import re
import struct
from pathlib import Path

_WAVEFORM = b"1.2.840.10008.5.1.4.1.1.9."  # SOP classes of waveforms
HEAD_BYTES = 65_536  # a table or an aECG may begin with a page of comments

_UTF_8 = b"\xef\xbb\xbf"
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_ELEMENT = re.compile(r"<(?:[\w.-]+:)?([A-Za-z_][\w.-]*)")  # not <?xml or <!DOCTYPE

_NO_STEP = "which does not say what one step of its samples is: export it as XML, DICOM or SCP-ECG"
_EDAN = ("patient.hea", "ecgraw.dat")

# where, which bytes, what a user should do with such a file
_OTHERS = (
    (0, b"%PDF", "is a PDF, which holds a drawing of the ECG; export its samples, for example as XML or DICOM"),
    (0, b"\x89PNG", "is a picture of an ECG; export its samples, for example as XML or DICOM"),
    (0, b"\xff\xd8\xff", "is a picture of an ECG; export its samples, for example as XML or DICOM"),
    (128, b"DICM", "is a DICOM object without a waveform; give the ECG itself, not its drawing or its report"),
    (0, b"\xffBIOSEMI", "is BDF, with samples of 24 bits; convert it to EDF"),
    (4, b"##NEUTRAL HOLTER RECORDING##", "is an EDAN Holter archive, " + _NO_STEP),
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
    return (start[128:132] == b"DICM" and _WAVEFORM in start[:1024]) or (
        is_bare_dicom(start) and _WAVEFORM in start[:4096]
    )


def is_bare_dicom(start: bytes) -> bool:
    """A DICOM object without the 132 bytes that begin its file: an element of group 2 or 8 stands first (PS3.5, 7.1)."""
    if len(start) < 132 or start[128:132] == b"DICM" or start[:2] not in (b"\x02\x00", b"\x08\x00") or start[3] != 0:
        return False
    if b"1.2.840.10008." not in start[:4096]:  # begins every class and syntax of DICOM
        return False
    explicit = start[4:6] in (b"UL", b"UI", b"OB", b"CS", b"LO", b"SH", b"DA", b"TM", b"DT")
    return explicit or (start[0] == 8 and 0 < int.from_bytes(start[4:8], "little") < 256)


def is_scp(start: bytes) -> bool:
    """Section 0 stands first, and its first pointer is to itself, at byte 7 (EN 1064, 5.3)."""
    if len(start) < 32:
        return False
    section, length = struct.unpack_from("<HI", start, 8)
    pointed, _, position = struct.unpack_from("<HII", start, 22)
    return (section, pointed) == (0, 0) and position in (6, 7) and length >= 26  # 6: counted from 0


def is_edf(start: bytes) -> bool:
    """Version 0, and counts of records and signals that are numbers (edfplus.info, EDF specification)."""
    return start[:8] == b"0       " and re.fullmatch(rb"-?\d+ *\S* *[\d.]+ *\d+ *", start[236:256]) is not None


def is_ishne(start: bytes) -> bool:
    """Its magic number (Badilini 1998, Ann Noninvasive Electrocardiol 3:263)."""
    return start[:8] == b"ISHNE1.0"


def is_kardia(start: bytes) -> bool:
    """A recording of the Kardia API: a JSON object with its keys."""
    return start.lstrip().startswith(b"{") and b'"recordedAt"' in start and b'"data' in start and b'"samples"' in start


def other_file(path: Path, start: bytes) -> str | None:
    """What a file is that is often taken for an ECG, and what to do with it; None where that is not known."""
    if path.name.lower() in _EDAN and all(path.with_name(name).is_file() for name in _EDAN) and b"\0" in start[:64]:
        return "is part of an EDAN Holter recording, " + _NO_STEP
    if is_bare_dicom(start):
        return "is a DICOM object without a waveform, and without the header of its file; give the ECG itself"
    for place, magic, remedy in _OTHERS:
        if start[place : place + len(magic)] == magic:
            return remedy
    return None
