"""Where the beats are, and which of them have the shape that most have.

Ours: one signal made of all leads, and beats sorted by the likeness of their QRS complexes. Filters and the search for
peaks are scipy's.
"""

from dataclasses import dataclass, field

import numpy as np

from meit.ecg.signal.beat_shapes import Surroundings
from meit.ecg.signal.usable_leads import Leads, band_filtered, samples

ALIKE = 0.85  # correlation of QRS complexes of one shape, over all leads
_STRONG = 0.3  # of the usual QRS: taken for a beat
_WEAK = 0.12  # taken for a beat where it looks like the others
_ALIKE_WEAK = 0.9
_UNLIKE, _STRONG_UNLIKE = 0.6, 0.45  # one that looks unlike the others must be this strong: PVCs are, artefacts not
_EDGE = samples(80)  # what is cut off there looks unlike the others, and filters ring
STEEPEST = 2.0  # times its usual QRS counts no lead: an artefact in one is no beat
_PEAKED = 12.0  # times its steepness in the middle has a good lead in a QRS complex; noise has 3 to 5
_QRS_HZ = (5.0, 25.0)
_GAP = samples(200)  # a QRS complex may lie in it
_PARTLY, _ONE_LOST = samples(40), (1.2, 2.5)  # hides half of one, if the interval is so many times the usual one
_REFRACTORY = samples(200)
_T_WITHIN = samples(400)  # a weaker peak this soon after a stronger one is its T wave
_T_WEAKER = 0.5
_FORERUN, _SMALLER = samples(340), 0.3  # sooner and so many times smaller than a QRS complex it is no beat
_HALF = samples(80)  # of a QRS complex, for comparing shapes
_LAG = samples(60)  # by how much two beats' peaks may be off
_STRETCH = samples(2000)  # holds a beat even at 30 per minute
_STEP = 2  # shapes hold no more than 40 Hz: every second sample will do
_MOST_SHAPES = 12
_RIVAL = 0.8  # of the beats of the commonest shape has another that is about as common


@dataclass(frozen=True, eq=False)
class Beats:
    """at: (m,) samples, one in each QRS complex, at the same place of it in beats of one shape; ascending.
    likeness: (m,) correlation of each with the commonest shape. shape: (m,) 0 the commonest, then as they came up.
    rr: (m - 1,) samples from each to the next, NaN across a gap in the recording. clear: by how much beats stand out
    from what lies between them, 0 to 1."""

    at: np.ndarray = field(repr=False)
    likeness: np.ndarray = field(repr=False)
    shape: np.ndarray = field(repr=False)
    rr: np.ndarray = field(repr=False)
    clear: float

    @property
    def dominant(self) -> np.ndarray:
        return np.asarray(self.shape == 0)


def qrs_slope(leads: Leads) -> np.ndarray:
    """(n, k) the size of each lead's slope, of what QRS complexes are made of."""
    return np.asarray(np.abs(np.gradient(band_filtered(leads.signal, "bandpass", _QRS_HZ), axis=0)))


def find_beats(leads: Leads, slope: np.ndarray | None = None) -> Beats:
    """No beats (m = 0) where nothing stands out. slope: what qrs_slope gives, where it is known."""
    slope = qrs_slope(leads) if slope is None else slope
    usual = usual_maximum(slope, _STRETCH)
    strength, at_usual = steepness(slope, usual, _STRETCH, samples(60))
    strength = strength / at_usual if at_usual > 0 else strength
    strong, weak, clear = _peaks(strength)
    strong = strong[~_forerunners(leads.smooth, strong)]
    if len(strong) == 0:
        return Beats(strong, np.empty(0), strong, np.empty(0), 0.0)
    # each lead has the same say, one that is steep between the beats too has less
    peaked = usual / np.maximum(np.median(slope, axis=0), 1e-300)
    values = leads.smooth * (np.minimum(peaked / _PEAKED, 1.0) ** 2 / np.where(usual > 0, usual, np.inf))
    around = Surroundings(values, _HALF, _LAG, _STEP)
    at, shape, template = _sort(around, strong)
    if len(weak):
        shifts, likeness = around.match(weak, template[None])
        found = likeness >= _ALIKE_WEAK
        at = np.concatenate([at, weak[found] + shifts[found]])
        shape = np.concatenate([shape, np.zeros(found.sum(), int)])
    order = np.argsort(at)
    at, shape = at[order], shape[order]
    apart = np.concatenate([[True], np.diff(at) >= _REFRACTORY])
    at, shape = at[apart], shape[apart]
    shifts, likeness = around.match(at, template[None])
    shape = np.where(likeness >= ALIKE, 0, np.maximum(shape, 1))
    whole = (at >= _EDGE) & (at < len(strength) - _EDGE)
    real = (likeness >= _UNLIKE) | (whole & (strength[np.clip(at, 0, len(strength) - 1)] >= _STRONG_UNLIKE))
    at = np.where(shape == 0, at + shifts, at)[real]
    return Beats(at, likeness[real], shape[real], _intervals(at, leads.recorded), clear)


