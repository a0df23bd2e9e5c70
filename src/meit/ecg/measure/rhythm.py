"""Heart rate, its regularity, premature beats and pauses, from where the beats are."""

from dataclasses import dataclass, field

import numpy as np

from meit.ecg.measure.boundaries import Waves, qrs_ends
from meit.ecg.measure.measurements import Measure
from meit.ecg.signal.beats import Beats
from meit.ecg.signal.usable_leads import MS, Leads, samples

IRREGULAR = 0.08  # of the RR interval differ successive ones, in the middle; in sinus rhythm mostly less
_EARLY = 0.85  # of the usual RR interval
_RETURN, _PAUSE = 1.1, 1.3  # times the premature beat's RR interval has the next
_WIDER_MS = 20.0  # than the QRS complexes of the commonest shape
_WIDE_MS = 120.0  # is wide by itself, beside a bundle branch block
_UNLIKE = 0.8  # correlation with them, at most
_NEAR = samples(50)  # two detections of one beat


@dataclass(frozen=True, eq=False)
class Premature:
    """(m,) each, True for beats that come early. ventricular is None where the usual QRS duration is not known."""

    supraventricular: np.ndarray = field(repr=False)
    ventricular: np.ndarray | None = field(repr=False)


def premature(leads: Leads, beats: Beats, waves: Waves | None) -> Premature:
    """Two beats at least; waves of the median beat."""
    rr = beats.rr
    usual = max(np.nanmedian(rr), np.nanmean(rr))  # the median alone is, in bigeminy, the premature beats' own interval
    early = np.concatenate([[False], rr < _EARLY * usual])
    # in sinus arrhythmia the rate changes over several beats; an early beat comes at once, or a pause follows it, and
    # the rate is as before after it, or after several
    sudden = rr[1:] < _EARLY * rr[:-1]
    sudden[:-1] |= rr[2:] > _PAUSE * rr[1:-1]
    early[2:] &= early[1:-1] | sudden
    early[1:-1] &= (rr[1:] > _RETURN * rr[:-1]) | early[2:]
    if waves is None:
        return Premature(early & beats.dominant, None)
    usual_ms = waves.qrs_ms
    other = beats.likeness < _UNLIKE
    of_first = other & (np.arange(len(other)) == 0) & (rr[0] > _RETURN * usual)  # its pause tells
    wide = np.zeros(len(early), bool)
    for beat in np.flatnonzero((early & other) | of_first):
        width = _width_ms(leads, beats.at[beat])
        wide[beat] = width is not None and width >= min(usual_ms + _WIDER_MS, max(_WIDE_MS, usual_ms - _WIDER_MS))
    return Premature(early & beats.dominant, wide)


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


def _width_ms(leads: Leads, place: int) -> float | None:
    """QRS duration of one beat."""
    before, after = min(samples(300), place), samples(400)
    if before < samples(120) or place + after > len(leads.smooth):
        return None
    ends = qrs_ends(leads.smooth[place - before : place + after], before)
    return None if ends is None else (ends[1] - ends[0]) * MS
