"""Whether a file announces more than it holds, for the formats whose parsers ask for the memory before they look."""

import struct
from io import BytesIO
from pathlib import Path

from meit.ecg.files.wfdb_files import MAX_VALUES

_POINTERS, _POINTER, _N_POINTERS = 22, 10, 12  # SCP-ECG: where section 0 lists the sections, bytes of each, sections
_LEAD = struct.Struct("<IIB")  # SCP-ECG section 3: first sample, last sample, code of a lead


def dicom_overruns(path: Path) -> bool:
    """Whether an element ends after the file (pydicom asks for its length, up to 4 GB, and takes what it gets)."""
    import pydicom
    from pydicom.dataelem import RawDataElement

    try:
        elements = list(pydicom.dcmread(BytesIO(path.read_bytes())).values())
    except Exception:  # what else is wrong the parser finds too
        return False
    raw = [element for element in elements if isinstance(element, RawDataElement) and element.value]
    return any(len(element.value) < element.length < 0xFFFF_FFFF for element in raw)


def scp_overruns(path: Path) -> bool:
    """Whether a lead has more samples than the file has bits, of which each takes one at least (EN 1064, 5.6)."""
    raw = path.read_bytes()
    most = min(8 * len(raw), MAX_VALUES)
    try:
        for place in range(_POINTERS, _POINTERS + _N_POINTERS * _POINTER, _POINTER):
            number, _, position = struct.unpack_from("<HII", raw, place)
            if number == 3:
                body = position - 1 + 16  # positions count from 1; a section begins with a header of 16 bytes
                leads = [_LEAD.unpack_from(raw, body + 2 + n * _LEAD.size) for n in range(raw[body])]
                return any(last - first >= most for first, last, _ in leads)
    except (struct.error, IndexError):  # the parser says that the file is too short
        return False
    return False
