"""DICOM waveforms: damage that pydicom overlooks, objects without their header, and their padding value."""

import struct
from collections.abc import Sequence
from io import BytesIO
from typing import TYPE_CHECKING, Any

from meit.ecg.files.recognise import is_bare_dicom
from meit.ecg.recording import printable

if TYPE_CHECKING:
    from ecgdatakit.models import ECGRecord

OVERRUN = "is truncated or damaged: it announces more than it holds; copy it again"
_DEFLATED = b"1.2.840.10008.1.2.1.99"  # DICOM transfer syntax
_IMPLICIT, _EXPLICIT = b"1.2.840.10008.1.2\0", b"1.2.840.10008.1.2.1\0"
_COMPANDED = ("MB", "AB")  # sample interpretations whose codes are not their values


def dicom_fault(raw: bytes) -> str:
    """Deflated objects, whose size in memory cannot be told beforehand; and elements that end after the file: pydicom
    asks for their length, up to 4 GB, which takes no memory only as long as it reads from memory."""
    from pydicom.dataelem import RawDataElement

    if _DEFLATED in raw[:1024]:
        return "is a deflated DICOM object; store it uncompressed (Explicit VR Little Endian)"
    try:
        elements = list(_dataset(raw).values())
    except Exception as error:  # pydicom is fed files of any kind
        return f"is no whole DICOM waveform file ({printable(str(error)) or type(error).__name__}); export it again"
    raws = [element for element in elements if isinstance(element, RawDataElement) and element.value]
    return OVERRUN if any(len(one.value or b"") < one.length < 0xFFFF_FFFF for one in raws) else ""


def with_header(raw: bytes) -> bytes | None:
    """A whole file of an object that stands without the preamble, and perhaps without the file meta information, of
    PS3.10; None where nothing is to be done."""
    if not is_bare_dicom(raw):
        return None
    meta = b""
    if raw[:2] != b"\x02\x00":
        syntax = _EXPLICIT if raw[4:6].isalpha() else _IMPLICIT
        syntax_element = struct.pack("<HH2sH", 2, 0x10, b"UI", len(syntax)) + syntax
        meta = struct.pack("<HH2sHI", 2, 0, b"UL", 4, len(syntax_element)) + syntax_element
    return bytes(128) + b"DICM" + meta + raw


def dicom_age(raw: bytes) -> str:
    return str(_dataset(raw).get("PatientAge") or "")


def dicom_padding(record: "ECGRecord", raw: bytes) -> float | None:
    """The padding value of the channels that are read; None where there is none, or it is not the value of a sample."""
    groups = record.raw_metadata.get("multiplex_groups", ())
    every = (_value(group, groups) for group in _dataset(raw).get("WaveformSequence") or ())
    return next((value for value in every if value is not None), None)


def _dataset(raw: bytes) -> Any:
    import pydicom

    return pydicom.dcmread(BytesIO(raw))


def _value(group: Any, groups: Sequence[dict]) -> float | None:
    """The padding value of a multiplex group, if it is the one whose channels are read: the first that is no median."""
    label = str(group.get("MultiplexGroupLabel") or "").strip()
    kept = next((one for one in groups if not _is_median(one["label"])), None)
    padding, bits = group.get("WaveformPaddingValue"), int(group.get("WaveformBitsAllocated") or 0)
    kind = str(group.get("WaveformSampleInterpretation") or "SS")
    here = (label, int(group.get("NumberOfWaveformSamples") or 0), int(group.get("NumberOfWaveformChannels") or 0))
    if kept is None or here != (kept["label"], kept["samples"], kept["channels"]) or kind in _COMPANDED:
        return None
    if not isinstance(padding, bytes | bytearray) or len(padding) < bits // 8 or bits not in (8, 16, 32, 64):
        return None
    return float(int.from_bytes(padding[: bits // 8], "little", signed=kind.startswith("S")))


def _is_median(label: str) -> bool:
    return any(word in label.upper() for word in ("MEDIAN", "REPRESENTATIVE", "AVERAGE"))
