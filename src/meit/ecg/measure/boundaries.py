"""Where P, QRS and T begin and end, on the median beat, for all leads at once.

A wave begins where the leads together begin to move, and ends where they stop (CSE Working Party, Eur Heart J
6:815-825, 1985: earliest onset, latest offset over the leads). "Together" is the mean over the leads of the steepness
of each, so that one noisy lead moves little. A boundary is where it falls to a share of the wave's own steepness above
the quietest place next to the wave. The shares were set on half of MIMIC-IV-ECG's records (docs/measurements.md).

T ends by the tangent of the steepest slope (Lepeschkin & Surawicz, Circulation 6:378-388, 1952) about 15 ms earlier
than here, which is where carts put it.
"""

from dataclasses import dataclass

import numpy as np

from meit.ecg.signal.median_beat import MedianBeat
from meit.ecg.signal.plateaus import run_lengths
from meit.ecg.signal.usable_leads import MS, RATE, samples

_QRS_SHARE = 0.04  # of its steepness
_P_ONSET_SHARE, _P_OFFSET_SHARE = 0.3, 0.3
_T_SHARE = 0.2
_QRS_AROUND = samples(120)  # of the middle: where its steepest place is
_QRS_HOLD, _S_HOLD, _P_HOLD, _T_HOLD = samples(12), samples(20), samples(12), samples(20)  # how long it stays quiet
_QRS_QUIET_BEFORE, _QRS_QUIET_AFTER = samples(220), samples(260)
_P_BEFORE_QRS = samples(300)  # its peak; a PR interval is hardly longer than 400 ms
_P_AFTER_T = samples(30)  # its peak, not the dip between the two
FAST = samples(430)  # from beat to beat: P waves lie on T waves, and T waves end late in the interval
_P_AFTER_PEAK = samples(40)  # of the T wave before
_P_LONGEST = samples(190)  # cardiologists' reach 174 ms in LUDB
_P_STRICTER = (1.0, 1.5, 2.2)  # times the shares, until it is no longer
_P_NEAREST = samples(40)
_P_HALF = samples(60)  # from its peak to its steepest places
_P_REACH = samples(120)  # from there to its ends
_P_ALIKE = 0.4  # of its steepest place: other places that are of the P wave
_P_QUIET, _P_GAP = 0.25, samples(30)  # of its steepest place, for so long: the P wave is over
_P_WITHIN, _P_BEFORE_Q = samples(100), samples(16)  # how far from its peak, and before the QRS complex, they are
_T_FROM = samples(60)  # after the J point
_T_MAIN, _T_STEEPEST, _T_PEAK, _T_LATEST = 0.6, 0.72, 0.75, 0.9  # of the RR interval, from the QRS onset
_T_QUIET, _T_GAP = 0.25, samples(30)  # of the steepest slope, for so long: the T wave is over
_T_SMALL = 0.5  # of the T wave's steepest slope: slopes that belong to it
_STANDS_OUT = 2.5  # how steep a wave is, of the quietest place beside it


@dataclass(frozen=True)
class Waves:
    """Samples of the median beat; None where there is no such wave or its end is not to be seen."""

    qrs_on: int
    qrs_off: int
    p_on: int | None = None
    p_peak: int | None = None
    p_off: int | None = None
    t_end: int | None = None

    @property
    def qrs_ms(self) -> float:
        return (self.qrs_off - self.qrs_on) * MS

    def ms(self, first: str, last: str) -> float | None:
        """From one place to another."""
        start, end = getattr(self, first), getattr(self, last)
        return None if start is None or end is None else (end - start) * MS


def find_waves(beat: MedianBeat, factor: float = 1.0) -> Waves | None:
    """None where no QRS complex stands out. factor: of the shares, to see how much hangs on them."""
    values = beat.smooth * beat.weights
    qrs = qrs_ends(values, beat.middle, factor)
    if qrs is None:
        return None
    on, off = qrs
    rr = samples(beat.rr_ms)
    t_end = _t_end(values, on, off, rr, factor)
    reach = _T_PEAK if rr < FAST else _T_MAIN
    last = on + max(round(reach * rr), off - on + _T_FROM) if t_end is None else t_end
    t_peak = _t_peak(values, (off, on + rr), last)
    p = _p_ends(values, on, t_peak - rr, None if t_end is None else t_end - rr, factor)
    p_on, p_peak, p_off = p or (None, None, None)
    return Waves(on, off, p_on, p_peak, p_off, t_end)


