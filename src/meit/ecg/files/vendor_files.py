"""Files of ECG carts and archives: GE MUSE, Philips, Mortara and HL7 aECG XML, DICOM, SCP-ECG, EDF, ISHNE.

ecgdatakit decodes them. What it leaves to its caller is done here: the unit, without which a file is refused; rates
that are no whole numbers; samples that were not recorded, or are a calibration pulse; and damage of which it only
warns. Of files that hold a median beat as well, the rhythm is read.
"""

import re
import struct
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from meit.ecg.files import recognise
from meit.ecg.files.ages import plausible_age
from meit.ecg.files.limits import MAX_VALUES, MILLIVOLTS, sex_of
from meit.ecg.recording import Recording, assemble, canonical_lead
from meit.ecg.stated import Patient
from meit.errors import RecordingError

if TYPE_CHECKING:
    from ecgdatakit.models import ECGRecord, Lead

# An hour of 12 leads at 500 Hz and 16 bits is 43 MB; the text of an XML takes ten times its size in memory.
_BINARY_BYTES, _XML_BYTES = 50_000_000, 20_000_000
_PHILIPS_BYTES = 5_000_000  # twelve seconds are 0.3 MB, or 2 MB as text; its compression can unpack a thousandfold
_DEFLATED = b"1.2.840.10008.1.2.1.99"  # DICOM transfer syntax
_POINTERS, _POINTER, _N_POINTERS = 22, 10, 12  # SCP-ECG: where section 0 lists the sections, bytes of each, sections
_LEAD = struct.Struct("<IIB")  # SCP-ECG section 3: first sample, last sample, code of a lead
_OVERRUN = "is truncated or damaged: it announces more than it holds; copy it again"
_ISHNE_FAULT = -32768  # "sample value proposed" for a lead off (Badilini 1998)

# what ecgdatakit only warns of -> why the samples cannot be used
_DAMAGE = (
    (r"truncated", "is truncated; copy the file again"),
    (r"gaps between data records", "has gaps between its data records; cut out one stretch without a gap"),
    (r"SCP-ECG CRC mismatch in:.*Section [2-6]\b", "its samples do not fit their checksum; copy the file again"),
)


@dataclass(frozen=True)
class VendorFormat:
    """matches: the file's first bytes -> bool. parser: module and class in ecgdatakit.parsing.parsers. fault: all bytes
    of the file -> what must not be given to the parser, and why; empty where it may be."""

    name: str
    matches: Callable[[bytes], bool]
    parser: str
    max_bytes: int
    fault: Callable[[bytes], str] | None = None

    def read(self, path: Path, allow_missing: bool) -> Recording:
        """Raises RecordingError for whatever is not a 12-lead ECG in a stated unit of voltage."""
        record = _parsed(self, path)
        leads: dict[str, np.ndarray] = {}
        rates, starts = set(), set()
        for lead in record.leads:
            repeated = re.fullmatch(r"(.+)_\d+", lead.label)  # ecgdatakit numbers labels that occur again
            name = canonical_lead(repeated[1] if repeated else lead.label)
            if name is None:
                continue
            if name in leads:
                raise RecordingError(f"{path}: lead {name} occurs twice; keep one of them")
            leads[name] = _millivolts(path, record.source_format, name, lead)
            rates.add(_rate(record, lead))
            starts.add(lead.annotations.get("start_sample", "1"))
        if not leads:
            labels = ", ".join(lead.label for lead in record.leads) or "no signals"
            raise RecordingError(f"{path}: none of its signals is one of the 12 leads (found: {labels[:200]})")
        if len(rates) > 1 or len(starts) > 1:
            raise RecordingError(f"{path}: its leads differ in rate or start; a 12-lead ECG recorded at once is needed")
        return assemble(
            _before_calibration(leads) if record.source_format == "sierra_xml" else leads,
            rates.pop(),
            name=path.stem,
            start=record.recording.date,
            patient=_patient(record),
            source=str(path),
            allow_missing=allow_missing,
        )


def _dicom_fault(raw: bytes) -> str:
    """Deflated objects, whose size in memory cannot be told beforehand; and elements that end after the file: pydicom
    asks for their length, up to 4 GB, and takes what it gets."""
    import pydicom
    from pydicom.dataelem import RawDataElement

    if _DEFLATED in raw[:1024]:
        return "is a deflated DICOM object; store it uncompressed (Explicit VR Little Endian)"
    try:
        elements = list(pydicom.dcmread(BytesIO(raw)).values())
    except Exception:  # what else is wrong the parser finds too
        return ""
    raws = [element for element in elements if isinstance(element, RawDataElement) and element.value]
    return _OVERRUN if any(len(one.value or b"") < one.length < 0xFFFF_FFFF for one in raws) else ""


def _scp_fault(raw: bytes) -> str:
    """Whether a lead has more samples than the file has bits, of which each takes one at least (EN 1064, 5.6)."""
    most = min(8 * len(raw), MAX_VALUES)
    try:
        for place in range(_POINTERS, _POINTERS + _N_POINTERS * _POINTER, _POINTER):
            number, _, position = struct.unpack_from("<HII", raw, place)
            if number == 3:
                body = position - 1 + 16  # positions count from 1; a section begins with a header of 16 bytes
                leads = [_LEAD.unpack_from(raw, body + 2 + n * _LEAD.size) for n in range(raw[body])]
                return _OVERRUN if any(last - first >= most for first, last, _ in leads) else ""
    except (struct.error, IndexError):  # the parser says that the file is too short
        return ""
    return ""


