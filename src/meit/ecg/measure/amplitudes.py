"""Q, R, S, ST and T of each lead of the median beat, from the level at the QRS onset (CSE Working Party 1985)."""

import numpy as np

from meit.ecg.measure.boundaries import Waves
from meit.ecg.signal.usable_leads import MS, samples

_LEAST_MV = 0.02  # a wave is taller than this (CSE: 20 uV), and than so many times the noise:
_NOISES = 3.0
_LEVEL = samples(8)  # how long the level before the QRS onset and that of ST are averaged
_T_FROM = samples(60)  # after the J point


def lead_waves(values: np.ndarray, noise: float, waves: Waves) -> dict[str, float | None]:
    """values: (length,) mV of one lead of the median beat, whose QRS onset and offset are known -> what
    measurements.BY_LEAD names; t_mv is None where the T wave's end is not to be seen."""
    on, off = waves.qrs_on, waves.qrs_off
    level = values[max(on - _LEVEL, 0) : on + 1].mean()
    values = values - level
    qrs = values[on : off + 1]
    least = max(_LEAST_MV, _NOISES * noise)
    up, down = qrs > least, qrs < -least
    first_up = int(np.argmax(up)) if up.any() else None
    q, q_ms, s = 0.0, 0.0, 0.0
    if first_up is None:
        s = float(qrs.min()) if down.any() else 0.0
    else:
        if down[:first_up].any():
            q = float(qrs[:first_up].min())
            q_ms = _duration(qrs, int(np.argmin(qrs[:first_up])))
        if down[first_up:].any():
            s = float(qrs[first_up:].min())
    sixty = off + samples(60)
    t = None
    if waves.t_end is not None and waves.t_end > off + _T_FROM:
        wave = values[off + _T_FROM : waves.t_end + 1]
        t = float(wave[np.argmax(np.abs(wave))])
    return {
        "q_mv": q,
        "q_ms": q_ms,
        "r_mv": float(qrs.max()) if first_up is not None else 0.0,
        "s_mv": s,
        "st_mv": float(values[off : off + _LEVEL + 1].mean()),
        "st60_mv": float(values[sixty : sixty + _LEVEL + 1].mean()),
        "t_mv": t,
    }


def _duration(values: np.ndarray, lowest: int) -> float:
    """ms that a negative wave stays below zero around its lowest sample."""
    above = np.flatnonzero(values >= 0)
    start = above[above < lowest].max(initial=-1) + 1
    stop = above[above > lowest].min(initial=len(values))
    return float((stop - start) * MS)
