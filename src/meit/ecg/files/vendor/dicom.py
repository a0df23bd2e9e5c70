"""DICOM waveforms: damage that pydicom overlooks, objects without their header, and which samples are padding."""

import struct
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np

from meit.ecg.files.recognise import is_bare_dicom

if TYPE_CHECKING:
    from ecgdatakit.models import ECGRecord

OVERRUN = "is truncated or damaged: it announces more than it holds; copy it again"
_DEFLATED = b"1.2.840.10008.1.2.1.99"  # DICOM transfer syntax
_IMPLICIT, _EXPLICIT = b"1.2.840.10008.1.2\0", b"1.2.840.10008.1.2.1\0"
_COMPANDED = ("MB", "AB")  # sample interpretations whose codes are not their values
SURE_S = 1.0  # no ECG stands at one value for longer
END_S = 0.1  # what it takes where the recording begins or ends
_JUMP = 10  # times the usual step from sample to sample, in half of the channels: no ECG begins so


def dicom_fault(raw: bytes) -> str:
    """Deflated objects, whose size in memory cannot be told beforehand; and elements that end after the file: pydicom
    asks for their length, up to 4 GB, and takes what it gets."""
    from pydicom.dataelem import RawDataElement

    if _DEFLATED in raw[:1024]:
        return "is a deflated DICOM object; store it uncompressed (Explicit VR Little Endian)"
    try:
        elements = list(_dataset(raw).values())
    except Exception:  # what else is wrong the parser finds too
        return ""
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


def restore_padding(record: "ECGRecord", raw: bytes) -> None:
    """Gives back to a record's leads the samples that have the padding value and are ECG all the same."""
    groups = record.raw_metadata.get("multiplex_groups", ())
    if not any(np.isnan(lead.samples).any() for lead in record.leads):
        return
    value = next(
        (value for group in _dataset(raw).get("WaveformSequence") or () if (value := _value(group, groups))), None
    )
    if value is None:
        return
    values = np.stack([lead.samples for lead in record.leads], axis=1)
    restored = unpadded(values, value[0], record.leads[0].sampling_rate)
    for column, lead in enumerate(record.leads):
        lead.samples = restored[:, column]


def _dataset(raw: bytes) -> Any:
    import pydicom

    return pydicom.dcmread(BytesIO(raw))


def _value(group: Any, groups: list[dict]) -> tuple[float] | None:
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
    return (float(int.from_bytes(padding[: bits // 8], "little", signed=kind.startswith("S"))),)


def _is_median(label: str) -> bool:
    return any(word in label.upper() for word in ("MEDIAN", "REPRESENTATIVE", "AVERAGE"))


def unpadded(values: np.ndarray, padding: float, rate: float) -> np.ndarray:
    """(n_samples, n_channels) steps, NaN where the padding value stood -> the same with that value where it is ECG.

    A value that the signal of a channel does not reach is padding wherever it stands. One that it does reach is padding
    only in runs, and in all channels at once: of SURE_S, of END_S at an end of the recording, or between jumps; and in
    one channel alone, of SURE_S.
    """
    stood = np.isnan(values)
    reached = np.array([_reaches(values[:, column], padding) for column in range(values.shape[1])])
    if not reached.any():
        return values
    kept = np.zeros_like(stood)
    for first, last in _runs(stood.all(axis=1)):
        seconds = (last - first) / rate
        at_end = first == 0 or last == len(values)
        if seconds >= SURE_S or (at_end and seconds >= END_S) or _jumps(values, first, last, padding):
            kept[first:last] = True
    for column in range(values.shape[1]):
        for first, last in _runs(stood[:, column] & ~kept[:, column]):
            if not reached[column] or (last - first) / rate >= SURE_S:
                kept[first:last, column] = True
    return np.where(stood & ~kept, padding, values)


def _reaches(channel: np.ndarray, padding: float) -> bool:
    """Whether a value lies in the range of a channel's samples, give or take the largest step between two of them."""
    there = channel[np.isfinite(channel)]
    if not len(there):
        return False
    steps = np.abs(np.diff(channel))
    step = np.nanmax(steps) if np.isfinite(steps).any() else 0.0
    return bool(there.min() - step <= padding <= there.max() + step)


def _jumps(values: np.ndarray, first: int, last: int, padding: float) -> bool:
    """Whether half of the channels jump to the padding value, or from it."""
    if last - first < 3:
        return False
    steps = np.abs(np.diff(values, axis=0))
    usual = [np.median(column[np.isfinite(column)]) if np.isfinite(column).any() else 0.0 for column in steps.T]
    least = np.maximum(_JUMP * np.array(usual), 5)
    sides = [values[row] for row in (first - 1, last) if 0 <= row < len(values)]
    return any(np.mean(np.abs(np.nan_to_num(side, nan=padding) - padding) > least) >= 0.5 for side in sides)


def _runs(mask: np.ndarray) -> list[tuple[int, int]]:
    """(first, one past the last) of each run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))
