"""Whether the beats have a P wave: what precedes each QRS complex is compared with what precedes the others."""

import numpy as np

from meit.ecg.measure.axes import wave
from meit.ecg.measure.boundaries import FAST, Waves
from meit.ecg.measure.measurements import Measure
from meit.ecg.measure.rhythms.rhythm import IRREGULAR
from meit.ecg.signal.median_beat import MedianBeat
from meit.ecg.signal.usable_leads import MS, Leads, band_filtered, samples

_SMOOTH_HZ = 25.0  # P waves hold no more
_AROUND = samples(20)
_ALIKE, _UNLIKE = 0.6, 0.35  # likeness with and without P waves
_ALIKE_IRREGULAR = 0.7  # fibrillation and flutter can be alike by chance, with few beats
_BEFORE_QRS = samples(16)  # which the smoothing spreads
_LEAST_MV = 0.025
_FOOT, _FOOT_SLOW = 0.8, 2.5  # times its height do the levels before and after a P wave differ, at most
_NEVER_SO_LONG_MS = 60.0  # is the PR segment where P lies in the T wave of a fast rhythm, as it would be then
_ROOM, _ROOM_FAST = samples(200), samples(100)  # between T wave and QRS complex: a P wave of normal PR would be seen
_P_ON_T = samples(600)  # from beat to beat
_HIDES_MV = 0.03  # noise in the median beat that a P wave may lie in


def presence(leads: Leads, beat: MedianBeat, waves: Waves, irregularity: float) -> Measure:
    """p_present. Where beats are neither alike nor unlike it is 0 in an irregular rhythm, which is fibrillation then,
    and None in a regular one."""
    likeness = p_likeness(leads, beat, waves) if _height(beat, waves) >= _LEAST_MV else 0.0
    fast = samples(beat.rr_ms) < FAST
    if likeness >= _ALIKE and _foot(beat, waves) > (_FOOT if fast else _FOOT_SLOW):
        if fast and waves.p_off is not None and (waves.qrs_on - waves.p_off) * MS >= _NEVER_SO_LONG_MS:
            return Measure(0.0, 0.5)
        return Measure(None, 0.0, "what precedes the QRS complexes may be the end of the T waves")
    if likeness >= (_ALIKE if irregularity < IRREGULAR else _ALIKE_IRREGULAR):
        return Measure(1.0, likeness)
    if np.median(beat.noise) > _HIDES_MV:
        return Measure(None, 0.0, "noise that P waves may lie in")
    if irregularity >= IRREGULAR and likeness < _ALIKE:
        return Measure(0.0, 1.0 - max(likeness, 0.0))
    if fast and waves.p_on is None and _flat_before(beat, waves):
        return Measure(0.0, 0.5)
    room = _ROOM_FAST if fast else _ROOM
    hidden = waves.t_end is None or waves.qrs_on + samples(beat.rr_ms) - waves.t_end < room
    hidden |= waves.p_on is None and not fast and samples(beat.rr_ms) < _P_ON_T  # one wave then may be both
    if hidden or likeness >= _UNLIKE:
        return Measure(None, 0.0, "no P wave can be told from the T wave or from noise")
    return Measure(0.0, 0.5 * (1.0 - max(likeness, 0.0)))  # small P waves look like this too


def p_likeness(leads: Leads, beat: MedianBeat, waves: Waves) -> float:
    """How alike the beats are where the median beat has its P wave: the mean correlation of each beat with the mean of
    the others, over all leads, each stretch without its own slope. Fibrillatory waves come at any distance from the QRS
    complex, and give about 0; P waves in little noise about 1. 0 where the median beat has none."""
    if waves.p_on is None or waves.p_off is None:
        return 0.0
    start, stop = max(waves.p_on - _AROUND, 0), min(waves.p_off + _AROUND, waves.qrs_on - _BEFORE_QRS)
    smooth = band_filtered(leads.signal, "lowpass", _SMOOTH_HZ)
    where = beat.at[:, None] - beat.middle + np.arange(start, stop)
    parts = _without_slope((smooth * beat.weights)[where])
    total = parts.sum(axis=0)
    return float(np.mean([_correlation(part, total - part) for part in parts]))


def _height(beat: MedianBeat, waves: Waves) -> float:
    """mV, peak to peak, of the P wave in the lead that shows it second best, or in the only one."""
    part = wave(beat, waves, "p")
    return 0.0 if part is None else float(np.sort(np.ptp(part, axis=0))[-2:][0])


def _foot(beat: MedianBeat, waves: Waves) -> float:
    """By how much the levels before and after the P wave differ, of its height above the line between them: the end of
    a T wave, or one that goes on into the QRS complex, differs by more than its bend."""
    if waves.p_on is None or waves.p_off is None:
        return 0.0
    values = (beat.smooth * beat.weights)[waves.p_on : waves.p_off + 1]
    line = np.linspace(values[0], values[-1], len(values))
    height = np.abs(values - line).max(axis=0)
    return float(np.linalg.norm(values[-1] - values[0])) / max(float(np.linalg.norm(height)), 1e-300)


def _flat_before(beat: MedianBeat, waves: Waves) -> bool:
    """Whether no lead moves by a P wave's least height where a fast rhythm's P wave would end: between T and the QRS complex,
    for longer than its PR segment lasts."""
    stop = waves.qrs_on - _BEFORE_QRS
    part = beat.smooth[max(stop - samples(_NEVER_SO_LONG_MS), 0) : stop]
    return len(part) > 0 and float(np.ptp(part, axis=0).max()) < _LEAST_MV


def _without_slope(parts: np.ndarray) -> np.ndarray:
    """(beats, length, leads) without the straight line that fits each best."""
    length = parts.shape[1]
    line = np.linspace(-1.0, 1.0, length)
    parts = parts - parts.mean(axis=1, keepdims=True)
    slope = np.einsum("blk,l->bk", parts, line) / (line @ line)
    return np.asarray(parts - slope[:, None, :] * line[:, None])


def _correlation(one: np.ndarray, other: np.ndarray) -> float:
    size = np.linalg.norm(one) * np.linalg.norm(other)
    return float(np.vdot(one, other) / size) if size > 0 else 0.0
