"""Frontal axes of P, QRS and T, from the sum of a wave's highest and lowest point in each limb lead.

The sum of these points, R + S as one reads it from paper, and not the area: on MIMIC-IV-ECG's shared records the carts'
axes lie three times nearer to it.
"""

from collections.abc import Sequence

import numpy as np

from meit.ecg.measure.boundaries import Waves
from meit.ecg.recording import LIMB_LEADS
from meit.ecg.signal.median_beat import MedianBeat
from meit.ecg.signal.usable_leads import samples

T_FROM = samples(60)  # after the J point
_AUGMENTED = np.sqrt(3) / 2  # their length in Einthoven's triangle, of a bipolar lead's
_ANGLES = np.radians([0, 60, 120, -150, -30, 90])
_DIRECTIONS = np.stack([np.cos(_ANGLES), np.sin(_ANGLES)], axis=1) * np.repeat([1, _AUGMENTED], 3)[:, None]


def wave(beat: MedianBeat, waves: Waves, name: str) -> np.ndarray | None:
    """(length, k) mV of the "p", "qrs" or "t" wave above its baseline; None where its ends are not known."""
    if name == "p":
        if waves.p_on is None or waves.p_off is None:
            return None
        part = beat.smooth[waves.p_on : waves.p_off + 1]
        return np.asarray(part - np.linspace(part[0], part[-1], len(part)))
    if name == "qrs":
        return np.asarray(beat.values[waves.qrs_on : waves.qrs_off + 1] - beat.values[waves.qrs_on])
    if waves.t_end is None or waves.t_end <= waves.qrs_off + T_FROM:
        return None
    return np.asarray(beat.smooth[waves.qrs_off + T_FROM : waves.t_end + 1] - beat.smooth[waves.qrs_on])


def heights(part: np.ndarray) -> np.ndarray:
    """(length, k) mV of a wave -> (k,) the sum of its highest and lowest points."""
    return np.asarray(np.maximum(part.max(axis=0), 0) + np.minimum(part.min(axis=0), 0))


def frontal_vector(sizes: np.ndarray, names: Sequence[str]) -> np.ndarray | None:
    """(k,) sizes of a wave in leads of these names -> (2,) leftwards and downwards, of the vector that fits the limb
    leads best; None with fewer than two of them."""
    columns = [column for column, name in enumerate(names) if name in LIMB_LEADS]
    if len(columns) < 2:
        return None
    rows = [LIMB_LEADS.index(names[column]) for column in columns]
    return np.asarray(np.linalg.lstsq(_DIRECTIONS[rows], sizes[columns], rcond=None)[0])


def degrees(vector: np.ndarray) -> float:
    """0 towards the left arm, 90 towards the feet; -180 to 180."""
    return float(np.degrees(np.arctan2(vector[1], vector[0])))


def turned(one: float, other: float) -> float:
    """Degrees from the other axis to the one, -180 to 180."""
    return (one - other + 180) % 360 - 180
