"""Spikes of a pacemaker, found and taken out at the recording's own rate, before filters make waves of them.

A spike is shorter than any wave of the heart, rises within a sample or two, and stands in several leads at once, in the
same relation to each other as the other spikes from the same electrode. A pulse of half a millisecond that passed a
cart's filter of 150 Hz is some 5 ms long; below 250 Hz too little is left.
"""

from dataclasses import dataclass, field, replace

import numpy as np

from meit.ecg.recording import Recording

LEAST_RATE = 250.0  # Hz, of the recording
_LONGEST_MS = 8.0  # each way from the peak of a spike: a median filter of this reach leaves nothing of it
_RISE_MS = 2.0
_STEEP = 0.4  # of its height rises within that
_NOISES = 6.0  # times what a lead usually deflects so shortly
_STRETCH_MS, _QUIETER = 400.0, 0.8  # of the samples: QRS complexes fill fewer than the others
_LEAST_MV = 0.05
_AROUND_MS = 12.0
_ALONE = 1.5  # times the range of the other waves around it
_LEADS = 3  # that show it
_APART_MS = 20.0
_ALIKE = 0.8  # correlation of the heights by lead
_NEARLY_ALL = 0.7  # of the leads
_FEWEST = 3  # spikes that are alike
_CUT_BEFORE_MS, _CUT_AFTER_MS = 10.0, 14.0


@dataclass(frozen=True, eq=False)
class Spikes:
    """at_s: (s,) seconds from the beginning, ascending. kind: (s,) which of them are alike, 0 the commonest."""

    at_s: np.ndarray = field(repr=False)
    kind: np.ndarray = field(repr=False)

    def __len__(self) -> int:
        return len(self.at_s)


_NONE = Spikes(np.empty(0), np.empty(0, int))


def lifted(recording: Recording) -> tuple[Recording, Spikes]:
    """The recording with a straight line in the place of each spike, and the spikes; itself where there are none."""
    if recording.rate < LEAST_RATE:
        return recording, _NONE
    places, kind = _find(recording.signal, recording.rate)
    if len(places) == 0:
        return recording, _NONE
    signal = recording.signal.copy()
    before, after = _samples(_CUT_BEFORE_MS, recording.rate), _samples(_CUT_AFTER_MS, recording.rate)
    for place in places:
        start, stop = max(place - before, 0), min(place + after, len(signal) - 1)
        signal[start : stop + 1] = np.linspace(signal[start], signal[stop], stop - start + 1)
    return replace(recording, signal=signal), Spikes(places / recording.rate, kind)


def _find(signal: np.ndarray, rate: float) -> tuple[np.ndarray, np.ndarray]:
    """(n, 12) mV, NaN in gaps -> (s,) samples of the spikes and which of them are alike."""
    from scipy.signal import find_peaks

    none = np.empty(0, int)
    reach = _samples(_LONGEST_MS, rate)
    if len(signal) < 8 * reach:
        return none, none
    out = np.zeros(signal.shape, np.float32)  # by how much a sample stands out of both sides
    middle = signal[reach:-reach]
    left, right = middle - signal[: -2 * reach], middle - signal[2 * reach :]
    out[reach:-reach] = np.where(left * right > 0, np.minimum(np.abs(left), np.abs(right)), 0)
    least = np.maximum(_NOISES * _noise(out, _samples(_STRETCH_MS, rate)), _LEAST_MV)
    leads = min(_LEADS, int(np.isfinite(signal).any(axis=0).sum()))
    near = np.flatnonzero((out > least).sum(axis=1) >= leads)
    near = near[(near >= 3 * reach) & (near < len(signal) - 3 * reach)]
    if len(near) == 0:
        return none, none
    shown, heights = _shown(signal, near, rate, reach)
    shown &= np.abs(heights) > least[near]
    height = np.where(shown.sum(axis=1) >= leads, (np.abs(heights) * shown).sum(axis=1), 0.0)
    line = np.zeros(len(signal) + 2)
    line[near + 1] = height
    peaks, _ = find_peaks(line, height=1e-12, distance=max(_samples(_APART_MS, rate), 1))
    places = peaks - 1
    rows = np.searchsorted(near, places)
    return _alike(places, heights[rows], shown[rows].mean(axis=1) >= _NEARLY_ALL)


def _noise(out: np.ndarray, stretch: int) -> np.ndarray:
    """(n, 12) how far samples usually stand out in that stretch of the recording, or in all of it: the larger."""
    count = max(len(out) // stretch, 1)
    parts = out[: count * stretch].reshape(count, -1, out.shape[1])
    local = np.partition(parts, int(_QUIETER * parts.shape[1]), axis=1)[:, int(_QUIETER * parts.shape[1])]
    local = np.maximum(local, np.median(local, axis=0))
    return np.asarray(local[np.minimum(np.arange(len(out)) // stretch, count - 1)])


def _shown(signal: np.ndarray, near: np.ndarray, rate: float, reach: int) -> tuple[np.ndarray, np.ndarray]:
    """(c, 12) which leads show a spike at these samples, and mV by which each stands out of what a median leaves."""
    around, rise = _samples(_AROUND_MS, rate), max(_samples(_RISE_MS, rate), 1)
    parts = signal[near[:, None] + np.arange(-around - reach, around + reach + 1)].astype(np.float64)
    windows = np.lib.stride_tricks.sliding_window_view(parts, 2 * reach + 1, axis=1)  # (c, 2 around + 1, 12, window)
    rest = np.median(windows, axis=-1)
    heights = parts[:, around + reach] - rest[:, around]
    steps = np.abs(parts[:, rise:] - parts[:, :-rise])
    steepest = steps[:, around : around + 2 * reach].max(axis=1)
    size = np.abs(heights)
    shown = (size > _ALONE * np.ptp(rest, axis=1)) & (steepest > _STEEP * size)
    return shown, np.where(np.isfinite(heights), heights, 0.0)


def _alike(places: np.ndarray, heights: np.ndarray, everywhere: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Those of which there are enough that have the same shape over the leads, the sign aside, and which these are. One
    that nearly all leads show is of the kind most like it: leads that are not sampled at once show it as they catch it."""
    kinds = np.full(len(places), -1)
    shapes = heights / np.maximum(np.linalg.norm(heights, axis=1, keepdims=True), 1e-300)
    alike = np.abs(shapes @ shapes.T)
    for kind in range(len(places)):
        like = ((alike >= _ALIKE) | (everywhere & everywhere[:, None])) & (kinds < 0)
        count = like.sum(axis=1) * (kinds < 0)
        if count.max(initial=0) < _FEWEST:
            break
        first = int(np.argmax(count + alike.mean(axis=1) / 2))
        kinds[like[first]] = kind
    return places[kinds >= 0], kinds[kinds >= 0]


def _samples(ms: float, rate: float) -> int:
    return round(ms * rate / 1000)
