"""Files of ECG carts and archives: GE MUSE, Philips, Mortara and HL7 aECG XML, DICOM, SCP-ECG, EDF, ISHNE, MFER, Kardia.

ecgdatakit decodes them. What it leaves to its caller is done here: the unit, without which a file is refused; rates
that are no whole numbers; samples that were not recorded; and damage of which it only warns. Of files that hold a
median beat as well, the rhythm is read.
"""

import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np

from meit.ecg.files import recognise
from meit.ecg.files.limits import MILLIVOLTS, read_bounded
from meit.ecg.files.vendor.dicom import dicom_fault, dicom_padding, with_header
from meit.ecg.files.vendor.mfer import is_mfer, mfer_null
from meit.ecg.files.vendor.padding import restore_padding
from meit.ecg.files.vendor.record_facts import cart_of, patient_of
from meit.ecg.files.vendor.scp import counted_from_one, scp_fault
from meit.ecg.recording import Recording, assemble, canonical_lead
from meit.errors import RecordingError

if TYPE_CHECKING:
    from ecgdatakit.models import ECGRecord, Lead

# An hour of 12 leads at 500 Hz and 16 bits is 43 MB; the text of an XML takes ten times its size in memory.
_BINARY_BYTES, _XML_BYTES = 50_000_000, 20_000_000
_PHILIPS_BYTES = 5_000_000  # twelve seconds are 0.3 MB, or 2 MB as text; its compression can unpack a thousandfold
_ISHNE_FAULT = -32768  # "sample value proposed" for a lead off (Badilini 1998)

_STARTS = ("start_sample", "LeadTimeOffset", "LeadOffsetFirstSample")  # SCP-ECG; MUSE, whose unit is not public

# what ecgdatakit only warns of -> why the samples cannot be used
_DAMAGE = (
    (r"truncated", "is truncated; copy the file again"),
    (r"gaps between data records", "has gaps between its data records; cut out one stretch without a gap"),
    (r"SCP-ECG CRC mismatch in:.*Section [2-6]\b", "its samples do not fit their checksum; copy the file again"),
)


@dataclass(frozen=True)
class VendorFormat:
    """matches: the file's first bytes -> bool. parser: module and class in ecgdatakit.parsing.parsers. fault: all bytes
    of the file -> what must not be given to the parser, and why; empty where it may be. repair: all bytes -> those that
    the parser reads, None where it reads the file itself."""

    name: str
    matches: Callable[[bytes], bool]
    parser: str
    max_bytes: int
    fault: Callable[[bytes], str] | None = None
    repair: Callable[[bytes], bytes | None] | None = None

    def read(self, path: Path, allow_missing: bool) -> Recording:
        """Raises RecordingError for whatever is not a 12-lead ECG in a stated unit of voltage."""
        raw, repaired = self._whole(path)
        record = _parsed(self, path, raw if repaired else None)
        if record.source_format == "dicom_waveform":
            restore_padding(record, dicom_padding(record, raw))
        elif record.source_format == "mfer":
            restore_padding(record, mfer_null(raw))
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
            starts.add(tuple(lead.annotations.get(start, "") for start in _STARTS))
        if not leads:
            labels = ", ".join(lead.label for lead in record.leads) or "no signals"
            raise RecordingError(f"{path}: none of its signals is one of the 12 leads (found: {labels[:200]})")
        if len(rates) > 1 or len(starts) > 1:
            raise RecordingError(f"{path}: its leads differ in rate or start; a 12-lead ECG recorded at once is needed")
        start = record.recording.date
        return assemble(
            leads,
            rates.pop(),
            name=path.stem,
            start=start,
            patient=patient_of(record, raw, start),
            cart=cart_of(record),
            source=str(path),
            allow_missing=allow_missing,
        )

    def _whole(self, path: Path) -> tuple[bytes, bool]:
        """All bytes of a file, and whether they were repaired; RecordingError for one that is too large, or must not be
        given to the parser."""
        try:
            size = path.stat().st_size
        except OSError as error:
            raise RecordingError(f"{path}: cannot be read ({error.strerror or error})") from None
        large = (
            f"{size / 1e6:.0f} MB, more than {self.max_bytes / 1e6:.0f} MB, is too large for one {self.name} recording; "
            "cut it into shorter ones"
        )
        raw = read_bounded(path, self.max_bytes, large)
        repaired = self.repair(raw) if self.repair is not None else None
        raw = raw if repaired is None else repaired
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            fault = self.fault(raw) if self.fault is not None else ""
        if fault:
            raise RecordingError(f"{path}: {fault}")
        return raw, repaired is not None


def _kardia_fault(raw: bytes) -> str:
    twelve = b'"data12L"' in raw
    return (
        "is a Kardia 12L recording, which does not say what one step is: its millivolts are unknown" if twelve else ""
    )


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
        dicom_fault,
        with_header,
    ),
    VendorFormat("SCP-ECG", recognise.is_scp, "scp_ecg.SCPECGParser", _BINARY_BYTES, scp_fault, counted_from_one),
    VendorFormat("EDF", recognise.is_edf, "edf.EDFParser", _BINARY_BYTES),
    VendorFormat("ISHNE", recognise.is_ishne, "ishne_holter.ISHNEHolterParser", _BINARY_BYTES),
    VendorFormat("MFER", is_mfer, "mfer.MFERParser", _BINARY_BYTES),
    VendorFormat("Kardia", recognise.is_kardia, "alivecor_kardia.AliveCorKardiaParser", _XML_BYTES, _kardia_fault),
)


def _parsed(format_: VendorFormat, path: Path, repaired: bytes | None) -> "ECGRecord":
    """repaired: what is to be parsed in place of the file; parsers open files."""
    module, name = format_.parser.split(".")
    with TemporaryDirectory(prefix="meit-") as folder, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        place = path
        if repaired is not None:
            place = Path(folder, "file")
            place.write_bytes(repaired)
        try:
            record: ECGRecord = getattr(import_module(f"ecgdatakit.parsing.parsers.{module}"), name)().parse(place)
        except Exception as error:  # it is fed files of any kind, and so are the libraries below it
            reason = _reason(place, error)
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


def _rate(record: "ECGRecord", lead: "Lead") -> float:
    """The rate as the file states it; ecgdatakit's leads have it rounded to whole Hz."""
    meta = record.raw_metadata
    groups = meta.get("multiplex_groups", ())
    exact = (
        meta.get("exact_sampling_rates", {}).get(lead.label),  # EDF
        meta.get("rhythm_time", {}).get("sampling_rate_exact"),  # aECG
        1e6 / meta.get("rhythm_sample_interval_us", np.inf),  # SCP-ECG
        next(iter(meta.get("sampling_rates", ())), None),  # MFER
        next((g["sampling_frequency"] for g in groups if round(g["sampling_frequency"]) == lead.sampling_rate), None),
    )
    return round(next((rate for rate in exact if rate), lead.sampling_rate), 6)
