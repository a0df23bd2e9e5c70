"""What everything is measured on: the leads that can be used, at one rate, without gaps and without baseline wander."""

from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from meit.ecg.recording import LEADS, Recording
from meit.ecg.signal.resampling import bridge_leads, resample

RATE = 500.0  # Hz, of all that follows (Kligfield et al., Circulation 115:1306-1324, 2007, ask for 500)
MS = 1000.0 / RATE
LONGEST_S = 300.0  # of a longer recording the beginning is measured
SHORTEST_S = 2.0
_BASELINE_HZ = 0.5  # zero phase, which keeps the ST segment (Kligfield et al. allow up to 0.67 Hz)
_SMOOTH_HZ = 40.0  # for onsets and offsets, so that recordings of 100 Hz and of 500 Hz are alike
_LEAST_RECORDED = 0.8  # of a lead
_HUMS_HZ, _HUM_WIDTH_HZ, _HUM_STANDS_OUT = (50.0, 60.0), 1.5, 30.0  # times the power beside it
_FLAT_MV = 0.02  # peak to peak; the smallest QRS complexes have 0.05 mV
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
    return round(ms / MS)


def usable_leads(recording: Recording) -> Leads | None:
    """None where no lead can be used or less than SHORTEST_S are there."""
    first = recording.signal[: round(LONGEST_S * recording.rate)]
    if len(first) < SHORTEST_S * recording.rate:
        return None
    at_rate = resample(np.clip(first, -_MOST_MV, _MOST_MV), recording.rate, RATE)
    recorded = np.isfinite(at_rate)
    enough = recorded.mean(axis=0) >= _LEAST_RECORDED
    if not enough.any():
        return None
    values = bridge_leads(at_rate[:, enough], recorded[:, enough])
    low, middle, high = np.percentile(values, (0.5, 50, 99.5), axis=0)
    values = np.clip(values, middle - _CLIP * (high - low), middle + _CLIP * (high - low))
    level = _without_hum(zero_phase(values, "highpass", _BASELINE_HZ))
    uneven = np.ptp(level, axis=0) >= _FLAT_MV
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
    return zero_phase(values, "lowpass", _SMOOTH_HZ)


def zero_phase(values: np.ndarray, kind: str, hz: float | tuple[float, float]) -> np.ndarray:
    """(n, k) -> (n, k), second-order Butterworth (scipy) run both ways. kind: "highpass", "lowpass" or "bandpass"."""
    from scipy.signal import sosfiltfilt

    # a long slow transient at the ends would look like a wave
    padding = min(samples(1000 if kind == "highpass" else 200), len(values) - 1)
    return sosfiltfilt(_sections(kind, hz), values, axis=0, padlen=padding)


def _without_hum(values: np.ndarray) -> np.ndarray:
    """Without the mains' frequency where it stands out in one lead at least: a notch filter rings at QRS complexes."""
    from scipy.signal import filtfilt, iirnotch

    power = np.abs(np.fft.rfft(values - values.mean(axis=0), axis=0)) ** 2
    frequency = np.fft.rfftfreq(len(values), 1 / RATE)
    for hum in _HUMS_HZ:
        away = np.abs(frequency - hum)
        beside = np.median(power[(away > 2 * _HUM_WIDTH_HZ) & (away < 6 * _HUM_WIDTH_HZ)], axis=0)
        if (power[away < _HUM_WIDTH_HZ / 2].mean(axis=0) > _HUM_STANDS_OUT * beside).any():
            b, a = iirnotch(hum, hum / _HUM_WIDTH_HZ, RATE)
            values = filtfilt(b, a, values, axis=0, padlen=min(samples(500), len(values) - 1))
    return values


@lru_cache(maxsize=16)
def _sections(kind: str, hz: float | tuple[float, float]) -> np.ndarray:
    from scipy.signal import butter

    return butter(2, hz, btype=kind, fs=RATE, output="sos")