def _intervals(at: np.ndarray, recorded: np.ndarray) -> np.ndarray:
    gap = np.concatenate([[0], np.cumsum(recorded.mean(axis=1) < 0.5)])
    lost = np.diff(gap[np.clip(at, 0, len(recorded))])
    rr = np.diff(at).astype(float)
    if not lost.any():
        return rr
    usual = np.median(rr[lost == 0]) if (lost == 0).any() else np.inf
    least, most = _ONE_LOST
    hidden = (lost >= _PARTLY) & (rr > least * usual) & (rr < most * usual)
    return np.asarray(np.where((lost >= _GAP) | hidden, np.nan, rr))


def steepness(slope: np.ndarray, usual: np.ndarray, stretch: int, width: int) -> tuple[np.ndarray, float]:
    """How steep the leads are together, each having the same say, and how steep that is in a usual QRS complex.

    slope: (n, k), the size of each lead's slope; usual: (k,) its usual_maximum. stretch: samples that hold a beat;
    width: samples over which it is averaged, twice. -> (n,) and a number, 0 for leads without any slope.
    """
    from scipy.ndimage import uniform_filter1d

    together = np.minimum(slope / np.where(usual > 0, usual, np.inf), STEEPEST).mean(axis=1)
    for _ in range(2):
        together = uniform_filter1d(together, width)
    return together, float(usual_maximum(together[:, None], stretch)[0])


def usual_maximum(values: np.ndarray, stretch: int) -> np.ndarray:
    """(n, k) -> (k,) median over stretches of so many samples of their maxima."""
    return np.asarray(np.median(stretches(values, stretch).max(axis=1), axis=0))


def stretches(values: np.ndarray, length: int) -> np.ndarray:
    """(n, k) -> (count, length, k), without what is left at the end; one stretch where there is less than one."""
    length = min(length, len(values))
    return values[: len(values) // length * length].reshape(-1, length, values.shape[1])


def _peaks(strength: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Samples of the strong and of the weak peaks, and how clear the strong ones are."""
    from scipy.signal import find_peaks

    peaks, _ = find_peaks(np.concatenate([[0], strength, [0]]), height=_WEAK, distance=_REFRACTORY)
    peaks -= 1
    height = strength[peaks]
    wave = np.zeros(len(peaks), bool)
    for i in range(1, len(peaks)):
        wave[i] = peaks[i] - peaks[i - 1] < _T_WITHIN and height[i] < _T_WEAKER * height[i - 1] and not wave[i - 1]
    peaks, height = peaks[~wave], height[~wave]
    strong = height >= _STRONG
    clear = 1 - np.median(strength) / np.median(height[strong]) if strong.any() else 0.0
    return peaks[strong], peaks[~strong], float(max(clear, 0.0))


def _forerunners(values: np.ndarray, at: np.ndarray) -> np.ndarray:
    """(m,) True for peaks that a much larger one follows at once: paced P waves before slow QRS complexes."""
    inside = (at >= _HALF) & (at + _HALF <= len(values))
    sizes = np.empty(len(at))
    if inside.any():
        parts = values[at[inside, None] + np.arange(-_HALF, _HALF)]
        sizes[inside] = np.median(np.ptp(parts, axis=1), axis=1)
    for beat in np.flatnonzero(~inside):
        sizes[beat] = np.median(np.ptp(values[max(at[beat] - _HALF, 0) : at[beat] + _HALF], axis=0))
    return np.append((np.diff(at) < _FORERUN) & (sizes[:-1] < _SMALLER * sizes[1:]), False) if len(at) else at > 0


def _sort(around: Surroundings, at: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Samples moved so that beats of one shape coincide, the shape of each, and the commonest shape."""
    shape, at = np.zeros(len(at), int), at.copy()
    means = np.zeros((0, *around.shape(0).shape))
    counts: list[int] = []
    for beat, place in enumerate(at):
        best, moved, kind = -1.0, 0, -1
        if counts:
            shifts, likeness = around.match(np.full(len(counts), place), means)
            kind = int(np.argmax(likeness))
            best, moved = likeness[kind], shifts[kind]
        if best < ALIKE and len(counts) < _MOST_SHAPES:
            means = np.concatenate([means, around.shape(place)[None]])
            counts.append(1)
            shape[beat] = len(counts) - 1
            continue
        at[beat] += moved
        shape[beat] = kind
        counts[kind] += 1
        means[kind] += (around.shape(at[beat]) - means[kind]) / counts[kind]
    commonest = _commonest(at, shape, np.array(counts))
    template = np.median([around.shape(place) for place in at[shape == commonest]], axis=0)
    shape = np.where(shape == commonest, 0, np.where(shape < commonest, shape + 1, shape))
    return at, shape, template


def _commonest(at: np.ndarray, shape: np.ndarray, counts: np.ndarray) -> int:
    """Of shapes about equally common, as in bigeminy, the one whose beats come latest after the beat before."""
    before = np.concatenate([[np.nan], np.diff(at)])
    common = np.flatnonzero(counts >= _RIVAL * counts.max())
    rivals = [kind for kind in common if np.isfinite(before[shape == kind]).any()]
    if len(rivals) < 2 or counts.max() < 2:
        return int(np.argmax(counts))
    return int(max(rivals, key=lambda kind: np.nanmedian(before[shape == kind])))
