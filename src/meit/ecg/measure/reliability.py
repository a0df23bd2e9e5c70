"""How far a duration can be relied on: how little it changes with what should not matter.

Its spread has two parts. One is what the beats differ by: the median beat is formed again without each third of its
beats (the jackknife by groups; Quenouille, Biometrika 43:353-360, 1956; Tukey, Ann Math Stat 29:614, 1958). The other
is how blurred the boundaries are: they are looked for with two thirds and one and a half of the shares of the
steepness that define them. The spread beside the error that is tolerated gives a number from 0 to 1.
"""

import numpy as np
from numpy.typing import ArrayLike

from meit.ecg.measure.boundaries import find_waves
from meit.ecg.signal.median_beat import FEWEST, MedianBeat, median_beat
from meit.ecg.signal.usable_leads import Leads

_THIRDS = 3
_BLUR = (2 / 3, 3 / 2)
LEAST = 0.15  # below, a duration is not given: its spread is 2.4 times the error that is tolerated


def reliability(spread: float, tolerated: float) -> float:
    """1 for no spread, 0.5 for one that is as large as the error that is tolerated, 0 for one that is not known."""
    return float(1 / (1 + (spread / tolerated) ** 2)) if np.isfinite(spread) else 0.0


class Doubts:
    """The waves of a median beat, looked for in other ways than the usual one."""

    def __init__(self, leads: Leads, beat: MedianBeat):
        third = np.arange(len(beat.at)) % _THIRDS
        parts = [beat.at[third != left_out] for left_out in range(_THIRDS)] if len(beat.at) >= FEWEST else []
        self.beats = [median_beat(leads, part, beat.rr_ms) for part in parts]  # without each third
        self.fewer = [find_waves(part) for part in self.beats]
        self.blurred = [find_waves(beat, factor) for factor in _BLUR]

    def spread(self, value: float, first: str, last: str) -> float:
        """Of a duration between two of the places of Waves, in ms; infinite where it is not found in all ways."""
        fewer = [None if waves is None else waves.ms(first, last) for waves in self.fewer]
        blurred = [None if waves is None else waves.ms(first, last) for waves in self.blurred]
        known, apart = [ms for ms in fewer if ms is not None], [ms for ms in blurred if ms is not None]
        if not fewer or len(known) < len(fewer) or len(apart) < len(blurred):
            return float("inf")
        return float(np.hypot(jackknife(known), np.mean(np.abs(np.array(apart) - value))))


def jackknife(values: ArrayLike) -> np.ndarray:
    """Standard error from the values without each group, (groups,) or (groups, n) -> a number, or (n,)."""
    without = np.asarray(values, float)
    groups = len(without)
    return np.asarray(np.sqrt((groups - 1) / groups * np.sum((without - without.mean(axis=0)) ** 2, axis=0)))
