"""Heart rate, its regularity and pauses, from where the beats are, and how many of them are premature."""

import numpy as np

from meit.ecg.measure.measurements import Measure
from meit.ecg.measure.rhythms.premature import Premature
from meit.ecg.signal.beats import Beats
from meit.ecg.signal.usable_leads import MS, samples

IRREGULAR = 0.08  # of the RR interval differ successive ones, in the middle; in sinus rhythm mostly less
_NEAR = samples(50)  # two detections of one beat


def irregularity(beats: Beats) -> float:
    """As in measurements.GLOBAL; 0 for two beats."""
    steps = np.abs(np.diff(beats.rr))
    return float(np.nanmedian(steps) / np.nanmedian(beats.rr)) if np.isfinite(steps).any() else 0.0


def measured_rhythm(beats: Beats, early: Premature, has_p: bool, sureness: float, missing: str) -> dict[str, Measure]:
    """has_p: P waves precede the beats. sureness: of the beats, 0 to 1. missing: why there is no median
    beat."""
    rr = beats.rr[np.isfinite(beats.rr)] * MS
    values = {
        "heart_rate_bpm": Measure(float(60_000 / rr.mean()), sureness),
        "longest_rr_ms": Measure(float(rr.max()), sureness),
    }
    if len(rr) < 2:
        return values
    values["rr_irregularity"] = Measure(irregularity(beats), sureness)
    values["rr_sd_ms"] = Measure(float(rr.std()), sureness)
    if early.ventricular is None:
        values["premature_ventricular"] = Measure(None, 0.0, missing)
    else:
        values["premature_ventricular"] = Measure(float(early.ventricular.sum()), sureness)
    if irregularity(beats) < IRREGULAR or has_p:
        values["premature_supraventricular"] = Measure(float(early.supraventricular.sum()), sureness)
    else:
        why = "irregular, without P waves that could be early"
        values["premature_supraventricular"] = Measure(None, 0.0, why)
    return values


def shared_beats(beats: Beats, others: Beats) -> float:
    """Of the beats found in all leads and in some: those found in both, 0 to 1 (F1)."""
    if len(beats.at) == 0 or len(others.at) == 0:
        return 0.0
    nearest = np.abs(beats.at[:, None] - others.at).min(axis=1)
    return float(2 * np.sum(nearest <= _NEAR) / (len(beats.at) + len(others.at)))
