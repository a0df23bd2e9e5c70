"""Recording -> Look: its beats, their median, and the waves of that: what everything is measured on."""

from dataclasses import dataclass

import numpy as np

from meit.ecg.measure.boundaries import Waves, find_waves
from meit.ecg.measure.rhythms.pacing import paced_beats, without_capture
from meit.ecg.measure.rhythms.rhythm import shared_beats
from meit.ecg.recording import LIMB_LEADS, Recording
from meit.ecg.signal.beats import Beats, find_beats, qrs_slope
from meit.ecg.signal.median_beat import FEWEST, MedianBeat, choose, median_beat
from meit.ecg.signal.spikes import Spikes, lifted
from meit.ecg.signal.usable_leads import MS, RATE, Leads, samples, usable_leads

_AGREED = 0.7  # of the beats, found in the limb leads or in the chest leads alone too
_FOUND = 0.35  # how surely the beats were found
_DOMINANT = 0.4  # of the beats have the commonest shape
_LONGEST_QRS_MS = 300.0
_ONSET = samples(40)  # of the QRS complex before its steepest place, where it could not be measured


@dataclass(frozen=True, eq=False)
class Look:
    """What is measured on. leads, beats and paced: None where no beats were found surely. beat and waves: None too where
    there is no median beat. missing: why something is None, empty where nothing is.

    beats: of the recording. sureness: of their being beats, 0 to 1. leads: without pacing spikes. beat, waves: of the
    commonest shape. paced: (m,) which of the beats are paced. uncaptured: how many ventricular spikes no QRS complex
    follows; None where nothing is paced.
    """

    leads: Leads | None = None
    beats: Beats | None = None
    sureness: float = 0.0
    beat: MedianBeat | None = None
    waves: Waves | None = None
    paced: np.ndarray | None = None
    uncaptured: int | None = None
    missing: str = ""


def look(recording: Recording) -> Look:
    """The beats of a recording and their median; of a long one, of its first five minutes. Never raises."""
    recording, spikes = lifted(recording)
    leads = usable_leads(recording)
    if leads is None:
        return Look(missing="no lead can be used, or less than two seconds are recorded")
    slope = qrs_slope(leads)
    beats = find_beats(leads, slope)
    if not np.isfinite(beats.rr).any():
        return Look(missing="fewer than two beats found")
    best, sureness = _agreement(leads, slope, beats)
    if best < _AGREED or sureness < _FOUND:
        return Look(missing="no beats that several leads show alike")
    if beats.dominant.mean() < _DOMINANT:
        return Look(missing="no two beats in five have one shape")
    chosen = choose(leads, beats)
    if len(chosen) < FEWEST:
        why = f"fewer than {FEWEST} whole beats of one shape"
        return Look(leads, beats, sureness, None, None, *_pacing(spikes, beats.at - _ONSET, leads), missing=why)
    beat = median_beat(leads, chosen, float(np.nanmedian(beats.rr) * MS))
    waves = find_waves(beat)
    if waves is None or waves.qrs_ms > _LONGEST_QRS_MS:
        return Look(missing="no QRS complex stands out in the median beat")
    pacing = _pacing(spikes, beats.at + waves.qrs_on - beat.middle, leads)
    return Look(leads, beats, sureness, beat, waves, *pacing)


def _agreement(leads: Leads, slope: np.ndarray, beats: Beats) -> tuple[float, float]:
    """Of the beats found in all leads and those found in the limb leads alone, and in the chest leads alone (in every
    second lead, where one of these is not there): the better agreement, and the mean one times how clear and how alike
    the beats are. One lead agrees with itself."""
    limb = np.array([name in LIMB_LEADS for name in leads.names])
    if limb.all() or not limb.any():
        limb = np.arange(len(limb)) % 2 == 0
    groups = [group for group in (limb, ~limb) if group.any()]
    agreed = [shared_beats(beats, find_beats(leads.only(group), slope[:, group])) for group in groups]
    return max(agreed), float(np.mean(agreed) * beats.clear * np.maximum(beats.likeness, 0).mean())


def _pacing(spikes: Spikes, onsets: np.ndarray, leads: Leads) -> tuple[np.ndarray, int | None]:
    """Which of the beats are paced, and how many spikes are without capture; onsets: samples of the QRS onsets."""
    at = np.round(spikes.at_s * RATE).astype(int)
    paced = paced_beats(at, spikes.kind, onsets)
    lost = without_capture(at, spikes.kind, onsets, len(leads.signal))
    return paced, lost if lost or paced.any() else None
