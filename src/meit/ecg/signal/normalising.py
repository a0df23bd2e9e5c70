"""What the encoder is fed: a table of normalisations, by name. All take (n, 12) leads in the order of LEADS, NaN where not
recorded, their rate in Hz and their unit, and give (n, 12) float32, 0 where not recorded.

"min-max" is the paper's (Wan et al., MEIT: all samples of a recording to 0..1, by its lowest and highest one). "band",
the shipped model's, is on a scale that needs no millivolts:

Two kinds of source must look the same to the model: recordings in mV, and arrays that somebody band-passed and
z-scored lead by lead (the mV amplitude is lost). The stated rule for both:

1. 0.5-40 Hz zero-phase Butterworth band-pass (skipped where the source says it was done);
2. each chest lead divided by its own standard deviation;
3. the six limb leads divided by one common factor, the root mean square of I, II and III. Their ratio carries the
   frontal axis. Where they were z-scored one by one, the ratio is recovered from Einthoven's law: the positive
   a, b, c for which a*I - b*II + c*III vanishes, which is the smallest singular vector of [I, -II, III].
"""

from collections.abc import Callable, Mapping
from functools import lru_cache

import numpy as np

from meit.ecg.signal.filtering import zero_phase
from meit.ecg.signal.resampling import bridge_leads

LOW_HZ, HIGH_HZ = 0.5, 40.0
CLIP = 15.0  # in standard deviations: an artefact must not drown the beats
FILTERED_AT_ONCE = 8  # recordings that are filtered at a time
MATRIX_SAMPLES = 2000  # of a window, above which a matrix of its square does not pay
_TINY = 1e-6
UNITS = ("mV", "z")
BAND, MIN_MAX = "band", "min-max"


def band_pass(signal: np.ndarray, rate: float) -> np.ndarray:
    """(n, 12) without NaN -> (n, 12), 0.5-40 Hz, zero phase (fourth-order Butterworth run both ways)."""
    # a short prolongation (54 ms): a long one bends the baseline of the first and last second
    hz = (LOW_HZ, min(HIGH_HZ, 0.49 * rate))
    return zero_phase(signal, "bandpass", hz, rate, order=4, padding=int(0.054 * rate))


def limb_ratio(limb: np.ndarray) -> np.ndarray:
    """Scales (a, b, c) > 0 of leads I, II, III, given (n, 3) each of unknown gain, so that a*I + c*III = b*II.

    Returns ones where the law does not settle it (a flat lead, or a sign that cannot be).
    """
    signed = limb * np.array([1.0, -1.0, 1.0])
    _, vectors = np.linalg.eigh(signed.T @ signed)
    smallest = vectors[:, 0]
    smallest = smallest * np.sign(smallest[np.argmax(np.abs(smallest))])
    if limb.std(axis=0).min() < _TINY or smallest.min() < 0.02:
        return np.ones(3)
    return np.asarray(smallest)


def normalise(signal: np.ndarray, rate: float, unit: str = "mV") -> np.ndarray:
    """(n, 12) leads in canonical order, NaN where not recorded -> (n, 12) float32, zeros where not recorded.

    unit: "mV", or "z" for leads that were band-passed and z-scored one by one. ValueError for any other.
    """
    _check(unit)
    recorded = np.isfinite(signal)
    filled = np.array(signal, dtype=np.float64) if recorded.all() else bridge_leads(signal, recorded)
    if unit == "mV":
        filled = band_pass(filled, rate)
    else:
        one, two, three = (filled[:, :3] * limb_ratio(filled[:, :3])).T
        # III is kept as given; the augmented leads follow from I and II, all six then share one scale
        filled[:, :6] = np.stack([one, two, three, -(one + two) / 2, one - two / 2, two - one / 2], axis=1)
    filled -= filled.mean(axis=0)
    deviation = filled.std(axis=0)
    deviation[:6] = np.sqrt(np.mean(deviation[:3] ** 2))
    out = np.divide(filled, deviation, out=np.zeros_like(filled), where=deviation > _TINY)
    return np.where(recorded, np.clip(out, -CLIP, CLIP), 0.0).astype(np.float32)


def normalise_whole(signals: np.ndarray, rate: float) -> np.ndarray:
    """(B, n, 12) float32 mV without NaN -> (B, n, 12) float32: `normalise` of each to float32's precision, many times as
    fast. n: at most MATRIX_SAMPLES.

    The filter is a product with a matrix. So many recordings are multiplied at a time, FILTERED_AT_ONCE, that what comes
    out for one is the same to the bit whichever others are there.
    """
    batch, n, leads = signals.shape
    filtered = _centred_matrix(rate, n)
    out = np.empty((batch, n, leads), np.float32)
    level = np.zeros((FILTERED_AT_ONCE, leads, n), np.float32)
    for start in range(0, batch, FILTERED_AT_ONCE):
        part = signals[start : start + FILTERED_AT_ONCE]
        count = len(part)
        # a constant does not pass the filter, but a large one would cost digits
        np.subtract(part.transpose(0, 2, 1), part.mean(axis=1)[:, :, None], out=level[:count])
        band = (level.reshape(-1, n) @ filtered).reshape(level.shape)[:count]
        squares = np.einsum("blt,blt->bl", band, band) / n
        squares[:, :6] = squares[:, :3].mean(axis=1, keepdims=True)
        deviation = np.sqrt(squares)
        band *= np.divide(1, deviation, out=np.zeros_like(deviation), where=deviation > _TINY)[:, :, None]
        np.clip(band, -CLIP, CLIP, out=out[start : start + count].transpose(0, 2, 1))
    return out


@lru_cache(maxsize=4)
def _centred_matrix(rate: float, n: int) -> np.ndarray:
    """(n, n) float32: a signal of n samples times this is band-passed, and of mean 0. Both are linear in the signal."""
    filtered = band_pass(np.eye(n), rate)
    return np.ascontiguousarray((filtered - filtered.mean(axis=0)).T, np.float32)


def min_max(signal: np.ndarray, rate: float, unit: str = "mV") -> np.ndarray:
    """As `normalise`; from 0, the lowest sample of all leads, to 1, the highest. Zeros where all samples are alike."""
    _check(unit)
    recorded = np.isfinite(signal)
    if not recorded.any():
        return np.zeros(signal.shape, np.float32)
    values = np.where(recorded, signal, 0.0).astype(np.float64)
    low, high = values[recorded].min(), values[recorded].max()
    if high - low <= _TINY:
        return np.zeros(signal.shape, np.float32)
    return np.where(recorded, (values - low) / (high - low), 0.0).astype(np.float32)


NORMALISATIONS: Mapping[str, Callable[[np.ndarray, float, str], np.ndarray]] = {BAND: normalise, MIN_MAX: min_max}


def _check(unit: str) -> None:
    if unit not in UNITS:
        raise ValueError(f"unit must be 'mV' or 'z', not {unit!r}")
