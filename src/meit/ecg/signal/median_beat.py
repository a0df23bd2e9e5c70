"""One beat of all leads: the median over the beats of the commonest shape, as electrocardiographs form it."""

from dataclasses import dataclass, field

import numpy as np

from meit.ecg.signal.beats import Beats
from meit.ecg.signal.usable_leads import Leads, samples, smoothed

FEWEST = 3  # beats: with two, the median is their mean, and an artefact in one is half in it
BEFORE_MS, AFTER_MS = 520.0, 800.0
_NOISIER = 2.0  # times the noise of the lead in the middle
_QRS = samples(100)  # around the middle, holds the QRS complex
_EARLY, _LATE = 0.85, 1.2  # of the median RR interval: beats outside have another P or T wave


@dataclass(frozen=True, eq=False)
class MedianBeat:
    """values: (length, k) mV, `middle` the sample at which the beats were aligned. smooth: the same, low-passed at
    40 Hz. noise: (k,) mV, what is left of the noise in each lead. at: the beats it was made of, samples of the
    recording. rr_ms: the recording's median RR interval."""

    values: np.ndarray = field(repr=False)
    smooth: np.ndarray = field(repr=False)
    noise: np.ndarray = field(repr=False)
    at: np.ndarray = field(repr=False)
    rr_ms: float
    middle: int = samples(BEFORE_MS)

    @property
    def weights(self) -> np.ndarray:
        """(k,) how much each lead counts where all are looked at together: less if it is much noisier than most."""
        return np.asarray(np.minimum(1.0, _NOISIER * np.median(self.noise) / np.maximum(self.noise, 1e-300)))


def median_beat(leads: Leads, at: np.ndarray, rr_ms: float) -> MedianBeat:
    """Of the beats at these samples, each of which must lie whole within the recording. Of a lead those beats are left
    out in which it has a gap; where fewer than FEWEST remain, only the gaps."""
    parts = np.stack([leads.signal[_window(sample)] for sample in at])
    parts = parts - np.median(parts, axis=1, keepdims=True)
    if leads.recorded.all():
        values = _median(parts)
        spread, count = _median(np.abs(parts - values)), len(at)  # (length, k)
    else:
        recorded = _counted(np.stack([leads.recorded[_window(sample)] for sample in at]))
        parts = np.where(recorded, parts, np.nan)
        values = np.nanmedian(parts, axis=0)
        spread, count = np.nanmedian(np.abs(parts - values), axis=0), recorded.sum(axis=0).mean(axis=0)
    noise = 1.4826 * 1.2533 * np.median(spread, axis=0) / np.sqrt(count)  # of a median of normal values
    return MedianBeat(values, smoothed(values), noise, at, rr_ms)


def _median(parts: np.ndarray) -> np.ndarray:
    """numpy's over the first axis, which holds few beats: sorted whole they take half as long."""
    ordered = np.sort(parts, axis=0)
    return np.asarray((ordered[(len(parts) - 1) // 2] + ordered[len(parts) // 2]) / 2)


def choose(leads: Leads, beats: Beats) -> np.ndarray:
    """Samples of the dominant beats that lie whole within the recording, without gaps in most leads; those with a usual
    distance to their neighbours where there are FEWEST of them. One RR interval at least."""
    usual = np.nanmedian(beats.rr)
    before = np.concatenate([[usual], beats.rr])
    after = np.concatenate([beats.rr, [usual]])
    length = len(leads.signal)
    whole = beats.dominant & (beats.at >= samples(BEFORE_MS)) & (beats.at + samples(AFTER_MS) < length)
    if not leads.recorded.all():
        gap = np.concatenate([[0], np.cumsum(leads.recorded.mean(axis=1) <= 0.5)])
        inside = whole.copy()
        whole &= _none(gap, beats.at - samples(BEFORE_MS), beats.at + samples(AFTER_MS))
        if whole.sum() < FEWEST:  # of many short gaps some lie in every beat
            whole = inside & _none(gap, beats.at - _QRS, beats.at + _QRS)
    even = whole & (before >= _EARLY * usual) & (after >= _EARLY * usual) & (before <= _LATE * usual)
    return np.asarray(beats.at[even if even.sum() >= FEWEST else whole])


def _none(counts: np.ndarray, start: np.ndarray, stop: np.ndarray) -> np.ndarray:
    """(n + 1,) how many samples of a kind come before each -> (m,) True where there is none from start to stop."""
    start, stop = (np.clip(place, 0, len(counts) - 1) for place in (start, stop))
    return np.asarray(counts[stop] == counts[start])


def _counted(recorded: np.ndarray) -> np.ndarray:
    """(beats, length, k) where the leads were recorded -> which samples the median is taken of."""
    whole = np.asarray(recorded.all(axis=1))
    enough = whole.sum(axis=0) >= FEWEST
    counted = np.where(enough, whole[:, None], recorded)
    return np.asarray(counted | ~counted.any(axis=0))  # in gaps of all beats what bridges them


def _window(sample: int) -> slice:
    return slice(max(sample - samples(BEFORE_MS), 0), sample + samples(AFTER_MS))
