"""Q, R, S, ST and T of each lead of the median beat, from the level at the QRS onset (CSE Working Party 1985)."""

import numpy as np

from meit.ecg.measure.boundaries import Waves
from meit.ecg.measure.signals import MS, samples

_LEAST_MV = 0.02  # a wave is taller than this (CSE: 20 uV), and than so many times the noise:
_NOISES = 3.0
_LEVEL = samples(8)  # how long the level before the QRS onset and that of ST are averaged
_T_FROM = samples(60)  # after the J point
_CUT_S, _CUT_SHARE = 0.02, 0.005  # longer than a rounded peak, and of all samples
_CUT_LEAST_MV = 2.0  # amplifiers of electrocardiographs take this and more either way


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


def is_cut_off(values: np.ndarray, rate: float) -> bool:
    """True where a lead, in mV, stays for a while at its own highest or lowest value, far from its middle."""
    recorded = values[np.isfinite(values)].astype(np.float64)
    if len(recorded) == 0:
        return False
    shortest, middle = max(3, round(_CUT_S * rate)), np.median(recorded)
    for limit in (recorded.max(), recorded.min()):
        if abs(limit - middle) >= _CUT_LEAST_MV:
            edges = np.flatnonzero(np.diff(np.concatenate([[0], (recorded == limit).astype(np.int8), [0]])))
            runs = edges[1::2] - edges[::2]
            if runs[runs >= shortest].sum() >= _CUT_SHARE * len(recorded):
                return True
    return False


def _duration(values: np.ndarray, lowest: int) -> float:
    """ms that a negative wave stays below zero around its lowest sample."""
    above = np.flatnonzero(values >= 0)
    start = above[above < lowest].max(initial=-1) + 1
    stop = above[above > lowest].min(initial=len(values))
    return float((stop - start) * MS)
