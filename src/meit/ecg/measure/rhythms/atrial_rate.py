"""The rate of the atria, and how their waves and the QRS complexes hang together: 1:1, 2:1, 3:1, or not at all."""

from dataclasses import dataclass, field

import numpy as np

from meit.ecg.measure.rhythms.atrial_waves import AtrialWaves

_SLOWEST_S, _FASTEST_S = 1.7, 0.26  # from one P wave to the next
_STEP = 0.01  # by which intervals are tried
_OFF, _OFF_S = 0.08, 0.045  # by how much a wave may be off, of the interval; or seconds: the larger
_SEEN, _EXPLAINED = 0.85, 0.75  # of the expected waves; of the waves found
_FEWEST = 5  # expected where they could be seen
_SHARE = 0.9  # of the recording is covered


@dataclass(frozen=True, eq=False)
class Train:
    """Waves at a rate of their own. interval_s: from one to the next. at: (p,) seconds, those that are hidden by QRS
    complexes too."""

    interval_s: float
    at: np.ndarray = field(repr=False)
    seen: np.ndarray = field(repr=False)

    @property
    def bpm(self) -> float:
        return 60.0 / self.interval_s


def find_train(waves: AtrialWaves, seconds: float) -> Train | None:
    """The steady train that explains most waves; None where there is none."""
    best: tuple[float, Train] | None = None
    if len(waves.at) < _FEWEST - 1:
        return None
    intervals = np.exp(np.arange(np.log(_FASTEST_S), np.log(_SLOWEST_S), _STEP))
    steps = np.diff(waves.at)
    for interval in intervals:
        # from waves that another follows at about this interval
        for first in np.flatnonzero(np.abs(steps - interval) < 0.5 * _STEP * 3 * interval)[:4]:
            train, score = _followed(waves, float(waves.at[first]), float(interval), seconds)
            if train is not None and (best is None or score > best[0]):
                best = (score, train)
    return None if best is None else best[1]


def _followed(waves: AtrialWaves, first: float, interval: float, seconds: float) -> tuple[Train | None, float]:
    """From one wave on, forth and back: each expected where the last one seen and the interval say."""
    tolerance = max(_OFF * interval, _OFF_S)
    places, seen, expected = [first], [True], 1
    for direction in (1.0, -1.0):
        at, since = first, 0
        while True:
            since += 1
            due = at + direction * interval * since
            if not 0 <= due <= seconds:
                break
            near = waves.at[np.abs(waves.at - due) <= tolerance]
            if len(near):
                at, since = float(near[np.argmin(np.abs(near - due))]), 0
                places.append(at)
                seen.append(True)
                expected += 1
            else:
                places.append(due)
                seen.append(False)
                expected += not (waves.is_hidden(due) or waves.is_hidden(due - 0.03) or waves.is_hidden(due + 0.03))
    order = np.argsort(places)
    times, hit = np.array(places)[order], np.array(seen)[order]
    if expected < _FEWEST or hit.sum() < _FEWEST - 1:
        return None, 0.0
    share, explained = hit.sum() / expected, hit.sum() / len(waves.at)
    if share < _SEEN or explained < _EXPLAINED:
        return None, 0.0
    # a line through the waves seen gives the interval
    number = np.round((times - times[0]) / interval)
    slope, start = np.polyfit(number[hit], times[hit], 1)
    off = float(np.std(times[hit] - start - slope * number[hit]) / interval)
    return Train(float(slope), times, hit), float(share + explained - 2 * off)


def delays(train: Train, onsets_s: np.ndarray) -> np.ndarray:
    """(m,) seconds from the last wave of the train before each QRS onset to it, as a share of the interval; NaN where
    there is none."""
    places = np.searchsorted(train.at, onsets_s) - 1
    before = np.where(places >= 0, train.at[np.maximum(places, 0)], np.nan)
    return np.asarray((onsets_s - before) / train.interval_s)