def qrs_ends(values: np.ndarray, middle: int, factor: float = 1.0) -> tuple[int, int] | None:
    """(n, k) mV of one beat, low-passed -> samples of its QRS onset and offset, which lie around `middle`."""
    steep = _mean_filter(_steepness(values), 3)
    first = max(middle - _QRS_AROUND, 0)
    peak = first + int(np.argmax(steep[first : middle + _QRS_AROUND]))
    quiet = _mean_filter(steep, samples(20))
    before = quiet[max(peak - _QRS_QUIET_BEFORE, 0) : peak + 1].min()
    after = quiet[peak : peak + _QRS_QUIET_AFTER].min()
    if steep[peak] < _STANDS_OUT * max(before, after):
        return None
    on = _back(steep, peak, before + factor * _QRS_SHARE * (steep[peak] - before), _QRS_HOLD, 0)
    off = _forth(steep, peak, after + factor * _QRS_SHARE * (steep[peak] - after), _S_HOLD, len(steep) - 1)
    return None if on is None or off is None else (on, off)


def _t_end(values: np.ndarray, on: int, off: int, rr: int, factor: float) -> int | None:
    """Where the last slope of the T wave has become quiet: slopes half as steep as the steepest one are of the T wave,
    up to the first quiet stretch, behind which the P wave of the next beat may be."""
    from scipy.signal import find_peaks

    steep = _steepness(values, sigma=samples(16))
    first, last = off + _T_FROM, min(on + round(_T_LATEST * rr), len(steep) - 1)
    if on + round(_T_MAIN * rr) - first < samples(40):
        return None
    main = first + int(np.argmax(steep[first : on + round(_T_MAIN * rr)]))
    slopes, _ = find_peaks(steep[: min(on + round(_T_STEEPEST * rr), last) + 1], height=_T_SMALL * steep[main])
    slope = main
    for later in slopes[slopes > main]:
        if run_lengths(steep[slope:later] < _T_QUIET * steep[main]).max(initial=0) >= _T_GAP:
            break
        slope = int(later)
    quiet = _mean_filter(steep, samples(20))[slope : last + 1].min(initial=np.inf)
    if steep[slope] < _STANDS_OUT * quiet:
        return None
    return _forth(steep, slope, quiet + factor * _T_SHARE * (steep[slope] - quiet), _T_HOLD, last)