def _xml(root: str) -> Callable[[bytes], bool]:
    return lambda start: recognise.xml_root(start) == root


VENDOR_FORMATS = (
    VendorFormat("GE MUSE XML", _xml("RestingECG"), "ge_muse_xml.GEMuseXMLParser", _XML_BYTES),
    VendorFormat("Philips XML", _xml("restingecgdata"), "sierra_xml.SierraXMLParser", _PHILIPS_BYTES),
    VendorFormat("HL7 aECG", _xml("AnnotatedECG"), "hl7_aecg.HL7aECGParser", _XML_BYTES),
    VendorFormat("Mortara XML", _xml("ECG"), "mortara_el250.MortaraEL250Parser", _XML_BYTES),
    VendorFormat(
        "DICOM waveform",
        recognise.is_dicom_waveform,
        "dicom_waveform.DICOMWaveformParser",
        _BINARY_BYTES,
        _dicom_fault,
    ),
    VendorFormat("SCP-ECG", recognise.is_scp, "scp_ecg.SCPECGParser", _BINARY_BYTES, _scp_fault),
    VendorFormat("EDF", recognise.is_edf, "edf.EDFParser", _BINARY_BYTES),
    VendorFormat("ISHNE", recognise.is_ishne, "ishne_holter.ISHNEHolterParser", _BINARY_BYTES),
)


def _parsed(format_: VendorFormat, path: Path) -> "ECGRecord":
    try:
        size = path.stat().st_size
    except OSError as error:
        raise RecordingError(f"{path}: cannot be read ({error.strerror or error})") from None
    if size > format_.max_bytes:
        raise RecordingError(
            f"{path}: {size / 1e6:.0f} MB, more than {format_.max_bytes / 1e6:.0f} MB, is too large for one "
            f"{format_.name} recording; cut it into shorter ones"
        )
    module, name = format_.parser.split(".")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fault = format_.fault(path.read_bytes()) if format_.fault is not None else ""
        if fault:
            raise RecordingError(f"{path}: {fault}")
        try:
            record: ECGRecord = getattr(import_module(f"ecgdatakit.parsing.parsers.{module}"), name)().parse(path)
        except Exception as error:  # it is fed files of any kind, and so are the libraries below it
            reason = _reason(path, error)
            raise RecordingError(f"{path}: is no whole {format_.name} file ({reason}); export it again") from None
    for warning in caught:
        for pattern, damage in _DAMAGE:
            if re.search(pattern, str(warning.message)):
                raise RecordingError(f"{path}: {damage}")
    return record


def _reason(path: Path, error: Exception) -> str:
    """One short line that does not name the file again."""
    text = str(error).replace(f" in {path}", "").replace(str(path), path.name)
    return " ".join(text.split())[:200] or type(error).__name__


def _millivolts(path: Path, source: str, name: str, lead: "Lead") -> np.ndarray:
    """(n_samples,) mV of a lead by the unit that its file states; RecordingError where it states none."""
    unit = lead.resolution_unit if lead.is_raw else lead.units
    factor = MILLIVOLTS.get(unit.strip().lower())
    if factor is None or lead.resolution == 0:
        stated = f"gives lead {name} in {unit[:20]!r}" if unit else f"does not say what one step of lead {name} is"
        raise RecordingError(f"{path}: {stated}, so its millivolts are unknown; export it with a scale in uV or mV")
    samples = np.asarray(lead.samples, dtype=np.float64)
    if source == "ishne_holter":
        samples = np.where(samples == _ISHNE_FAULT, np.nan, samples)
    return (samples * lead.resolution + lead.offset) * factor if lead.is_raw else samples * factor


def _before_calibration(leads: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Cuts off the pulse of 1 mV that some Philips carts append to all leads at once.

    Values that are the same in all leads, and not zero, are no ECG: I + III = II.
    """
    values = np.stack(list(leads.values()))
    alike = (values == values[0]).all(axis=0)
    end = len(alike) - int(np.argmin(alike[::-1]))
    return {name: lead[:end] for name, lead in leads.items()} if values[0, end:].any() else leads


def _rate(record: "ECGRecord", lead: "Lead") -> float:
    """The rate as the file states it; ecgdatakit's leads have it rounded to whole Hz."""
    meta = record.raw_metadata
    groups = meta.get("multiplex_groups", ())
    exact = (
        meta.get("exact_sampling_rates", {}).get(lead.label),  # EDF
        meta.get("rhythm_time", {}).get("sampling_rate_exact"),  # aECG
        1e6 / meta.get("rhythm_sample_interval_us", np.inf),  # SCP-ECG
        next((g["sampling_frequency"] for g in groups if round(g["sampling_frequency"]) == lead.sampling_rate), None),
    )
    return round(next((rate for rate in exact if rate), lead.sampling_rate), 6)


def _patient(record: "ECGRecord") -> Patient:
    patient = record.patient
    # a plain EDF has one free text for the patient, often with the name in it
    identifier = "" if "patient_id_note" in record.raw_metadata else patient.patient_id
    # 0 may mean "not entered", and an infant; ecgdatakit keeps whole years only
    age = plausible_age(float(patient.age)) if patient.age else None
    return Patient(id=identifier or None, age=age, sex=sex_of(patient.sex or ""))
