"""Spikes of a pacemaker: shorter than any wave of the heart, in several leads at once, and of one height.

A pulse of half a millisecond that passed a cart's filter of 150 Hz is some 5 ms long; below 250 Hz too little is left.
"""

from dataclasses import replace

import numpy as np

from meit.ecg.signal.usable_leads import Leads, samples, smoothed

LEAST_RATE = 250.0  # Hz, of the recording
_LONGEST = samples(16) + 1  # a median filter of this length leaves nothing of a spike, and nearly all of other waves
_NOISES = 10.0  # times the lead's usual deflection that is this short
_LEAST_MV = 0.05
_AROUND = samples(12)
_ALONE = 0.6  # of the lead's range around it is the spike: steep QRS complexes go on
_LEADS = 3  # that show it
_APART = samples(20)
_BEFORE, _AFTER = samples(300), samples(30)  # the QRS onset: atrial and ventricular pacing
_STEADY = samples(4)  # by how much the distance from spike to QRS complex varies
_FEWEST, _LEAST_SHARE = 3, 0.4  # beats at that distance: short noise comes at any
_CUT_BEFORE, _CUT_AFTER = samples(10), samples(14)


def find_spikes(leads: Leads) -> np.ndarray:
    """(s,) samples at which there are spikes, ascending."""
    from scipy.ndimage import maximum_filter1d, median_filter, minimum_filter1d
    from scipy.signal import find_peaks

    short = np.abs(leads.signal - median_filter(leads.signal, size=(_LONGEST, 1)))
    usual = 1.4826 * np.median(short, axis=0)
    around = 2 * _AROUND + 1
    extent = maximum_filter1d(leads.signal, around, axis=0) - minimum_filter1d(leads.signal, around, axis=0)
    shown = (short > np.maximum(_NOISES * usual, _LEAST_MV)) & (short > _ALONE * extent)
    shown = maximum_filter1d(shown.astype(np.int8), 3, axis=0)  # the leads' peaks may be a sample apart
    count = shown.sum(axis=1) * (shown.sum(axis=1) >= min(_LEADS, len(leads.names)))
    height = np.where(count > 0, (short * shown).sum(axis=1), 0.0)
    places, _ = find_peaks(np.concatenate([[0], height, [0]]), distance=_APART, height=1e-12)
    return np.asarray(places - 1)


def paced_beats(spikes: np.ndarray, onsets: np.ndarray) -> np.ndarray:
    """(m,) True for beats, given by the samples of their QRS onsets, that a spike precedes at the distance that is the
    commonest; none where few have it."""
    none = np.zeros(len(onsets), bool)
    after = spikes[None, :] - onsets[:, None]
    near = after[(after >= -_BEFORE) & (after <= _AFTER)]
    if len(near) == 0:
        return none
    steady = max(((np.abs(after - distance) <= _STEADY).any(axis=1) for distance in np.unique(near)), key=np.sum)
    return steady if steady.sum() >= max(_FEWEST, _LEAST_SHARE * len(onsets)) else none


def without_spikes(leads: Leads, spikes: np.ndarray) -> Leads:
    """A straight line in the place of each spike, so that it is not taken for the onset of the QRS complex."""
    signal = leads.signal.copy()
    for spike in spikes:
        start, stop = max(spike - _CUT_BEFORE, 0), min(spike + _CUT_AFTER, len(signal) - 1)
        signal[start : stop + 1] = np.linspace(signal[start], signal[stop], stop - start + 1)
    return replace(leads, signal=signal, smooth=smoothed(signal))
