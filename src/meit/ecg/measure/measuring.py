"""Look -> Measurements: the rhythm, and what the waves of the median beat give."""

from meit.ecg.measure.looking import Look, look
from meit.ecg.measure.measurements import GLOBAL, Measure, Measurements
from meit.ecg.measure.reliability import Doubts
from meit.ecg.measure.rhythms.atrial import atrial, of_flutter
from meit.ecg.measure.rhythms.flutter import flutter
from meit.ecg.measure.rhythms.premature import premature
from meit.ecg.measure.rhythms.presence import presence
from meit.ecg.measure.rhythms.rhythm import irregularity, measured_rhythm
from meit.ecg.measure.values import axes, by_lead, corrected, doubted, durations, voltages
from meit.ecg.recording import Recording
from meit.ecg.signal.gaps import as_recorded
from meit.ecg.signal.limb_laws import limb_laws
from meit.ecg.signal.spikes import LEAST_RATE

_LEAST_RATE = 80.0  # Hz, for all but the rhythm: QRS complexes are blurred below


def measure(recording: Recording) -> Measurements:
    """Measures a recording, of a long one the first five minutes; never raises for one that passed its own checks.

    What the signal does not bear has the value None and says why. In atrial fibrillation the rate is that of the mean
    RR interval, and QT that of the median beat: averages of what differs from beat to beat.
    """
    return measured(recording, look(recording))


def measured(recording: Recording, seen: Look) -> Measurements:
    """`measure`, on the look that was taken of the recording before."""
    if seen.leads is None or seen.beats is None:
        return _complete({}, seen.missing)
    leads, beats, beat, waves, missing = seen.leads, seen.beats, seen.beat, seen.waves, seen.missing
    p = (
        Measure(None, 0.0, missing)
        if beat is None or waves is None
        else presence(leads, beat, waves, irregularity(beats))
    )
    early, dropped = premature(leads, beats, waves), False
    of_atria: dict[str, Measure] = {}
    if beat is not None and waves is not None:
        narrow = bool(early.supraventricular.any())
        fluttering = flutter(leads, beats, beat, waves, irregularity(beats), seen.sureness)
        if fluttering.value is None:
            of_atria, dropped = atrial(leads, beats, beat, waves, p, seen.sureness, narrow)
        else:
            of_atria, dropped, p = of_flutter(fluttering), True, Measure(0.0, fluttering.reliability)
        of_atria["flutter_rate_bpm"] = fluttering
    early = early.unless_dropped() if dropped else early
    values = measured_rhythm(beats, early, p.value == 1 or dropped, seen.sureness, missing) | of_atria
    values |= _measured_pacing(recording, seen)
    if beat is None or waves is None:
        return _complete(values, missing)
    values["p_present"] = p
    if recording.rate < _LEAST_RATE:
        return _complete(values, f"intervals and amplitudes need {_LEAST_RATE:g} samples a second")

    doubts = Doubts(leads, beat)
    values |= durations(waves, doubts, p)
    values |= corrected(values["qt_ms"], values["heart_rate_bpm"])
    values |= axes(leads, beat, waves, doubts, p)
    recording = as_recorded(recording)
    lead_values, sizes = by_lead(recording, leads, beat, waves, doubts)
    values |= voltages(lead_values, sizes)
    broken = limb_laws(dict(zip(leads.names, beat.smooth.T, strict=True))).broken  # in the median beat, without noise
    if broken:
        values, lead_values = doubted(values, lead_values, ", ".join(broken))
    return _complete(values, "not measured", lead_values)


def _measured_pacing(recording: Recording, seen: Look) -> dict[str, Measure]:
    names = ("paced_beats", "spikes_without_capture")
    if recording.rate < LEAST_RATE or seen.paced is None:
        return dict.fromkeys(names, Measure(None, 0.0, f"pacing spikes need {LEAST_RATE:g} samples a second"))
    lost = seen.uncaptured
    none = Measure(None, 0.0, "no beat is paced, and no spikes come at one interval")
    found = (Measure(float(seen.paced.mean()), seen.sureness), none if lost is None else Measure(lost, seen.sureness))
    return dict(zip(names, found, strict=True))


def _complete(values: dict[str, Measure], why: str, leads: dict[str, dict[str, Measure]] | None = None) -> Measurements:
    """With the reason for all that is not there."""
    return Measurements({name: values.get(name) or Measure(None, 0.0, why) for name in GLOBAL}, leads or {})