def _t_peak(values: np.ndarray, between: tuple[int, int], last: int) -> int:
    """Where, until `last`, the leads are farthest from a line between this QRS complex and the next."""
    off, end = between[0], min(between[1], len(values) - 1)
    places = np.arange(off + _T_FROM // 2, max(min(last, end), off + _T_FROM) + 1)
    share = (places - off)[:, None] / max(end - off, 1)
    away = values[np.minimum(places, len(values) - 1)] - (values[off] + share * (values[end] - values[off]))
    return int(places[np.argmax((away**2).sum(axis=1))])


def _p_ends(
    values: np.ndarray, on: int, t_peak: int, t_before: int | None, factor: float
) -> tuple[int, int, int] | None:
    """Onset, peak and offset. t_peak, t_before: where the T wave of the beat before has its peak and its end, which may
    lie outside."""
    from scipy.ndimage import gaussian_filter1d
    from scipy.signal import find_peaks

    earliest = max(on - _P_BEFORE_QRS, samples(10))
    if t_before is not None:
        earliest = max(earliest, min(t_before + _P_AFTER_T, on - samples(120)))
    earliest = max(earliest, t_peak + _P_AFTER_PEAK)
    # the QRS complex, which would drown it, is cut off
    held = np.concatenate([values[: on + 1], np.repeat(values[on : on + 1], samples(200), axis=0)])
    curved = np.sqrt(np.mean(gaussian_filter1d(held, samples(18), axis=0, order=2) ** 2, axis=1))
    peaks, _ = find_peaks(curved[: on - _P_NEAREST + 1])
    peaks = peaks[peaks >= earliest]
    if len(peaks) == 0:
        return None
    peak = int(peaks[np.argmax(curved[peaks])])
    steep = _steepness(held, sigma=samples(8))
    quiet = _mean_filter(steep, samples(12))
    start = max(peak - _P_HALF, earliest - samples(30), 0)
    rise = start + int(np.argmax(steep[start : peak + 1]))
    fall = peak + int(np.argmax(steep[peak : min(peak + _P_HALF, on) + 1]))
    quietest = quiet[max(earliest - samples(30), 0) : on + 1].min()
    rise, fall = _outermost(steep, quietest, (earliest, on - _P_BEFORE_Q), peak, (rise, fall))
    first, last = max(earliest - samples(30), 0, rise - _P_REACH), min(on, fall + _P_REACH)
    before, after = quiet[first : rise + 1].min(), quiet[fall : last + 1].min()
    for stricter in _P_STRICTER:
        begin = _back(steep, rise, before + stricter * factor * _P_ONSET_SHARE * (steep[rise] - before), _P_HOLD, first)
        end = _forth(steep, fall, after + stricter * factor * _P_OFFSET_SHARE * (steep[fall] - after), _P_HOLD, last)
        # where the leads go on moving, the place at which they do least
        begin = first + int(np.argmin(quiet[first : rise + 1])) if begin is None else begin
        end = fall + int(np.argmin(quiet[fall : last + 1])) if end is None else end
        if end - begin <= _P_LONGEST:
            return begin, peak, end
    return None


def _outermost(
    steep: np.ndarray, quietest: float, within: tuple[int, int], peak: int, inner: tuple[int, int]
) -> tuple[int, int]:
    """The first and the last steep place of a P wave that may be notched or biphasic, from those beside its peak: places
    that are steep too, with no quiet stretch between, in which P would be over."""
    from scipy.signal import find_peaks

    rise, fall = inner
    top = max(steep[rise], steep[fall])
    places, _ = find_peaks(steep, height=quietest + _P_ALIKE * (top - quietest))
    first, last = max(within[0], peak - _P_WITHIN), min(within[1], peak + _P_WITHIN)
    quiet = steep < quietest + _P_QUIET * (top - quietest)
    for place in places[(places > fall) & (places <= last)]:
        if run_lengths(quiet[fall:place]).max(initial=0) >= _P_GAP:
            break
        fall = int(place)
    for place in places[(places < rise) & (places >= first)][::-1]:
        if run_lengths(quiet[place:rise]).max(initial=0) >= _P_GAP:
            break
        rise = int(place)
    return rise, fall


def _steepness(values: np.ndarray, sigma: int | None = None) -> np.ndarray:
    """(n, k) mV -> (n,) mV/s, mean over the leads; sigma: samples, of a Gaussian that smoothes first."""
    from scipy.ndimage import gaussian_filter1d

    slope = np.gradient(values, axis=0) if sigma is None else gaussian_filter1d(values, sigma, axis=0, order=1)
    return np.asarray(np.abs(slope).mean(axis=1) * RATE)


def _mean_filter(values: np.ndarray, length: int) -> np.ndarray:
    from scipy.ndimage import uniform_filter1d

    return np.asarray(uniform_filter1d(values, length))


def _back(values: np.ndarray, start: int, level: float, hold: int, first: int) -> int | None:
    """The last sample before `start` that `hold` samples below the level precede; None if there is none."""
    places = np.arange(start, max(first, 1) - 1, -1)  # before the first sample there is none
    return _first(places, _above(values, level, np.maximum(places - hold, 0), places))


def _forth(values: np.ndarray, start: int, level: float, hold: int, last: int) -> int | None:
    """The first sample after `start` that begins `hold` samples below the level; None if there is none."""
    places = np.arange(start, last + 1)
    return _first(places, _above(values, level, places, places + hold))


def _above(values: np.ndarray, level: float, start: np.ndarray, stop: np.ndarray) -> np.ndarray:
    """How many samples of each stretch are not below the level."""
    count = np.concatenate([[0], np.cumsum(~(values <= level))])
    end = len(values)
    return np.asarray(count[np.minimum(stop, end)] - count[np.minimum(start, end)])


def _first(places: np.ndarray, above: np.ndarray) -> int | None:
    quiet = above == 0
    return int(places[np.argmax(quiet)]) if quiet.any() else None
