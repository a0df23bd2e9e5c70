"""ecgdatakit's record of a file -> its patient and what the cart says, by our names and in our units."""

import re
from collections.abc import Callable, Iterator
from datetime import date, datetime
from typing import TYPE_CHECKING

from meit.ecg.files.ages import FRACTIONS_BELOW, age_between, age_in_years, best_age, plausible_age
from meit.ecg.files.limits import sex_of
from meit.ecg.files.vendor import dicom, mfer, scp
from meit.ecg.stated import Cart, Patient

if TYPE_CHECKING:
    from ecgdatakit.models import ECGRecord

_MEASUREMENTS = {  # ecgdatakit's name -> ours (meit.ecg.measure.measurements.GLOBAL), the least and the most it can be
    "heart_rate": ("heart_rate_bpm", 10, 400),
    "pr_interval": ("pr_ms", 1, 1000),
    "qrs_duration": ("qrs_ms", 1, 500),
    "qt_interval": ("qt_ms", 1, 1500),
    "qtc_bazett": ("qtc_bazett_ms", 1, 1500),
    "qtc_fridericia": ("qtc_ms", 1, 1500),
    "p_axis": ("p_axis_deg", -180, 270),
    "qrs_axis": ("axis_deg", -180, 270),
    "t_axis": ("t_axis_deg", -180, 270),
    "atrial_rate": ("atrial_rate_bpm", 10, 600),
    "p_duration": ("p_ms", 1, 400),
}
_ELSEWHERE = (  # beside the measurements, by the name that a format gives
    (r"Ventricular Heart Rate", "heart_rate"),
    (r"(?:Atrial Heart Rate|AtrialRate|atrialrate)", "atrial_rate"),
    (r"pr_interval_global\w*", "pr_interval"),
    (r"qrs_duration_global\w*", "qrs_duration"),
    (r"qt_interval_global\w*", "qt_interval"),
    (r"MDC_ECG_TIME_PD_P", "p_duration"),
    (r"P Axis", "p_axis"),
    (r"QRS Axis", "qrs_axis"),
    (r"T Axis", "t_axis"),
)
_NUMBER = re.compile(r"\s*(-?\d+(?:\.\d+)?)\s*(?:ms|deg|\S*/min|bpm)?\s*$")
_NO_NAME = re.compile(r"[\W_]*")  # "---"


def patient_of(record: "ECGRecord", raw: bytes, start: datetime | None) -> Patient:
    """raw: all bytes of the file, in which an age below 16 is looked up: ecgdatakit keeps whole years only."""
    given = record.patient
    born = given.birth_date.date() if given.birth_date is not None else None
    # a plain EDF has one free text for the patient, often with the name in it
    identifier = "" if "patient_id_note" in record.raw_metadata else given.patient_id
    age = plausible_age(float(given.age)) if given.age is not None else None
    if age is None or age < FRACTIONS_BELOW:
        stated = age_in_years(_STATED_AGE.get(record.source_format, lambda _: "")(raw))
        age = best_age(stated, age_between(born, start or _day(record)))
    names = [name.strip() for name in (given.first_name, given.last_name) if not _NO_NAME.fullmatch(name)]
    return Patient(
        id=identifier.strip() or None,
        age=age,
        sex=sex_of(given.sex or ""),
        name=" ".join(names) or None,
        birth_date=born,
    )


def cart_of(record: "ECGRecord") -> Cart:
    """The cart's own lines where the file keeps a reader's too."""
    machine = record.annotations.get("machine_interpretation", "")
    lines = machine.splitlines() or [
        ", ".join(part.strip(" ,") for part in statement if part.strip(" ,"))
        for statement in record.interpretation.statements
    ]
    if not lines and record.annotations.get("rhythm"):
        lines = [record.annotations["rhythm"]]
    device = record.recording.device
    return Cart(
        statements=tuple(line.replace(" | ", ", ").strip() for line in lines if line.strip()),
        measurements=dict(_measured(record)),
        maker=_known(device.manufacturer),
        device=_known(device.model),
    )


def _known(text: str) -> str:
    return "" if text.strip().lower() == "unknown" else text.strip()


