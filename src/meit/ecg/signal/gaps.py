"""What was not recorded: samples that are missing, and stretches in which the leads stand still. One rule for all.

Carts and files fill what they did not record with NaN, with zeros, with the last value, with a rail of the amplifier or
with values that go to and fro by one step of the converter. The noise of a living patient never stops like that, so a
stretch that takes one or two neighbouring values in all leads at once is no pause of the heart. Where the whole
recording is free of noise (a simulator's), pauses are still too; there it must also begin or end with a jump.
"""

from dataclasses import replace
from functools import reduce

import numpy as np

from meit.ecg.recording import Recording
from meit.ecg.signal.resampling import bridge

BRIDGED_S = 0.02  # what is missing for no longer is bridged, and weighs nothing
_TOGETHER_S = 0.2  # all leads stand still; on the shared real recordings for 0.14 s at most
_ALONE_S = 1.0  # one lead does, or all of a few; there for 0.55 s at most
_FEW = 3  # leads
_BLOCK_S = 0.05  # in which stillness is looked for
_STEP_MV = 0.02  # between two neighbouring values of the converter, at most
_USUALLY_STILL = 0.05  # of the rest of a recording that is free of noise
_OFTEN_S = 2.2  # between such stretches, at most: one after each beat
_JUMP_MV, _JUMP = 0.03, 1.5  # beyond so many times the largest usual step into or out of a still stretch


def as_recorded(recording: Recording) -> Recording:
    """The recording with NaN where leads were not recorded, and nowhere else: see `recorded_signal`."""
    signal = recorded_signal(recording.signal, recording.rate)
    return recording if signal is recording.signal else replace(recording, signal=signal)


def recorded_signal(signal: np.ndarray, rate: float) -> np.ndarray:
    """(n, k) mV -> the same, NaN too where leads stand still, and straight lines where samples are missing for
    BRIDGED_S at most; the array itself where there is nothing to mend."""
    recorded = np.isfinite(signal)
    away = not_recorded(signal, rate)
    short = np.zeros_like(away)
    longest = max(1, round(BRIDGED_S * rate))
    for lead in np.flatnonzero(~recorded.all(axis=0) & recorded.any(axis=0)):
        for start, stop in runs(~recorded[:, lead]):
            short[start:stop, lead] = stop - start <= longest
    if not away.any() and not short.any():
        return signal
    out = np.where(away, np.nan, signal)
    for lead in np.flatnonzero(short.any(axis=0)):
        whole = bridge(signal[:, lead], recorded[:, lead])
        out[short[:, lead], lead] = whole[short[:, lead]]
    return np.asarray(out, dtype=signal.dtype)


