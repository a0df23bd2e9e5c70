"""Leads that stand still: flat ones, and ones cut off at the amplifier's limit. One rule each, for all that ask."""

import numpy as np

FLAT_MV = 0.02  # peak to peak over a stretch; the smallest QRS complexes have 0.05 mV
STRETCH_S = 2.0  # holds a beat even at 30 per minute
FLAT_SHARE = 0.5  # of the stretches of a lead
CUT_RUN_S = 0.02  # a run at the extreme value that is no rounded peak
CUT_SHARE = 0.005  # of the lead's samples, at both limits together
CUT_LEAST_MV = 2.0  # amplifiers of electrocardiographs take 2 mV and more either way


def swings(values: np.ndarray, rate: float) -> np.ndarray:
    """(n,) mV -> peak to peak of each stretch of STRETCH_S without a gap; of a short or gappy lead, of all that was
    recorded of it. Empty where nothing was."""
    length = min(max(1, round(STRETCH_S * rate)), len(values))
    if length == 0:
        return np.empty(0)
    stretches = values[: len(values) // length * length].reshape(-1, length)
    whole = stretches[np.isfinite(stretches).all(axis=1)]
    if len(whole):
        return np.asarray(np.ptp(whole, axis=1))
    recorded = values[np.isfinite(values)]
    return np.array([np.ptp(recorded)]) if len(recorded) else np.empty(0)


def is_flat(lead_swings: np.ndarray) -> bool:
    """Of what `swings` gave: whether the lead shows no beats for at least half of its time."""
    return len(lead_swings) > 0 and bool(np.mean(lead_swings < FLAT_MV) >= FLAT_SHARE)


def is_cut_off(values: np.ndarray, rate: float) -> bool:
    """Whether a lead, (n,) mV, stays for a while exactly at its own highest or lowest value, far from its middle."""
    recorded = values[np.isfinite(values)].astype(np.float64)
    if len(recorded) == 0:
        return False
    shortest, middle = max(3, round(CUT_RUN_S * rate)), np.median(recorded)
    n_cut = 0
    for limit in (recorded.max(), recorded.min()):
        if abs(limit - middle) >= CUT_LEAST_MV:
            runs = run_lengths(recorded == limit)
            n_cut += int(runs[runs >= shortest].sum())
    return n_cut >= max(1, CUT_SHARE * len(recorded))


def run_lengths(flags: np.ndarray) -> np.ndarray:
    """(n,) bool -> how many True follow each other, run by run."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(np.int8), [0]])))
    return np.asarray(edges[1::2] - edges[::2])
