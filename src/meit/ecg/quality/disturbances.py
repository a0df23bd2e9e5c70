"""Noise by lead: how many millivolts of each kind, and from when on it matters.

Kinds as in the noise stress test and the Challenge of 2011 (Silva, Moody, Celi, Computing in Cardiology 38:273-276):
baseline wander (the idea of basSQI, the share of power at the lowest frequencies), muscle noise, mains hum, and
electrode motion.
"""

from dataclasses import dataclass

import numpy as np

from meit.ecg.quality.excerpt import BAND_RATE, HALF, Excerpt, aligned, around
from meit.ecg.signal.filtering import MAINS_HZ, zero_phase

_SLOW_HZ, _SLOW_RATE = 0.5, 10.0
_MUSCLE_HZ = (20.0, 100.0)
_MOST_HZ = 0.45  # of the sampling rate
_QUIET = 0.4  # quantile over tenths of a second: QRS complexes fill fewer than the others
_HUM_HZ, _BESIDE_HZ = 0.5, (1.0, 4.0)
_BEFORE, _AFTER = round(0.20 * BAND_RATE), round(0.35 * BAND_RATE)  # of a beat
_LEAST_ALIKE = 0.8  # beats of one shape
_FEWEST_BEATS = 3
_FEWEST_SECONDS = 3


@dataclass(frozen=True)
class Limit:
    """A lead is named from this many times its usual range on, and this many mV."""

    of_size: float
    least_mv: float


# set so that few of PTB-XL's folds 1-8 and of half of MIMIC-IV-ECG's patients are named: docs/quality.md
LIMITS = {
    "artefacts": Limit(1.5, 0.3),
    "unsteady": Limit(0.09, 0.05),
    "baseline_wander": Limit(1.5, 1.0),
    "muscle_noise": Limit(0.05, 0.025),
    "mains_hum": Limit(0.05, 0.025),
}
MOST_RESTLESS = 1.18


def disturbances(excerpt: Excerpt) -> dict[str, np.ndarray]:
    """(12,) mV of each of LIMITS; 0 for leads that cannot be used."""
    centred = excerpt.values - np.median(excerpt.values, axis=0)
    hum, uneven = mains_hum_mv(centred, excerpt.rate), uneven_seconds(excerpt)
    amounts = {
        "artefacts": knocks(uneven),
        "unsteady": unsteadiness(excerpt),
        "baseline_wander": wander(centred, excerpt.rate),
        "muscle_noise": muscle_noise(centred, excerpt.rate, hum),
        "mains_hum": hum,
    }
    return {name: np.where(excerpt.usable, values, 0.0) for name, values in amounts.items()}


