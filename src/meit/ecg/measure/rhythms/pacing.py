"""What the spikes of a pacemaker do: which beats they precede, and which of them no QRS complex follows."""

import numpy as np

from meit.ecg.signal.usable_leads import samples

_BEFORE, _AFTER = samples(300), samples(30)  # the QRS onset: atrial and ventricular pacing
_STEADY = samples(6)  # by how much the distance from spike to QRS complex varies
_FEWEST, _LEAST_SHARE = 3, 0.4  # of the spikes of a kind at that distance: short noise comes at any
_VENTRICULAR = samples(90)  # before the QRS onset, at most
_LATE, _WITHIN = (
    samples(140),
    samples(140),
)  # after a spike comes the QRS complex that it sets off; before: one it fell in
_REGULAR, _RATES = 0.75, (samples(350), samples(2200))  # of the spikes have a neighbour at the pacing interval


def paced_beats(spikes: np.ndarray, kind: np.ndarray, onsets: np.ndarray) -> np.ndarray:
    """(m,) True for beats, given by the samples of their QRS onsets, that a spike precedes at the distance that is the
    commonest of its kind; none where few have it. spikes: (s,) samples; kind: (s,) which of them are alike."""
    paced = np.zeros(len(onsets), bool)
    for one in np.unique(kind):
        paced |= _steady(spikes[kind == one], onsets)[0]
    return paced


def without_capture(spikes: np.ndarray, kind: np.ndarray, onsets: np.ndarray, length: int) -> int:
    """How many ventricular spikes no QRS complex follows, of kinds that set off others or come at one interval.
    length: samples of the recording."""
    count = 0
    for one in np.unique(kind):
        own = spikes[kind == one]
        steady, distance = _steady(own, onsets)
        if not steady.any() and not _regular(own):
            continue
        # a spike that precedes others at the distance of the atria's is one of the atria too
        late = _LATE if distance is None or distance >= -_VENTRICULAR else _BEFORE + _LATE
        own = own[own + late < length]
        followed = ((onsets >= own[:, None] - _WITHIN) & (onsets <= own[:, None] + late)).any(axis=1)
        another = ((spikes > own[:, None]) & (spikes <= own[:, None] + _BEFORE)).any(axis=1)
        count += int((~followed & ~another).sum())
    return count


def _steady(spikes: np.ndarray, onsets: np.ndarray) -> tuple[np.ndarray, int | None]:
    """(m,) the beats at the commonest distance from these spikes, and the distance; none and None where few are."""
    none = np.zeros(len(onsets), bool)
    after = spikes[None, :] - onsets[:, None]
    close = (after >= -_BEFORE) & (after <= _AFTER)
    if not close.any():
        return none, None
    distances = np.unique(after[close])
    near = np.abs(after[:, :, None] - distances) <= _STEADY  # (m, s, distances)
    best = int(np.argmax(near.any(axis=1).sum(axis=0)))
    steady = near[:, :, best].any(axis=1)
    explained = near[:, :, best].any(axis=0).mean()
    if steady.sum() < _FEWEST or explained < _LEAST_SHARE:
        return none, None
    return steady, int(distances[best])


def _regular(spikes: np.ndarray) -> bool:
    """Whether most of them have another one at one and the same interval, as those of a pacemaker left to itself."""
    apart = np.abs(spikes[:, None] - spikes)
    apart = np.where((apart >= _RATES[0]) & (apart <= _RATES[1]), apart, -1)
    intervals = np.unique(apart[apart > 0])
    if len(spikes) <= _FEWEST or len(intervals) == 0:
        return False
    shares = [(np.abs(apart - interval) <= _STEADY).any(axis=1).mean() for interval in intervals]
    return max(shares) >= _REGULAR