def _measured(record: "ECGRecord") -> Iterator[tuple[str, float]]:
    found: dict[str, float] = dict(_beside(record))
    found |= {name: value for name, value in vars(record.measurements).items() if value is not None}
    rr = found.get("rr_interval")
    if rr and "heart_rate" not in found:
        found["heart_rate"] = round(60_000 / rr)
    for name, (ours, least, most) in _MEASUREMENTS.items():
        value = found.get(name)
        if value is not None and least <= value <= most:
            yield ours, float(value - 360 if name.endswith("axis") and value > 180 else value)


def _beside(record: "ECGRecord") -> Iterator[tuple[str, float]]:
    for key, text in record.annotations.items():
        number = _NUMBER.match(text)
        name = next((name for pattern, name in _ELSEWHERE if re.fullmatch(pattern, key)), None)
        if number and name:
            yield name, float(number[1])
    if "atrial_rate_bpm" in record.raw_metadata:  # SCP-ECG
        yield "atrial_rate", float(record.raw_metadata["atrial_rate_bpm"])
    blocks = record.raw_metadata.get("measurement_blocks")  # SCP-ECG: where the waves of the reference beat are
    if blocks:
        waves = blocks[0]
        for name, first, last in (
            ("p_duration", "p_onset", "p_offset"),
            ("pr_interval", "p_onset", "qrs_onset"),
            ("qrs_duration", "qrs_onset", "qrs_offset"),
            ("qt_interval", "qrs_onset", "t_offset"),
        ):
            if waves[first] < waves[last] < 29_999:  # not measured
                yield name, float(waves[last] - waves[first])


# -- the stated age, as the file writes it -----------------------------------------------------------------------


def _text(raw: bytes) -> str:
    return raw.decode("utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8", errors="replace")


def _element(text: str, name: str) -> str:
    found = re.search(rf"<(?:\w+:)?{name}\b[^>]*>\s*([^<]{{1,20}}?)\s*<", text, re.IGNORECASE)
    return found[1] if found else ""


def _attribute(text: str, name: str) -> str:
    found = re.search(rf"\b{name}\s*=\s*[\"']([^\"']{{0,20}})[\"']", text)
    return found[1] if found else ""


def _muse_age(raw: bytes) -> str:
    text = _text(raw)
    age, unit = _element(text, "PatientAge"), _element(text, "AgeUnits")
    return f"{age} {unit}" if unit else ""  # a number without its unit is nothing


def _aecg_age(raw: bytes) -> str:
    found = re.search(r"<code\b[^>]*[\"']21612-7[\"'][^>]*>(?:\s*</code>)?\s*<value\b([^>]*)>", _text(raw))  # LOINC
    return f"{_attribute(found[1], 'value')} {_attribute(found[1], 'unit') or 'a'}" if found else ""


def _philips_age(raw: bytes) -> str:
    found = re.search(r"<age\b[^>]*>(.{0,2000}?)</age>", _text(raw), re.DOTALL)
    parts = (
        ((_element(found[1], unit), unit) for unit in ("years", "months", "weeks", "days", "hours")) if found else ()
    )
    return " ".join(f"{number} {unit}" for number, unit in parts if number)


def _mortara_age(raw: bytes) -> str:
    text = _text(raw)
    return f"{_attribute(text, 'AGE')} {_attribute(text, 'AGE_UNITS') or 'years'}"


_STATED_AGE: dict[str, Callable[[bytes], str]] = {  # ecgdatakit's name of the format -> what the file says of the age
    "ge_muse_xml": _muse_age,
    "hl7_aecg": _aecg_age,
    "sierra_xml": _philips_age,
    "mortara_el250": _mortara_age,
    "dicom_waveform": dicom.dicom_age,
    "scp_ecg": scp.scp_age,
    "mfer": mfer.mfer_age,
}


def _day(record: "ECGRecord") -> date | None:
    """The day of a recording that states no time of day."""
    text = str(record.raw_metadata.get("acquisition_date", "")).split(" ")[0]
    for form in ("%Y-%m-%d", "%m-%d-%Y", "%Y%m%d"):
        try:
            return datetime.strptime(text, form).date()
        except ValueError:
            continue
    return None
