"""GE CardioSoft and CASE XML: root CardiologyXML, the rhythm in StripData, a lead each in WaveformData.

No specification is public. The layout is the one that several public readers of such files agree on (those of UK
Biobank's resting ECGs among them): decimal steps between commas, the unit and the rate as attributed elements. Of what
a stress test stores besides, FullDisclosure, they do not agree on the order of the samples: it is not read.
"""

import math
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from meit.ecg.files.ages import age_between, age_in_years, best_age
from meit.ecg.files.limits import MAX_VALUES, read_bounded, sex_of
from meit.ecg.files.recognise import xml_root
from meit.ecg.recording import Recording, assemble, canonical_lead, printable
from meit.ecg.stated import Cart, Patient
from meit.errors import RecordingError

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_BYTES = 20_000_000
_MILLIVOLTS = {"uvperlsb": 1e-3, "mvperlsb": 1.0, "nvperlsb": 1e-6}  # one step
_MEASUREMENTS = {  # element -> name in meit.ecg.measure.measurements.GLOBAL
    "VentricularRate": "heart_rate_bpm",
    "PQInterval": "pr_ms",
    "PDuration": "p_ms",
    "QRSDuration": "qrs_ms",
    "QTInterval": "qt_ms",
    "PAxis": "p_axis_deg",
    "RAxis": "axis_deg",
    "TAxis": "t_axis_deg",
}


def is_cardiosoft(path: Path, start: bytes) -> bool:
    return xml_root(start) == "CardiologyXML"


def read_cardiosoft(path: Path, allow_missing: bool) -> Recording:
    """Raises RecordingError for what has no rhythm strip of 12 leads with its rate and unit."""
    from ecgdatakit.parsing.helpers.xml import parse_xml_root  # refuses entities

    raw = read_bounded(path, _BYTES, f"more than {_BYTES // 1_000_000} MB, is too large for one ECG; cut it")
    try:
        root = parse_xml_root(raw)
    except Exception as error:  # it is fed files of any kind
        reason = printable(str(error)) or type(error).__name__
        raise RecordingError(f"{path}: is no whole GE CardioSoft XML file ({reason}); export it again") from None
    strip = root.find("StripData")
    strip = root.find("Strip/StripData") if strip is None else strip
    if strip is None:
        other = "a stress test" if root.find("FullDisclosure") is not None else "no rhythm"
        raise RecordingError(
            f"{path}: holds {other} and no StripData, the rhythm of a resting ECG; export the resting ECG"
        )
    start = _moment(root.find("ObservationDateTime"))
    return assemble(
        _leads(path, strip),
        _number(strip, "SampleRate") or 0.0,
        name=path.stem,
        start=start,
        patient=_patient(root, start),
        cart=_cart(root),
        source=str(path),
        allow_missing=allow_missing,
    )


def _leads(path: Path, strip: "Element") -> dict[str, np.ndarray]:
    step, resolution = _number(strip, "Resolution"), strip.find("Resolution")
    unit = resolution.get("units", "") if resolution is not None else ""
    factor = _MILLIVOLTS.get(unit.strip().lower())
    if not step or factor is None:
        stated = f"gives its samples in {printable(unit[:20])!r}" if unit else "does not say what one step is"
        raise RecordingError(
            f"{path}: {stated}, so its millivolts are unknown; export it with a Resolution in uVperLsb"
        )
    count = _number(strip, "ChannelSampleCountTotal")
    leads: dict[str, np.ndarray] = {}
    for element in strip.findall("WaveformData"):
        name = canonical_lead(element.get("lead", ""))
        if name is None:
            continue
        if name in leads:
            raise RecordingError(f"{path}: lead {name} occurs twice; keep one of them")
        fields = "".join(element.itertext()).strip().rstrip(",").split(",")
        if len(fields) > MAX_VALUES:
            raise RecordingError(f"{path}: too many samples for one ECG; cut the recording into shorter ones")
        try:
            steps = np.array(fields, dtype=np.float64)
        except ValueError:
            raise RecordingError(f"{path}: the samples of lead {name} are not numbers; export it again") from None
        if count is not None and count != len(steps):
            raise RecordingError(
                f"{path}: is truncated: lead {name} has {len(steps)} of {count:.0f} samples; export it again"
            )
        leads[name] = steps * step * factor
    return leads


def _patient(root: "Element", start: datetime | None) -> Patient:
    about = root.find("PatientInfo")
    if about is None:
        return Patient()
    born = _day(about.find("BirthDateTime"))
    age = about.find("Age")
    stated = f"{_text(about, 'Age')} {age.get('units', 'years')}" if age is not None else ""
    names = [_text(about, f"Name/{part}") for part in ("GivenName", "FamilyName")]
    return Patient(
        id=_text(about, "PID") or None,
        age=best_age(age_in_years(stated), age_between(born, start)),
        sex=sex_of(_text(about, "Gender")),
        name=" ".join(name for name in names if name) or None,
        birth_date=born,
    )


def _cart(root: "Element") -> Cart:
    lines = [*root.iterfind("Interpretation/Diagnosis/DiagnosisText")]
    lines += [*root.iterfind("Interpretation/Conclusion/ConclusionText")]
    words = [" ".join("".join(line.itertext()).split()) for line in lines]
    measured = root.find("RestingECGMeasurements")
    values = {ours: _number(measured, name) for name, ours in _MEASUREMENTS.items()} if measured is not None else {}
    return Cart(
        statements=tuple(line for line in words if line),
        measurements={
            name: value for name, value in values.items() if value is not None and (value > 0 or name.endswith("_deg"))
        },
        maker="GE",
        device=_text(root, "ClinicalInfo/DeviceInfo/Desc"),
    )


def _text(element: "Element", path: str) -> str:
    return " ".join((element.findtext(path) or "").split())


def _number(element: "Element", path: str) -> float | None:
    try:
        number = float(_text(element, path))
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _moment(element: "Element | None") -> datetime | None:
    day = _day(element)
    if element is None or day is None:
        return None
    try:
        hour, minute, second = (int(_text(element, part) or 0) for part in ("Hour", "Minute", "Second"))
        return datetime(day.year, day.month, day.day, hour, minute, second) if _text(element, "Hour") else None
    except ValueError:
        return None


def _day(element: "Element | None") -> date | None:
    if element is None:
        return None
    try:
        return date(*(int(_text(element, part)) for part in ("Year", "Month", "Day")))
    except ValueError:
        return None
