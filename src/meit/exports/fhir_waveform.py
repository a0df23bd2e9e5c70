"""The waveform as FHIR's SampledData, one component a lead."""

import numpy as np

from meit.ecg.paper import SHEET_SECONDS
from meit.ecg.recording import LEADS, Recording
from meit.exports import fhir_codes as to

WAVEFORM = (to.MDC, "131328", "MDC_ECG_ELEC_POTL")
# lead identifiers of ISO/IEEE 11073-10101, in the order of LEADS; added to WAVEFORM's code they are the leads' potentials
IDENTIFIERS = (1, 2, 61, 62, 63, 64, 3, 4, 5, 6, 7, 8)
MICROVOLT = 0.001  # mV, the step of the values
_ABSENT = ("http://terminology.hl7.org/CodeSystem/data-absent-reason", "not-performed", "Not Performed")


def sampled(recording: Recording) -> dict:
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


def _lead(lead: str, values: np.ndarray, rate: float) -> dict:
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
