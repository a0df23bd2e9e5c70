"""Is everything there and whole: gaps, flat and saturated leads, leads that do not add up, units, length.

Nothing is repaired here. The thresholds were set on the PTB-XL, MIMIC-IV-ECG and Challenge records that the tests
read, so that they speak up on few good records.
"""

from dataclasses import dataclass

import numpy as np

from meit.ecg.lead_order import likely_causes
from meit.ecg.quality.verdicts import Reason, because
from meit.ecg.recording import LEADS, LIMB_LEADS, MIN_SECONDS, Recording
from meit.ecg.signal.limb_laws import limb_laws
from meit.ecg.signal.plateaus import is_cut_off, is_flat, swings

# peak to peak in two seconds, of the lead in the middle; on the records named above it has 0.13 to 12.05 mV, in 98 of
# 100 of them 0.5 to 3 mV
LOW_MV, HIGH_MV = 0.05, 20.0
SHORT_S = 8.0
LONG_GAP_SHARE = 0.1  # of the recording
MOST_EMPTY = 6  # leads that are missing or flat
UNIT_ERRORS = (  # the factor that an amplitude is wrong by, and how it comes about
    (1e3, "microvolts or converter steps look read as millivolts, or millivolts as volts"),
    (1e6, "microvolts look read as volts"),
    (1e-3, "millivolts look read as microvolts, or volts as millivolts"),
    (1e-6, "volts look read as microvolts"),
)


@dataclass(frozen=True)
class Integrity:
    """Fields as in Quality. seconds: recorded in the lead that has most."""

    gaps: dict[str, float]
    flat: tuple[str, ...]
    saturated: tuple[str, ...]
    limb_errors_mv: dict[str, float]
    broken_laws: tuple[str, ...]
    lead_causes: tuple[str, ...]
    amplitude_mv: float
    seconds: float


def integrity(recording: Recording, given: Recording) -> Integrity:
    """Looks at every lead of a recording; never raises for one that passed Recording's own checks.

    recording: as meit.ecg.signal.gaps.as_recorded makes it of the given one, by which short gaps are counted too.
    """
    lost = np.isnan(recording.signal) | np.isnan(given.signal)
    present = [lead for lead in LEADS if lead not in recording.missing]
    gaps, flat, saturated, sizes = {}, [], [], {}
    for lead in present:
        values = recording.lead(lead).astype(np.float64)  # differences of damaged values can be beyond float32
        absent = int(lost[:, LEADS.index(lead)].sum())
        if absent:
            gaps[lead] = absent / recording.rate
        lead_swings = swings(values, recording.rate)
        if len(lead_swings) == 0:
            continue
        sizes[lead] = float(np.median(lead_swings))
        if is_flat(lead_swings):
            flat.append(lead)
        elif is_cut_off(values, recording.rate):
            saturated.append(lead)
    alive = [size for lead, size in sizes.items() if lead not in flat] or list(sizes.values())
    laws = limb_laws(
        {lead: recording.lead(lead) for lead in LIMB_LEADS if lead not in (*recording.missing, *recording.derived)}
    )
    told = laws.broken and not set(flat) & set(LIMB_LEADS)  # a flat lead breaks laws by itself
    return Integrity(
        gaps=gaps,
        flat=tuple(flat),
        saturated=tuple(saturated),
        limb_errors_mv=laws.errors_mv,
        broken_laws=laws.broken,
        lead_causes=tuple(likely_causes(recording, laws.allowed_mv)) if told else (),
        amplitude_mv=float(np.median(alive)) if alive else 0.0,
        seconds=float((~lost).sum(axis=0).max(initial=0) / recording.rate),
    )


def integrity_reasons(checks: Integrity, recording: Recording) -> list[Reason]:
    """What these faults mean for the reader."""
    reasons = []
    if checks.broken_laws:
        laws = ", ".join(f"{law} is off by {checks.limb_errors_mv[law]:.2f} mV" for law in checks.broken_laws)
        causes = ", or ".join(checks.lead_causes) or "wrong lead names or order?"
        reasons.append(because("lead_order" if checks.lead_causes else "limb_laws", why=f"{laws}): {causes}"))
    if not LOW_MV <= checks.amplitude_mv <= HIGH_MV:
        reasons.append(because("unit", value=checks.amplitude_mv, why=_unit_error(checks.amplitude_mv)))
    empty = set(recording.missing + checks.flat)
    if len(empty) > MOST_EMPTY:
        reasons.append(because("too_few_leads", value=len(empty)))
    elif len(empty & {"I", "II", "III"}) > 1:
        reasons.append(because("no_second_limb_lead"))
    if checks.seconds < SHORT_S:
        reasons.append(because("too_short" if checks.seconds < MIN_SECONDS else "short", value=checks.seconds))
    of_leads = {"missing": recording.missing, "flat": checks.flat, "saturated": checks.saturated}
    reasons += [because(name, leads) for name, leads in of_leads.items() if leads]
    for seconds, leads in _grouped(checks.gaps):
        long = seconds >= LONG_GAP_SHARE * recording.seconds
        reasons.append(because("long_gap" if long else "gap", leads, seconds))
    if recording.derived:
        reasons.append(because("derived", recording.derived))
    return reasons


def _unit_error(amplitude_mv: float) -> str:
    for factor, cause in UNIT_ERRORS:
        if LOW_MV <= amplitude_mv / factor <= HIGH_MV:
            return cause
    return "unit or gain looks wrong"


def _grouped(gaps: dict[str, float]) -> list[tuple[float, tuple[str, ...]]]:
    """Leads that share the length of their gaps, longest first."""
    return [
        (seconds, tuple(lead for lead in gaps if gaps[lead] == seconds))
        for seconds in sorted(set(gaps.values()), reverse=True)
    ]