def over_limit(excerpt: Excerpt, amounts: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """(12,) which leads are over the limit."""
    return {
        name: excerpt.usable & (values >= LIMITS[name].least_mv) & (values >= LIMITS[name].of_size * excerpt.size)
        for name, values in amounts.items()
    }


def wander(centred: np.ndarray, rate: float) -> np.ndarray:
    """(n, 12) -> (12,) range of what is below 0.5 Hz."""
    step = max(int(rate / _SLOW_RATE), 1)
    means = centred[: len(centred) // step * step].reshape(-1, step, centred.shape[1]).mean(axis=1)
    slow = zero_phase(means, "lowpass", _SLOW_HZ, rate / step, padding=15)
    return np.asarray(np.ptp(slow, axis=0))


def muscle_noise(centred: np.ndarray, rate: float, hum: np.ndarray) -> np.ndarray:
    """(n, 12) -> (12,) RMS of 20-100 Hz (as far as the rate goes) between the QRS complexes, without the hum."""
    band = (_MUSCLE_HZ[0], min(_MUSCLE_HZ[1], _MOST_HZ * rate))
    fast = zero_phase(centred, "bandpass", band, rate, order=4, padding=int(0.2 * rate))
    length = max(int(0.1 * rate), 2)
    power = (fast[: len(fast) // length * length].reshape(-1, length, fast.shape[1]) ** 2).mean(axis=1)
    return np.asarray(np.sqrt(np.maximum(np.quantile(power, _QUIET, axis=0) - hum**2, 0)))


def mains_hum_mv(centred: np.ndarray, rate: float) -> np.ndarray:
    """(n, 12) -> (12,) RMS of the stronger of 50 and 60 Hz, less what lies beside it; 0 where the rate is too low."""
    hann = np.hanning(len(centred))
    power = np.abs(np.fft.rfft(centred * hann[:, None], axis=0)) ** 2 * 2 / (len(centred) * (hann**2).sum())
    frequency = np.fft.rfftfreq(len(centred), 1 / rate)
    hums = [np.zeros(centred.shape[1])]
    for hum in MAINS_HZ:
        away = np.abs(frequency - hum)
        line, beside = away <= _HUM_HZ, (away > _BESIDE_HZ[0]) & (away < _BESIDE_HZ[1])
        if hum < _MOST_HZ * rate and line.any() and beside.any():
            hums.append(power[line].sum(axis=0) - line.sum() * np.median(power[beside], axis=0))
    return np.asarray(np.sqrt(np.maximum(np.max(hums, axis=0), 0)))


def knocks(uneven: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """(12,) by how much a lead's largest second exceeds its usual one, where most leads do not do so too.

    A premature beat is large in many leads, a knocked electrode in those that hang on it.
    """
    times, usual = uneven
    return np.asarray((times - 1) * usual)


def restlessness(excerpt: Excerpt) -> float:
    """How many times as large as usual the largest second is, not counting what most leads do together, in the lead in
    the middle. Where patients move, each electrode does so in its own time; at 12 dB of such noise it is 1.2."""
    return float(np.median(uneven_seconds(excerpt)[0][excerpt.usable]))


def uneven_seconds(excerpt: Excerpt) -> tuple[np.ndarray, np.ndarray]:
    """(12,) how many times as large as usual the range of a lead's largest second is, and mV of the usual one.

    Seconds around beats of another shape are left out; where fewer than FEWEST_SECONDS remain, nothing is uneven.
    """
    length = min(round(BAND_RATE), len(excerpt.band))
    count = len(excerpt.band) // length
    ranges = np.ptp(excerpt.band[: count * length].reshape(count, length, -1), axis=1)
    odd = _odd_beats(excerpt)
    kept = np.ones(count, bool)
    for shift in (-_AFTER, 0, 2 * _AFTER):  # its T wave too
        kept[np.clip((odd + shift) // length, 0, count - 1)] = False
    usual = np.maximum(np.median(ranges, axis=0), 1e-9)
    if kept.sum() < _FEWEST_SECONDS:
        return np.ones(len(usual)), usual
    times = ranges[kept] / usual
    together = np.median(times[:, excerpt.usable], axis=1)
    return (times / np.maximum(together, 1)[:, None]).max(axis=0), usual


def _odd_beats(excerpt: Excerpt) -> np.ndarray:
    """Places of beats that look unlike the median beat in most leads, as premature ones do; a knock is seen in few."""
    leads = excerpt.band[:, excerpt.usable] / excerpt.size[excerpt.usable]
    at, _, template = aligned(leads, excerpt.beats)
    parts = around(leads, at, HALF, HALF)
    parts = parts - parts.mean(axis=1, keepdims=True)
    sizes = np.linalg.norm(parts, axis=1) * np.linalg.norm(template, axis=0)
    alike = (parts * template).sum(axis=1) / np.maximum(sizes, 1e-300)
    return np.asarray(at[np.median(alike, axis=1) < _LEAST_ALIKE])


def unsteadiness(excerpt: Excerpt) -> np.ndarray:
    """(12,) RMS by which beats of the commonest shape differ from their median, of the beat in the middle."""
    leads = excerpt.band[:, excerpt.usable] / excerpt.size[excerpt.usable]
    at, alike, _ = aligned(leads, excerpt.beats)
    parts = around(excerpt.band, at[alike >= _LEAST_ALIKE], _BEFORE, _AFTER)
    if len(parts) < _FEWEST_BEATS:
        return np.zeros(len(excerpt.size))
    parts = parts - parts.mean(axis=1, keepdims=True)
    return np.asarray(np.median(np.sqrt(((parts - np.median(parts, axis=0)) ** 2).mean(axis=1)), axis=0))
