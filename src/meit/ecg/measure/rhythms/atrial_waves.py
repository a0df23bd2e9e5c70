"""P waves wherever they are: what is left of the leads without QRS complexes and T waves, and bends of one shape in it.

The median beat from the QRS onset to the end of T is taken from each beat; QRS complexes themselves, and beats of another
shape as a whole, are left out of the search. A wave is a bend of the leads: the second derivative of a Gaussian as wide
as half a P wave. Bends whose pattern over the leads is the commonest are the atria's.
"""

from dataclasses import dataclass, field

import numpy as np

from meit.ecg.measure.boundaries import Waves
from meit.ecg.signal.beats import Beats
from meit.ecg.signal.median_beat import MedianBeat
from meit.ecg.signal.usable_leads import RATE, Leads, samples

_STEP = 4  # samples of the leads: a P wave holds no more than 30 Hz
_WIDTH = samples(20)  # of the Gaussian
_QRS_BEFORE, _QRS_AFTER = samples(30), samples(50)  # of QRS onset and end, are not looked at
_OTHER_BEFORE, _OTHER_AFTER = samples(100), samples(480)  # of a beat of another shape
_T_FADES = samples(60)
_T_LATEST = 0.7  # of the RR interval, where the end of T is not known
_APART_S = 0.16
_ALIKE = 0.8  # correlation of patterns over the leads
_FEWEST = 4
_STANDS_OUT = 3.0  # times what is usual between the beats
_LEAST = 0.5  # of the size of the others is another wave of the atria


@dataclass(frozen=True, eq=False)
class AtrialWaves:
    """at: (p,) seconds of bends that look alike, ascending. hidden: (n,) True where nothing was looked for, at RATE /
    _STEP."""

    at: np.ndarray = field(repr=False)
    hidden: np.ndarray = field(repr=False)

    def is_hidden(self, seconds: float) -> bool:
        place = round(seconds * RATE / _STEP)
        return not 0 <= place < len(self.hidden) or bool(self.hidden[place])


def atrial_waves(leads: Leads, beats: Beats, beat: MedianBeat, waves: Waves) -> AtrialWaves:
    """No waves where fewer than four are alike."""
    from scipy.ndimage import gaussian_filter1d
    from scipy.signal import find_peaks

    values, hidden = without_ventricles(leads, beats, beat, waves)
    values, hidden = values[::_STEP] * beat.weights, hidden[::_STEP]
    bends = -gaussian_filter1d(values, _WIDTH / _STEP, axis=0, order=2)
    size = np.sqrt((bends**2).mean(axis=1))
    size[hidden] = 0
    usual = np.median(size[~hidden]) if not hidden.all() else 0.0
    peaks, _ = find_peaks(size, height=max(_STANDS_OUT * usual, 1e-12), distance=round(_APART_S * RATE / _STEP))
    none = AtrialWaves(np.empty(0), hidden)
    if len(peaks) < _FEWEST:
        return none
    patterns = bends[peaks] / np.linalg.norm(bends[peaks], axis=1, keepdims=True)
    like = patterns @ patterns.T >= _ALIKE
    # the commonest, of equally common ones the larger
    weight = (like * size[peaks]).sum(axis=1)
    chosen = like[int(np.argmax(weight))]
    if chosen.sum() < _FEWEST:
        return none
    pattern = bends[peaks[chosen]].mean(axis=0)
    pattern /= max(np.linalg.norm(pattern), 1e-300)
    along = bends @ pattern
    along[hidden] = 0
    level = _LEAST * np.median(along[peaks[chosen]])
    found, _ = find_peaks(along, height=max(level, 1e-12), distance=round(_APART_S * RATE / _STEP))
    norm = np.maximum(np.linalg.norm(bends[found], axis=1), 1e-300)
    found = found[along[found] / norm >= _ALIKE - 0.1]
    return AtrialWaves(found * _STEP / RATE, hidden)


def without_ventricles(leads: Leads, beats: Beats, beat: MedianBeat, waves: Waves) -> tuple[np.ndarray, np.ndarray]:
    """(n, k) mV without the median beat's QRS complex and T wave, and (n,) True where that is not to be trusted."""
    values = leads.smooth.astype(np.float64)
    hidden = np.asarray(~leads.recorded.all(axis=1))
    on, off = waves.qrs_on - beat.middle, waves.qrs_off - beat.middle
    known = waves.t_end - beat.middle if waves.t_end is not None else on + round(_T_LATEST * samples(beat.rr_ms))
    end = min(known + _T_FADES, len(beat.smooth) - beat.middle - 1)
    part = beat.smooth[waves.qrs_on : beat.middle + end + 1]
    line = np.linspace(0, 1, len(part))[:, None]
    part = part - (part[0] + line * (part[-1] - part[0]))
    nexts = np.append(beats.at[1:], len(values) + samples(1000))
    for at, following, dominant in zip(beats.at, nexts, beats.dominant, strict=True):
        if not dominant:
            hidden[max(at - _OTHER_BEFORE, 0) : at + _OTHER_AFTER] = True
            continue
        hidden[max(at + on - _QRS_BEFORE, 0) : max(at + off + _QRS_AFTER, 0)] = True
        start, stop = max(at + on, 0), min(at + end + 1, len(values), following + on)
        if stop > start:
            values[start:stop] -= part[start - at - on : stop - at - on]
    return values, hidden
