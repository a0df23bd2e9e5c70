"""From one sampling rate to another, without aliases; gaps are bridged by straight lines for it, and stay gaps."""

from fractions import Fraction
from functools import lru_cache

import numpy as np

_LARGEST_FACTOR = 10_000  # of up- and downsampling: the ratio of the rates is then met to 1e-4 or better


def resample(signal: np.ndarray, rate_from: float, rate_to: float) -> np.ndarray:
    """(n, 12) at rate_from -> (about n * rate_to / rate_from, 12) float32 at rate_to, without aliases.

    Polyphase filtering; beyond its ends the signal goes on along a line, so that no step rings there. NaN gaps are
    bridged by straight lines for the filter and are NaN again afterwards; a lead that is NaN throughout stays so.
    Raises ValueError for a rate that is not positive.
    """
    if not (rate_from > 0 and rate_to > 0):
        raise ValueError(f"rates must be positive, not {rate_from} and {rate_to}")
    signal = np.asarray(signal)
    if rate_from == rate_to or len(signal) == 0:
        return signal.astype(np.float32)
    from scipy.signal import resample_poly

    ratio = Fraction(rate_to / rate_from).limit_denominator(_LARGEST_FACTOR)
    if ratio == 0:
        raise ValueError(f"{rate_from} Hz cannot be resampled to {rate_to} Hz")
    recorded = np.isfinite(signal)
    whole = recorded.all()
    bridged = signal.astype(np.float64) if whole else bridge_leads(signal, recorded)
    taps = _low_pass(ratio.numerator, ratio.denominator)
    out = resample_poly(bridged, ratio.numerator, ratio.denominator, axis=0, padtype="line", window=taps)
    if not whole:
        at = np.arange(len(out)) / float(ratio)  # where each new sample lies among the old ones
        before = np.minimum(np.floor(at).astype(int), len(signal) - 1)
        after = np.minimum(np.ceil(at).astype(int), len(signal) - 1)
        out[~(recorded[before] & recorded[after])] = np.nan
    return np.asarray(out.astype(np.float32))


@lru_cache(maxsize=16)
def _low_pass(up: int, down: int) -> np.ndarray:
    """The filter that resample_poly designs by default, at each call anew."""
    from scipy.signal import firwin

    most = max(up, down)
    return np.asarray(firwin(2 * 10 * most + 1, 1 / most, window=("kaiser", 5.0)))


def bridge_leads(signal: np.ndarray, recorded: np.ndarray) -> np.ndarray:
    """(n, 12) -> float64 without NaN, each lead bridged."""
    return np.stack([bridge(signal[:, lead], recorded[:, lead]) for lead in range(signal.shape[1])], axis=1)


def bridge(values: np.ndarray, recorded: np.ndarray) -> np.ndarray:
    """float64 with straight lines across the gaps; zeros where nothing was recorded."""
    if not recorded.any():
        return np.zeros(len(values))
    where = np.arange(len(values))
    return np.asarray(np.interp(where, where[recorded], values[recorded].astype(np.float64)))
