"""What everything is measured on: the leads that can be used, at one rate, without gaps and without baseline wander."""

from dataclasses import dataclass, field

import numpy as np

from meit.ecg.recording import LEADS, Recording
from meit.ecg.signal.filtering import MAINS_HZ, notch, zero_phase
from meit.ecg.signal.gaps import recorded_signal
from meit.ecg.signal.plateaus import FLAT_MV
from meit.ecg.signal.resampling import bridge_leads, resample

RATE = 500.0  # Hz, of all that follows (Kligfield et al., Circulation 115:1306-1324, 2007, ask for 500)
MS = 1000.0 / RATE
LONGEST_S = 300.0  # of a longer recording the beginning is measured
SHORTEST_S = 2.0
_BASELINE_HZ = 0.5  # zero phase, which keeps the ST segment (Kligfield et al. allow up to 0.67 Hz)
_SMOOTH_HZ = 40.0  # for onsets and offsets, so that recordings of 100 Hz and of 500 Hz are alike
_LEAST_RECORDED = 0.5  # of a lead, of the time in which any is
_HUM_WIDTH_HZ, _HUM_STANDS_OUT = 1.5, 30.0  # times the power beside it
_MOST_MV = 1e30  # with room for what filters add, in float32
_CLIP = 4.0  # a sample this many times the lead's usual range from its middle is an artefact


@dataclass(frozen=True, eq=False)
class Leads:
    """names: of k usable leads, in the order of LEADS. signal: (n, k) mV at RATE, baseline wander removed.
    smooth: the same, low-passed at 40 Hz. recorded: (n, k) False in gaps, which are bridged by lines."""

    names: tuple[str, ...]
    signal: np.ndarray = field(repr=False)
    smooth: np.ndarray = field(repr=False)
    recorded: np.ndarray = field(repr=False)

    def only(self, chosen: np.ndarray) -> "Leads":
        """The leads for which (k,) is True."""
        names = tuple(name for name, use in zip(self.names, chosen, strict=True) if use)
        return Leads(names, self.signal[:, chosen], self.smooth[:, chosen], self.recorded[:, chosen])


def samples(ms: float) -> int:
    """Of so many milliseconds, at RATE."""
    return round(ms / MS)


def usable_leads(recording: Recording) -> Leads | None:
    """None where no lead can be used or less than SHORTEST_S are there."""
    first = recording.signal[: round(LONGEST_S * recording.rate)]
    if len(first) < SHORTEST_S * recording.rate:
        return None
    at_rate = resample(np.clip(recorded_signal(first, recording.rate), -_MOST_MV, _MOST_MV), recording.rate, RATE)
    recorded = np.isfinite(at_rate)
    seconds = recorded.sum(axis=0) / RATE
    enough = seconds >= max(SHORTEST_S, _LEAST_RECORDED * recorded.any(axis=1).sum() / RATE)
    if not enough.any():
        return None
    values = bridge_leads(at_rate[:, enough], recorded[:, enough])
    low, middle, high = np.percentile(values, (0.5, 50, 99.5), axis=0)
    values = np.clip(values, middle - _CLIP * (high - low), middle + _CLIP * (high - low))
    level = _without_hum(band_filtered(values, "highpass", _BASELINE_HZ))
    uneven = np.ptp(level, axis=0) >= FLAT_MV
    if not uneven.any():
        return None
    names = tuple(lead for lead, use in zip(LEADS, enough, strict=True) if use)
    level = np.ascontiguousarray(level[:, uneven])
    return Leads(
        names=tuple(name for name, use in zip(names, uneven, strict=True) if use),
        signal=level,
        smooth=smoothed(level),
        recorded=recorded[:, enough][:, uneven],
    )


def smoothed(values: np.ndarray) -> np.ndarray:
    """(n, k) -> (n, k) without what is above 40 Hz."""
    return band_filtered(values, "lowpass", _SMOOTH_HZ)


def band_filtered(values: np.ndarray, kind: str, hz: float | tuple[float, float]) -> np.ndarray:
    """(n, k) at RATE -> (n, k), through a second-order Butterworth filter of zero phase; see zero_phase."""
    # a long slow transient at the ends would look like a wave
    return zero_phase(values, kind, hz, RATE, padding=samples(1000 if kind == "highpass" else 200))


def _without_hum(values: np.ndarray) -> np.ndarray:
    """Without the mains' frequency where it stands out in one lead at least: a notch filter rings at QRS complexes."""
    power = np.abs(np.fft.rfft(values - values.mean(axis=0), axis=0)) ** 2
    frequency = np.fft.rfftfreq(len(values), 1 / RATE)
    for hum in MAINS_HZ:
        away = np.abs(frequency - hum)
        beside = np.median(power[(away > 2 * _HUM_WIDTH_HZ) & (away < 6 * _HUM_WIDTH_HZ)], axis=0)
        if (power[away < _HUM_WIDTH_HZ / 2].mean(axis=0) > _HUM_STANDS_OUT * beside).any():
            values = notch(values, hum, _HUM_WIDTH_HZ, RATE, padding=samples(500))
    return values
