"""What the detectors look at: the beginning of a recording in the band that the encoder sees, and its beats."""

from dataclasses import dataclass, field

import numpy as np

from meit.ecg.recording import LEADS, LIMB_LEADS, Recording
from meit.ecg.signal.beats import steepness, stretches, usual_maximum
from meit.ecg.signal.filtering import zero_phase
from meit.ecg.signal.normalising import band_pass
from meit.ecg.signal.plateaus import STRETCH_S
from meit.ecg.signal.resampling import bridge_leads, resample

BAND_RATE = 100.0  # Hz, of the band 0.5-40 Hz: the encoder's
SEEN_S = 10.0  # of a longer recording the beginning, which is what is drafted
SHORTEST_S = 2.0
_FASTEST = 500.0  # Hz
_MOST_MV = 1e6  # beyond is damage
_QRS_HZ = (8.0, 25.0)
_STRETCH = round(STRETCH_S * BAND_RATE)
_APART = round(0.25 * BAND_RATE)  # between two beats
_SMOOTH = round(0.08 * BAND_RATE)
_STRONG = 0.35  # of the usual QRS complex
HALF = round(0.12 * BAND_RATE)  # of a QRS complex with what is beside it
LAG = round(0.04 * BAND_RATE)


@dataclass(frozen=True, eq=False)
class Excerpt:
    """rate: at most 500 Hz. values: (n, 12) mV at it, gaps bridged. band: (m, 12) the same in 0.5-40 Hz at BAND_RATE.
    usable: (12,) leads that were recorded and are not flat. size: (12,) mV, the usual range of band in STRETCH_S.
    beats: (b,) places of QRS complexes in band. clear: 0..1, by how much they stand out of what lies between."""

    rate: float
    values: np.ndarray = field(repr=False)
    band: np.ndarray = field(repr=False)
    usable: np.ndarray
    size: np.ndarray
    beats: np.ndarray
    clear: float


def excerpt_of(recording: Recording, flat: tuple[str, ...]) -> Excerpt | None:
    """None where no lead can be used or less than SHORTEST_S are there."""
    first = np.clip(recording.signal[: round(SEEN_S * recording.rate)], -_MOST_MV, _MOST_MV)
    if len(first) < SHORTEST_S * recording.rate:
        return None
    recorded = np.isfinite(first)
    least = max(0.5 * recorded.any(axis=1).sum(), SHORTEST_S * recording.rate)
    usable = (recorded.sum(axis=0) >= least) & ~np.isin(LEADS, flat)
    if not usable.any():
        return None
    values, rate = bridge_leads(first, recorded), recording.rate
    if rate > _FASTEST:
        values, rate = resample(values, rate, _FASTEST).astype(np.float64), _FASTEST
    band = band_pass(resample(values - np.median(values, axis=0), rate, BAND_RATE).astype(np.float64), BAND_RATE)
    size = usual_range(band)
    usable &= size > 0
    if not usable.any():
        return None
    beats, clear = steep_places(band[:, usable])
    return Excerpt(rate, values, band, usable, size, beats, clear)


def usual_range(values: np.ndarray) -> np.ndarray:
    """(m, k) at BAND_RATE -> (k,) median over stretches of the peak-to-peak range."""
    return np.asarray(np.median(np.ptp(stretches(values, _STRETCH), axis=1), axis=0))


def steep_places(band: np.ndarray) -> tuple[np.ndarray, float]:
    """(m, k) -> places where all leads together are steep, one a QRS complex, and how clearly they stand out, 0..1."""
    from scipy.signal import find_peaks

    slope = np.abs(zero_phase(band, "bandpass", _QRS_HZ, BAND_RATE, padding=30))
    together, usual = steepness(slope, usual_maximum(slope, _STRETCH), _STRETCH, _SMOOTH)
    if usual <= 0:
        return np.empty(0, int), 0.0
    peaks, _ = find_peaks(np.concatenate([[0], together, [0]]), height=_STRONG * usual, distance=_APART)
    peaks -= 1
    if len(peaks) == 0:
        return peaks, 0.0
    return peaks, float(max(1 - np.median(together) / np.median(together[peaks]), 0.0))


def around(band: np.ndarray, beats: np.ndarray, before: int, after: int) -> np.ndarray:
    """(b', before + after + 1, k) around the beats that lie whole in it."""
    inside = beats[(beats >= before) & (beats + after < len(band))]
    return band[inside[:, None] + np.arange(-before, after + 1)]


def moved(band: np.ndarray, beats: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The beats that lie whole in band, and what is around each when it is moved by -LAG to LAG samples:
    (b', 2 * LAG + 1, 2 * HALF + 1, k), each lead around its mean there."""
    inside = beats[(beats >= HALF + LAG) & (beats + HALF + LAG < len(band))]
    lags = np.arange(-LAG, LAG + 1)
    parts = band[inside[:, None, None] + lags[:, None] + np.arange(-HALF, HALF + 1)]
    return inside, parts - parts.mean(axis=2, keepdims=True)


def aligned(band: np.ndarray, beats: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Beats moved by up to 40 ms so that they look alike; their correlation with the median beat, all leads together;
    the median beat (2 * HALF + 1, k), each lead around its mean there."""
    inside, parts = moved(band, beats)
    if len(inside) < 2:
        return inside, np.zeros(len(inside)), np.zeros((2 * HALF + 1, band.shape[1]))
    sizes = np.sqrt(np.einsum("blwk,blwk->bl", parts, parts))
    chosen = np.full(len(inside), LAG)
    for _ in range(2):
        template = np.median(parts[np.arange(len(inside)), chosen], axis=0)
        alike = np.einsum("blwk,wk->bl", parts, template) / np.maximum(sizes * np.linalg.norm(template), 1e-300)
        chosen = np.argmax(alike, axis=1)
    return inside + chosen - LAG, alike[np.arange(len(inside)), chosen], template


def limb_and_chest(usable: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(12,) usable leads in two groups; every second one where only limb or only chest leads can be used."""
    limb = np.isin(LEADS, LIMB_LEADS)
    first, second = usable & limb, usable & ~limb
    if not first.any() or not second.any():
        every = np.cumsum(usable) % 2 == 0
        first, second = usable & every, usable & ~every
    return first, second
