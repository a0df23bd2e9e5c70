"""Recording -> Measurements: its beats, their median, the waves of that, and what follows from them."""

from dataclasses import dataclass

import numpy as np

from meit.ecg.measure.boundaries import Waves, find_waves
from meit.ecg.measure.measurements import GLOBAL, Measure, Measurements
from meit.ecg.measure.pacing import LEAST_RATE, find_spikes, paced_beats, without_spikes
from meit.ecg.measure.presence import presence
from meit.ecg.measure.reliability import Doubts
from meit.ecg.measure.rhythm import agreement, irregularity, measured_rhythm, premature
from meit.ecg.measure.signals import MS, Leads, usable_leads
from meit.ecg.measure.values import axes, by_lead, corrected, durations, voltages
from meit.ecg.recording import LIMB_LEADS, Recording
from meit.ecg.signal.beats import Beats, find_beats
from meit.ecg.signal.median_beat import FEWEST, MedianBeat, choose, median_beat

_AGREED = 0.7  # of the beats, found in the limb leads or in the chest leads alone too
_FOUND = 0.35  # how surely the beats were found
_DOMINANT = 0.4  # of the beats have the commonest shape
_LONGEST_QRS_MS = 300.0
_LEAST_RATE = 80.0  # Hz, for all but the rhythm: QRS complexes are blurred below


@dataclass(frozen=True, eq=False)
class Seen:
    """What is measured on. beats: of the recording. found: how surely, 0 to 1. leads: without pacing spikes, where beat
    and waves are those of the median beat and paced (m,) tells which beats are paced; None, where `missing` says why.
    """

    leads: Leads
    beats: Beats
    found: float
    beat: MedianBeat | None = None
    waves: Waves | None = None
    paced: np.ndarray | None = None
    missing: str = ""


def look(recording: Recording) -> Seen | str:
    """The beats of a recording and their median, or the reason why there is nothing to measure."""
    leads = usable_leads(recording)
    if leads is None:
        return "no lead can be used, or less than two seconds are recorded"
    beats = find_beats(leads)
    if not np.isfinite(beats.rr).any():
        return "fewer than two beats found"
    best, found = _agreement(leads, beats)
    if best < _AGREED or found < _FOUND:
        return "no beats that several leads show alike"
    if beats.dominant.mean() < _DOMINANT:
        return "no two beats in five have one shape"
    chosen = choose(leads, beats)
    if len(chosen) < FEWEST:
        return Seen(leads, beats, found, missing=f"fewer than {FEWEST} whole beats of one shape")
    leads, beat, waves, paced = _median_beat(leads, beats, chosen)
    if waves.qrs_on is None or waves.ms("qrs_on", "qrs_off") > _LONGEST_QRS_MS:
        return "no QRS complex stands out in the median beat"
    return Seen(leads, beats, found, beat, waves, paced)


def measure(recording: Recording) -> Measurements:
    """Measures a recording, of a long one the first five minutes; never raises for one that passed its own checks.

    What the signal does not bear has the value None and says why. In atrial fibrillation the rate is that of the mean
    RR interval, and QT that of the median beat: averages of what differs from beat to beat.
    """
    return measured(recording, look(recording))


def measured(recording: Recording, seen: Seen | str) -> Measurements:
    """`measure` of what `look` has seen."""
    if isinstance(seen, str):
        return _complete({}, seen)
    leads, beats, beat, waves, missing = seen.leads, seen.beats, seen.beat, seen.waves, seen.missing
    p = Measure(None, 0.0, missing) if waves is None else presence(leads, beat, waves, irregularity(beats))
    values = measured_rhythm(beats, premature(leads, beats, waves), p.value == 1, seen.found, missing)
    if waves is None:
        return _complete(values, missing)
    values["p_present"] = p
    if recording.rate < _LEAST_RATE:
        return _complete(values, f"intervals and amplitudes need {_LEAST_RATE:g} samples a second")

    if recording.rate >= LEAST_RATE:
        values["paced_beats"] = Measure(float(seen.paced.mean()), seen.found)
    else:
        values["paced_beats"] = Measure(None, 0.0, f"pacing spikes need {LEAST_RATE:g} samples a second")
    doubts = Doubts(leads, beat)
    values |= durations(waves, doubts, p)
    values |= corrected(values["qt_ms"], values["heart_rate_bpm"])
    values |= axes(leads, beat, waves, doubts, p)
    lead_values, sizes = by_lead(recording, leads, beat, waves, doubts)
    values |= voltages(lead_values, sizes)
    return _complete(values, "not measured", lead_values)


def _agreement(leads: Leads, beats: Beats) -> tuple[float, float]:
    """Of the beats found in all leads and those found in the limb leads alone, and in the chest leads alone (in every
    second lead, where one of these is not there): the better agreement, and the mean one times how clear and how alike
    the beats are. One lead agrees with itself."""
    limb = np.array([name in LIMB_LEADS for name in leads.names])
    if limb.all() or not limb.any():
        limb = np.arange(len(limb)) % 2 == 0
    groups = [group for group in (limb, ~limb) if group.any()]
    agreed = [agreement(beats, find_beats(leads.only(group))) for group in groups]
    return max(agreed), float(np.mean(agreed) * beats.clear * np.maximum(beats.likeness, 0).mean())


def _median_beat(leads: Leads, beats: Beats, chosen: np.ndarray) -> tuple[Leads, MedianBeat, Waves, np.ndarray]:
    """The leads without pacing spikes, the median beat, its waves, and (m,) which beats are paced."""
    rr_ms = float(np.nanmedian(beats.rr) * MS)
    beat = median_beat(leads, chosen, rr_ms)
    waves = find_waves(beat)
    spikes = find_spikes(leads)
    onset = beat.middle if waves.qrs_on is None else waves.qrs_on
    paced = paced_beats(spikes, beats.at + onset - beat.middle)
    if paced.any():
        leads = without_spikes(leads, spikes)
        beat = median_beat(leads, chosen, rr_ms)
        waves = find_waves(beat)
    return leads, beat, waves, paced


def _complete(values: dict[str, Measure], why: str, leads: dict[str, dict[str, Measure]] | None = None) -> Measurements:
    """With the reason for all that is not there."""
    return Measurements({name: values.get(name) or Measure(None, 0.0, why) for name in GLOBAL}, leads or {})
