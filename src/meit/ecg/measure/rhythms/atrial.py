"""Atrial activity measured on its own: its rate, P waves per QRS complex, and whether both have a rate of their own.

A false dissociation is a false alarm of the gravest kind: it is said only of a regular ventricular rhythm without P
waves before the QRS complexes, beside P waves that are steady in time and shape and drift through the beats.
"""

import numpy as np

from meit.ecg.measure.boundaries import Waves
from meit.ecg.measure.measurements import Measure
from meit.ecg.measure.rhythms.atrial_rate import delays, find_train
from meit.ecg.measure.rhythms.atrial_waves import atrial_waves
from meit.ecg.measure.rhythms.rhythm import irregularity
from meit.ecg.signal.beats import Beats
from meit.ecg.signal.median_beat import MedianBeat
from meit.ecg.signal.usable_leads import RATE, Leads

_NAMES = ("atrial_rate_bpm", "p_per_qrs", "av_dissociation")
_STEADY = 0.05  # the ventricular rhythm's irregularity, at most
_FEWEST = 4  # beats
_DRIFTS, _HELD = 0.6, 0.9  # length of the mean of the delays as directions: at most, and at least
_OWN = 0.08  # by which the two intervals differ, of the RR interval
_SLOW_S = 1.05  # from beat to beat: slower, there is room for further P waves between T and the next one
_DROPPED = 0.12  # of the atria's interval is the mean RR interval longer
_WHOLE = 0.06  # by which the ratio of the two is off a whole number


def atrial(
    leads: Leads, beats: Beats, beat: MedianBeat, waves: Waves, p: Measure, sureness: float, early: bool
) -> tuple[dict[str, Measure], bool]:
    """The values of _NAMES, and whether the atria go on steadily while beats are dropped. p: p_present. early: whether
    beats like the others come early, which may be those between dropped ones."""
    steady = irregularity(beats) < _STEADY
    rr_s = float(np.nanmedian(beats.rr)) / RATE
    each_has_its_p = p.value == 1 and steady
    one_to_one = _values(60.0 / rr_s, 1, 0, sureness * p.reliability)
    if each_has_its_p and rr_s < _SLOW_S and not early:
        return one_to_one, False
    train = find_train(atrial_waves(leads, beats, beat, waves), len(leads.signal) / RATE)
    if train is None:
        if each_has_its_p:
            return one_to_one, False
        return _absent("no steady P waves are seen apart from the QRS complexes"), False
    onsets = (beats.at + waves.qrs_on - beat.middle) / RATE
    late = delays(train, onsets)
    late = late[np.isfinite(late)]
    held = float(np.abs(np.exp(2j * np.pi * late).mean())) if len(late) else 0.0
    ratio = rr_s / train.interval_s
    whole = round(ratio)
    sure = sureness * float(train.seen.mean())
    mean_s = float(np.nanmean(beats.rr)) / RATE
    dropped = mean_s > (1 + _DROPPED) * train.interval_s
    if held >= _HELD and steady and whole in (1, 2, 3) and abs(ratio - whole) < _WHOLE * whole:
        if whole == 1 and p.value != 1:  # the end of the T wave, or a retrograde P wave
            return _absent("what comes once with each QRS complex is no P wave before it"), dropped
        return _values(train.bpm, whole, 0, sure), dropped
    if each_has_its_p:
        return one_to_one, dropped
    own = max(ratio, 1 / ratio)  # a wave at every second or third beat goes with them, as in bigeminy
    own = abs(own - round(own)) if ratio < 1 else abs(own - 1)
    if steady and held <= _DRIFTS and len(late) >= _FEWEST and own > _OWN:
        return _values(train.bpm, None, 1, sure), dropped
    unrelated = _absent("P waves and QRS complexes have no relation that can be told")
    return unrelated | {"atrial_rate_bpm": Measure(train.bpm, sure)}, dropped


def of_flutter(rate: Measure) -> dict[str, Measure]:
    """The values of _NAMES where flutter waves are seen, which are no P waves."""
    return _absent("flutter waves are no P waves") | {"atrial_rate_bpm": rate}


def _values(rate: float, count: int | None, apart: int, sure: float) -> dict[str, Measure]:
    none = Measure(None, 0.0, "P waves and QRS complexes have no fixed relation")
    return {
        "atrial_rate_bpm": Measure(float(rate), sure),
        "p_per_qrs": none if count is None else Measure(float(count), sure),
        "av_dissociation": Measure(float(apart), sure),
    }


def _absent(why: str) -> dict[str, Measure]:
    return {name: Measure(None, 0.0, why) for name in _NAMES}
