"""From a recording's rate and length to the model's: anti-aliased resampling, and windows of fixed length.

The rule for windows: consecutive, not overlapping, from the start. What remains at the end is a window of its own,
padded and masked, if it is at least half a window; otherwise it is left out. A record up to 5 % longer than a window
is one window (the excess is cut), and a shorter one is one window, padded and masked at its end.
"""

from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache

import numpy as np

WINDOW_SECONDS = 10.0
LONGER_STILL_ONE = 1.05  # records of "10 s" have up to half a second more
SHORTEST_REMAINDER = 0.5  # of a window
_LARGEST_FACTOR = 10_000  # of up- and downsampling: the ratio of the rates is then met to 1e-4 or better


@dataclass(frozen=True, eq=False)
class Window:
    """signal: (n_samples, 12) mV, NaN where not recorded or padded. mask: (n_samples,) True where any lead is recorded.
    start_s: where in the recording the window begins."""

    signal: np.ndarray = field(repr=False)
    mask: np.ndarray = field(repr=False)
    start_s: float


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
    return out.astype(np.float32)


def windows(signal: np.ndarray, rate: float, seconds: float = WINDOW_SECONDS) -> list[Window]:
    """(n, 12) -> windows of round(rate * seconds) samples each, by the rule above; none for an empty signal."""
    length = round(rate * seconds)
    if length < 1:
        raise ValueError(f"a window of {seconds} s at {rate} Hz has no sample")
    if len(signal) == 0:
        return []
    if len(signal) <= LONGER_STILL_ONE * length:
        return [_window(signal, 0, length, rate)]
    count, remainder = divmod(len(signal), length)
    count += remainder >= SHORTEST_REMAINDER * length
    return [_window(signal, n * length, length, rate) for n in range(count)]


def _window(signal: np.ndarray, first: int, length: int, rate: float) -> Window:
    part = signal[first : first + length]
    padded = np.full((length, signal.shape[1]), np.nan, dtype=np.float32)
    padded[: len(part)] = part
    return Window(signal=padded, mask=np.isfinite(padded).any(axis=1), start_s=first / rate)


@lru_cache(maxsize=16)
def _low_pass(up: int, down: int) -> np.ndarray:
    """The filter that resample_poly designs by default, at each call anew."""
    from scipy.signal import firwin

    most = max(up, down)
    return firwin(2 * 10 * most + 1, 1 / most, window=("kaiser", 5.0))


def bridge_leads(signal: np.ndarray, recorded: np.ndarray) -> np.ndarray:
    """(n, 12) -> float64 without NaN, each lead bridged."""
    return np.stack([bridge(signal[:, lead], recorded[:, lead]) for lead in range(signal.shape[1])], axis=1)


def bridge(values: np.ndarray, recorded: np.ndarray) -> np.ndarray:
    """float64 with straight lines across the gaps; zeros where nothing was recorded."""
    if not recorded.any():
        return np.zeros(len(values))
    where = np.arange(len(values))
    return np.interp(where, where[recorded], values[recorded].astype(np.float64))
