"""The calibration pulse that some carts (Philips) write behind, or before, the ECG of all leads at once.

It comes through every export of such a recording, rounded and with noise of a few steps, and is no ECG: in an ECG
I + III = II, and the leads I, II and V1-V6 never stand together at one level that is not zero. It is 1 mV, which is not
relied upon: a wrong scale shall not hide it.
"""

from dataclasses import replace

import numpy as np

from meit.ecg.recording import LEADS, Recording

_RECORDED = [LEADS.index(lead) for lead in ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")]  # the others may be derived
ALIKE_MV = 0.05  # leads that differ less are at one level
LEVEL_MV = (0.3, 3.0)
TOP_MV = 0.1  # of its top
PLATEAU_S = (0.05, 0.5)
SEARCHED_S = 1.5  # at either end
_FEWEST = 3  # leads


def without_pulse(recording: Recording) -> Recording:
    """The recording without such a pulse at its end or its beginning; itself where there is none."""
    signal = recording.signal
    end = _end_of_ecg(signal, recording.rate)
    start = len(signal) - _end_of_ecg(signal[::-1], recording.rate)
    if (start == 0 and end == len(signal)) or start >= end:
        return recording
    return replace(recording, signal=signal[start:end])


def _end_of_ecg(signal: np.ndarray, rate: float) -> int:
    """(n_samples, 12) mV -> where a pulse at the end begins, with the level before it; n_samples without a pulse."""
    n_samples = len(signal)
    tail = signal[max(0, n_samples - round(SEARCHED_S * rate)) :, _RECORDED].astype(np.float64)
    tail = tail[:, np.isfinite(tail).all(axis=0)]
    if tail.shape[1] < _FEWEST or not len(tail):
        return n_samples
    low, high = tail.min(axis=1), tail.max(axis=1)
    plateau = (low > LEVEL_MV[0]) & (high < LEVEL_MV[1]) & (high - low < ALIKE_MV * np.maximum(1, high))
    level = (high < ALIKE_MV) & (low > -ALIKE_MV) & (high - low < ALIKE_MV)
    if not plateau.any():
        return n_samples
    last = int(np.flatnonzero(plateau)[-1])
    first = last - int(np.argmin(plateau[last::-1])) + 1 if not plateau[: last + 1].all() else 0
    length = (last - first + 1) / rate
    slope = max(1, round(0.01 * rate))  # samples from one level to the other, at most
    before = first - 1
    while before > first - 1 - slope and before >= 0 and not level[before]:
        before -= 1
    after = len(tail) - last - 1
    flat = high[first : last + 1].max() - low[first : last + 1].min() < TOP_MV
    flat_after = level[last + 1 :].sum() >= after - slope
    if not (PLATEAU_S[0] <= length <= PLATEAU_S[1] and before >= 0 and level[before] and flat and flat_after):
        return n_samples
    begin = max(0, first - max(after, 1))  # the level stands as long before the pulse as after it
    while begin < before and not level[begin : before + 1].all():
        begin += 1
    exact = high == low
    while begin > 0 and exact[begin - 1] and level[begin - 1]:
        begin -= 1
    return n_samples - len(tail) + begin
