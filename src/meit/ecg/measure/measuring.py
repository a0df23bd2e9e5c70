"""Look -> Measurements: the rhythm, and what the waves of the median beat give."""

from meit.ecg.measure.looking import Look, look
from meit.ecg.measure.measurements import GLOBAL, Measure, Measurements
from meit.ecg.measure.pacing import LEAST_RATE
from meit.ecg.measure.presence import presence
from meit.ecg.measure.reliability import Doubts
from meit.ecg.measure.rhythm import irregularity, measured_rhythm, premature
from meit.ecg.measure.values import axes, by_lead, corrected, doubted, durations, voltages
from meit.ecg.recording import Recording
from meit.ecg.signal.gaps import as_recorded
from meit.ecg.signal.limb_laws import limb_laws

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
    values = measured_rhythm(beats, premature(leads, beats, waves), p.value == 1, seen.sureness, missing)
    if beat is None or waves is None or seen.paced is None:
        return _complete(values, missing)
    values["p_present"] = p
    if recording.rate < _LEAST_RATE:
        return _complete(values, f"intervals and amplitudes need {_LEAST_RATE:g} samples a second")

    if recording.rate >= LEAST_RATE:
        values["paced_beats"] = Measure(float(seen.paced.mean()), seen.sureness)
    else:
        values["paced_beats"] = Measure(None, 0.0, f"pacing spikes need {LEAST_RATE:g} samples a second")
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


def _complete(values: dict[str, Measure], why: str, leads: dict[str, dict[str, Measure]] | None = None) -> Measurements:
    """With the reason for all that is not there."""
    return Measurements({name: values.get(name) or Measure(None, 0.0, why) for name in GLOBAL}, leads or {})
