"""What FHIR observations of an ECG hold: a finding, a measurement, the waveform as SampledData, one component a lead."""

from typing import Any

import numpy as np

from meit.drafting.checks.grounding import Grounded
from meit.ecg.measure import GLOBAL, Measurements
from meit.ecg.paper import SHEET_SECONDS
from meit.ecg.recording import LEADS, Recording
from meit.exports import fhir_codes as to
from meit.exports.page import clean

WAVEFORM = (to.MDC, "131328", "MDC_ECG_ELEC_POTL")
# lead identifiers of ISO/IEEE 11073-10101, in the order of LEADS; added to WAVEFORM's code they are the leads' potentials
IDENTIFIERS = (1, 2, 61, 62, 63, 64, 3, 4, 5, 6, 7, 8)
MICROVOLT = 0.001  # mV, the step of the values
_ABSENT = ("http://terminology.hl7.org/CodeSystem/data-absent-reason", "not-performed", "Not Performed")


def finding_observation(grounded: Grounded) -> dict[str, Any]:
    """A statement: its finding is the code, and whether it is stated or excluded the value."""
    statement = grounded.statement
    said = {"certainty": statement.certainty, "territory": statement.territory, "support": grounded.support}
    said |= {"validation": grounded.worth}
    said |= {"written by": "measurements"} if grounded.from_measurements else {}
    parts = [{"code": {"text": name}, "valueCodeableConcept": {"text": value}} for name, value in said.items() if value]
    if grounded.confidence is not None:
        words = {"text": "confidence of the draft: probability that a reference report states this"}
        parts.append({"code": words, "valueQuantity": to.quantity(grounded.confidence, "1")})
    evidence = {"note": [{"text": clean(grounded.evidence)}]} if grounded.evidence else {}
    return {
        "code": to.finding_concept(statement.code) | {"text": clean(statement.text)},
        "valueBoolean": not statement.negated,
        **evidence,
        "component": parts,
    }


def measurement_observations(measurements: Measurements | None) -> list[dict[str, Any]]:
    """An observation of each value, with its reliability, 0 to 1."""
    known = {} if measurements is None else {name: measurements[name] for name in GLOBAL}
    return [
        {
            "code": to.measurement_concept(name),
            "valueQuantity": to.quantity(round(measure.value, 3), to.unit_of(name)),
            "component": [{"code": {"text": "reliability"}, "valueQuantity": to.quantity(measure.reliability, "1")}],
        }
        for name, measure in known.items()
        if measure.value is not None
    ]


def waveform_observation(recording: Recording) -> dict[str, Any]:
    """The code, notes and components of an Observation: the ten seconds that are drawn, in whole microvolts; "E" where
    nothing was recorded."""
    part = recording.signal[: round(SHEET_SECONDS * recording.rate)]
    notes = [f"computed from other leads: {', '.join(recording.derived)}"] if recording.derived else []
    if len(part) < len(recording.signal):
        notes.append(f"the first {SHEET_SECONDS:g} s of {recording.seconds:g} s")
    return {
        "code": to.concept("12-lead ECG", WAVEFORM),
        **({"note": [{"text": note} for note in notes]} if notes else {}),
        "component": [_lead(lead, values, recording.rate) for lead, values in zip(LEADS, part.T, strict=True)],
    }


def _lead(lead: str, values: np.ndarray, rate: float) -> dict[str, Any]:
    number = int(WAVEFORM[1]) + IDENTIFIERS[LEADS.index(lead)]
    code = to.concept(lead, (to.MDC, str(number), f"{WAVEFORM[2]}_{lead.upper()}"))
    recorded = np.isfinite(values)
    if not recorded.any():
        return {"code": code, "dataAbsentReason": to.concept("not recorded", _ABSENT)}
    steps = np.rint(np.where(recorded, values, 0).astype(np.float64) / MICROVOLT).astype(int)
    data = " ".join(np.where(recorded, steps.astype(str), "E").tolist())
    origin = to.quantity(0, "mV")
    period = round(1000 / rate, 9)  # ms
    return {
        "code": code,
        "valueSampledData": {"origin": origin, "period": period, "factor": MICROVOLT, "dimensions": 1, "data": data},
    }