def not_recorded(signal: np.ndarray, rate: float) -> np.ndarray:
    """(n, k) mV -> (n, k) True in the stretches in which leads stand still. A lead that does so throughout is flat,
    which is something else; as is one that does so by itself for half of the time."""
    away = np.zeros(signal.shape, bool)
    length = _block(rate)
    count = len(signal) // length
    if count < 3:
        return away
    leads = signal.shape[1]
    blocks = np.ascontiguousarray(signal[: count * length].reshape(count, length, leads).transpose(1, 0, 2))
    low, high = blocks.min(axis=0), blocks.max(axis=0)  # (count, k), NaN in gaps
    with np.errstate(invalid="ignore", over="ignore"):
        held, near = high == low, high - low <= _STEP_MV
    living = np.flatnonzero((high > low).any(axis=0))
    if len(living) == 0:
        return away
    together = near[:, living].all(axis=1)
    if not np.isfinite(low).all():
        gap = np.isnan(blocks[:, :, living]).all(axis=0)
        together = (near[:, living] | gap).all(axis=1) & ~gap.all(axis=1)
    for block in np.flatnonzero(together & ~held[:, living].all(axis=1)):
        part = blocks[:, block, living]
        either = (part == low[block, living]) | (part == high[block, living]) | np.isnan(part)
        together[block] = either.all()
    least, alone = (round(seconds * rate) for seconds in (_TOGETHER_S, _ALONE_S))
    for start, stop in _stretches(signal[:, living], together, rate, alone if len(living) < _FEW else least):
        away[start:stop, living] = True
    some = max(alone // length - 1, 1)  # blocks that lie within any so long stretch
    for lead in living[_has_run(held.T, some)[living]]:
        parts = _stretches(signal[:, [lead]], held[:, lead], rate, alone)
        if sum(stop - start for start, stop in parts) < len(signal) / 2:
            for start, stop in parts:
                away[start:stop, lead] = True
    return away


def surely_recorded(signals: np.ndarray, rate: float) -> np.ndarray:
    """(B, n, k) mV, recordings of one length -> (B,) True where `recorded_signal` has nothing to mend in them.

    Told by necessary conditions, for all recordings together in a fraction of the time: everything is finite, no so many
    neighbouring blocks as make a stretch take two values in all leads that move at all, and no lead stands still in as
    many.
    """
    length = _block(rate)
    batch, n, leads = signals.shape
    whole = np.isfinite(signals.sum(axis=(1, 2)))
    count = n // length
    if count < 3:
        return whole
    cut = signals[:, : count * length].reshape(batch * count, length, leads)
    rows = [np.ascontiguousarray(cut[:, place]) for place in range(length)]
    low, high = reduce(np.minimum, rows), reduce(np.maximum, rows)
    with np.errstate(invalid="ignore", over="ignore"):
        spread = (high - low).reshape(batch, count, leads)
    held = spread == 0
    still = held.all(axis=1)  # leads that never move
    together = ((spread <= _STEP_MV) | still[:, None]).all(axis=2)
    near = np.flatnonzero(together)
    part = cut[near]
    either = ((part == low[near, None]) | (part == high[near, None])).all(axis=1) | still[near // count]
    together.flat[near] = either.all(axis=1)
    least, alone = (round(seconds * rate) for seconds in (_TOGETHER_S, _ALONE_S))
    neighbours = min(max(-(-least // length) - 2, 1), count)  # at either end a stretch may reach a block further
    whole &= ~_has_run(together, neighbours)
    some = max(alone // length - 1, 1)  # blocks that lie within any so long stretch
    places, lead = np.nonzero((held.sum(axis=1) >= some) & ~still)
    whole[places[_has_run(held[places, :, lead], some)]] = False
    return whole


def _has_run(flags: np.ndarray, least: int) -> np.ndarray:
    """(N, n) bool -> (N,) whether so many neighbours are True."""
    so_far = np.cumsum(np.pad(flags, ((0, 0), (1, 0))), axis=1, dtype=np.int32)
    return np.asarray((so_far[:, least:] - so_far[:, :-least] == least).any(axis=1))


def runs(flags: np.ndarray) -> list[tuple[int, int]]:
    """(n,) bool -> first and one past the last of each run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(np.int8), [0]])))
    return [(int(start), int(stop)) for start, stop in zip(edges[::2], edges[1::2], strict=True)]


def _block(rate: float) -> int:
    """Samples."""
    return max(4, round(_BLOCK_S * rate))


def _stretches(signal: np.ndarray, still: np.ndarray, rate: float, least: int) -> list[tuple[int, int]]:
    """Of (n, k) leads that stand still in the blocks for which (count,) is True: the stretches of at
    least so many samples that were not recorded."""
    length = _block(rate)
    found = [_widened(signal, start * length, stop * length, length) for start, stop in runs(still)]
    long = [part for part in found if part[1] - part[0] >= least]
    if not long:
        return []
    steps = np.array([[_step(signal, start), _step(signal, stop)] for start, stop in found])
    lasting = sum(stop - start for start, stop in long)
    beside = sum(stop - start for start, stop in found) - lasting
    noiseless = beside > _USUALLY_STILL * (len(signal) - lasting)
    often = len(long) > 2 and len(signal) < _OFTEN_S * rate * len(long)
    noiseless |= often and float(np.median(steps.max(axis=1))) < _JUMP_MV
    if not noiseless:
        return long
    most = _JUMP_MV + _JUMP * np.quantile(steps, 0.9, axis=0)
    return [part for part, step in zip(found, steps, strict=True) if part in long and (step > most).any()]


def _widened(signal: np.ndarray, start: int, stop: int, most: int) -> tuple[int, int]:
    """A still stretch with the samples on either side, so many at most, that hold no other values."""
    inside = signal[start:stop]
    with np.errstate(invalid="ignore"):
        low, high = np.fmin.reduce(inside, axis=0), np.fmax.reduce(inside, axis=0)
        alike = ((signal >= low) & (signal <= high)) | np.isnan(signal)
    alike = alike.all(axis=1)
    first, last = max(start - most, 0), min(stop + most, len(signal))
    before, after = alike[first:start][::-1], alike[stop:last]
    return (
        start - (int(np.argmin(before)) if not before.all() else len(before)),
        stop + (int(np.argmin(after)) if not after.all() else len(after)),
    )


def _step(signal: np.ndarray, place: int) -> float:
    """mV by which the leads change from the sample before to this one, the one that does most; 0 at the ends."""
    if not 0 < place < len(signal):
        return 0.0
    return float(np.nan_to_num(np.abs(signal[place] - signal[place - 1])).max())
