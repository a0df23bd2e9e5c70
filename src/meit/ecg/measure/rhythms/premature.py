"""Premature beats, by a reference that a pause, a block or a gliding rate does not move.

A beat is early against the RR intervals around it, its own and the one after it left out: a single pause is one of
several there, and a rate that glides is the same on both sides. A beat that comes when one was due is not early, so
that the one after an interpolated beat is none, nor the one that takes over after an escape beat.
"""

from dataclasses import dataclass, field

import numpy as np

from meit.ecg.measure.boundaries import Waves, qrs_ends
from meit.ecg.signal.beats import Beats
from meit.ecg.signal.usable_leads import MS, Leads, samples

_EARLY = 0.85  # of the RR intervals around it
_SUDDEN = 0.87  # of the RR interval before
_RETURN = 1.1  # times the early beat's RR interval has the next
_LONG = 1.5  # times the usual RR interval is no breathing
_PAUSE = 1.3  # times the RR intervals around is a pause
_NEIGHBOURS = 4  # RR intervals on each side
_ON_TIME = 0.08  # of the RR interval, by which a beat may be off
_GLIDES = 1.4  # times the spread of the other RR intervals must a beat like the others be early
_WIDER_MS = 20.0  # than the QRS complexes of the commonest shape
_WIDE_MS = 120.0  # is wide by itself, beside a bundle branch block
_UNLIKE = 0.8  # correlation with them, at most


@dataclass(frozen=True, eq=False)
class Premature:
    """(m,) each, True for beats that come early. ventricular is None where the usual QRS duration is not known."""

    supraventricular: np.ndarray = field(repr=False)
    ventricular: np.ndarray | None = field(repr=False)

    def unless_dropped(self) -> "Premature":
        """Where the atria go on steadily and beats between theirs are dropped, those in time are not early."""
        return Premature(np.zeros_like(self.supraventricular), self.ventricular)


def premature(leads: Leads, beats: Beats, waves: Waves | None) -> Premature:
    """Two beats at least; waves of the median beat."""
    other = beats.likeness < _UNLIKE
    early = early_beats(beats.rr, other)
    narrow = early & beats.dominant
    if waves is None:
        return Premature(narrow, None)
    usual_ms = waves.qrs_ms
    wide = np.zeros(len(early), bool)
    for beat in np.flatnonzero(early & other):
        width = _width_ms(leads, beats.at[beat])
        wide[beat] = width is not None and width >= min(usual_ms + _WIDER_MS, max(_WIDE_MS, usual_ms - _WIDER_MS))
    return Premature(narrow, wide)


def early_beats(rr: np.ndarray, other: np.ndarray) -> np.ndarray:
    """rr: (m - 1,) RR intervals, NaN across gaps; other: (m,) beats of another shape -> (m,) True for early ones."""
    early, interpolated = np.zeros(len(rr) + 1, bool), np.zeros(len(rr) + 1, bool)
    usual = _around(rr)
    for beat in range(len(early)):
        after = rr[beat] if beat < len(rr) else np.nan
        if beat == 0:  # its pause tells
            early[0] = other[0] and after > _PAUSE * usual[0]
            continue
        own, before = rr[beat - 1], rr[beat - 2] if beat > 1 else np.nan
        reference = usual[beat - 1]
        if not own < _EARLY * reference:
            continue
        due = early[beat - 1] and abs(before + own - reference) <= _ON_TIME * reference
        if due and not other[beat]:
            interpolated[beat - 1] = not after < _PAUSE * own
            continue
        follows_early = early[beat - 1]
        paused = before > _PAUSE * reference and not (beat > 1 and early[beat - 2])
        if paused and not other[beat]:
            continue  # an escape beat ended the pause, and this one is the usual rhythm again
        sudden = np.isnan(before) or own < _SUDDEN * before or follows_early
        returns = np.isnan(after) or after > _RETURN * own or (beat < len(rr) and rr[beat] < _EARLY * usual[beat])
        early[beat] = sudden and returns
    for beat in range(len(rr) - 1, 0, -1):  # several in a row return too
        early[beat] &= other[beat] or interpolated[beat] or early[beat + 1] or not rr[beat] <= _RETURN * rr[beat - 1]
    return early & (other | ~_gliding(rr, early))


def _around(rr: np.ndarray) -> np.ndarray:
    """(m - 1,) for each RR interval what is usual around it: the median of the steady ones beside it, without itself
    and the one that follows; where long and short ones alternate, their mean."""
    usual, steady = np.full(len(rr), np.nan), _steady(rr)
    least = np.nanmin(rr)
    for place in range(len(rr)):
        beside = np.r_[max(place - _NEIGHBOURS, 0) : place, place + 2 : min(place + 2 + _NEIGHBOURS, len(rr))]
        beside = beside[steady[beside]]
        usual[place] = np.median(rr[beside]) if len(beside) else least
        if _alternates(rr[max(place - 3, 0) : place + 4]):
            usual[place] = max(usual[place], np.nanmean(rr[min(place, len(rr) - 2) :][:2]))
    return usual


def _steady(rr: np.ndarray) -> np.ndarray:
    """(m - 1,) True for RR intervals that are neither before nor after a leap to a longer one, nor the two halves of
    one that an interpolated beat divides."""
    steady = np.isfinite(rr)
    leaps = np.flatnonzero(rr[1:] > _PAUSE * rr[:-1])
    steady[leaps] = steady[leaps + 1] = False
    halves = np.flatnonzero(np.abs(rr[1:-1] + rr[2:] - rr[:-2]) <= _ON_TIME * rr[:-2])
    steady[halves + 1] = steady[halves + 2] = False
    return steady


def _alternates(rr: np.ndarray) -> bool:
    """Long and short by turns, four at least."""
    steps = np.diff(rr)
    small, large = np.minimum(rr[1:], rr[:-1]), np.maximum(rr[1:], rr[:-1])
    return bool(len(rr) >= 4 and (small < _EARLY * large).all() and (steps[1:] * steps[:-1] < 0).all())


def _gliding(rr: np.ndarray, early: np.ndarray) -> np.ndarray:
    """(m,) True for beats that are hardly earlier than others are late, or than the others differ, as with breathing."""
    usual = np.nanmedian(rr)
    rest = (rr < _LONG * usual) & ~early[1:] & ~early[:-1]
    if rest.sum() < 3:
        return np.zeros(len(early), bool)
    least, most = np.percentile(rr[rest], (10, 90))
    return np.concatenate([[False], usual - rr < _GLIDES * max(most - least, most - usual)])


def _width_ms(leads: Leads, place: int) -> float | None:
    """QRS duration of one beat."""
    before, after = min(samples(300), place), samples(400)
    if before < samples(120) or place + after > len(leads.smooth):
        return None
    ends = qrs_ends(leads.smooth[place - before : place + after], before)
    return None if ends is None else (ends[1] - ends[0]) * MS
