"""Noise and faults of recording, added to a 12-lead ECG in measured amounts.

Noise arises at the electrodes RA, LA, LL and V1-V6, and the leads see its differences (Einthoven, Goldberger, Wilson).
It is made there, so that I + III = II and aVR + aVL + aVF = 0 hold in the noisy ECG too.

A signal-to-noise ratio is that of the noise stress test (Moody, Muldrow, Mark, Computers in Cardiology 11:381-384,
1984; the program nst of the WFDB software package), 10 log10(S / N):

    S   peak-to-peak amplitude of the QRS complex, squared, / 8. As no beats are annotated here, the amplitude is the
        median over stretches of 2 s of the lead's range in 0.5-40 Hz.
    N   square of the mean, over whole seconds, of the noise's RMS about that second's mean.

nst gives each signal a gain of its own. So do we to each chest lead; the six limb leads share one, without which their
laws would break: S and N are then means over them. N is taken of the noise as an electrocardiograph records it, up to
150 Hz (Kligfield et al., Circulation 115:1306-1324, 2007) at 500 Hz; a recording that is kept at a lower rate gets
that noise through the same anti-aliasing filter as its ECG, so that hum, for example, vanishes from one of 100 Hz.

Recordings that were band-passed and z-scored lead by lead (unit "z") get the noise that the recording in mV would have
got, band-passed like them: ratios do not need millivolts, and the limb leads' common scale is recovered as
`meit.ecg.signal.normalising` does.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from meit.ecg.recording import CHEST_LEADS, LEADS, LIMB_LEADS
from meit.ecg.signal.normalising import band_pass, limb_ratio
from meit.ecg.signal.resampling import bridge_leads, resample
from meit.errors import RecordingError

SNR_DB = (24.0, 18.0, 12.0, 6.0, 0.0, -6.0)
SEGMENT_SHARES = (0.05, 0.10, 0.15, 0.20)
SWAPS = ("RA-LA", "RA-LL", "LA-LL", "V1-V2", "V2-V3", "V3-V4", "V4-V5", "V5-V6")

ELECTRODES = ("RA", "LA", "LL", *CHEST_LEADS)
TO_LEADS = np.zeros((len(LEADS), len(ELECTRODES)))  # leads = electrodes @ TO_LEADS.T
TO_LEADS[:6, :3] = np.array([[-1, 1, 0], [-1, 0, 1], [0, -1, 1], [1, -0.5, -0.5], [-0.5, 1, -0.5], [-0.5, -0.5, 1]])
TO_LEADS[6:, :3] = -1 / 3  # Wilson's central terminal
TO_LEADS[6:, 3:] = np.eye(6)

MADE_AT = 500.0  # Hz; recordings of a higher rate get noise of their own rate
_HIGHEST = 150.0  # Hz
_BEAT_SECONDS = 2.0  # holds a beat at 30 per minute
_MOST_SEGMENTS = 5
_LIMB = slice(0, len(LIMB_LEADS))

Source = Callable[[int, float, np.random.Generator], np.ndarray]  # n, rate -> (n, 9) noise of the electrodes, any scale


@dataclass(frozen=True)
class Noise:
    """add(signal (n, 12) with NaN gaps, rate in Hz, level, generator, unit="mV") -> float32 of the same shape.

    NaN stay NaN. The generator alone decides the noise, whatever the level: a lower SNR is the same noise, larger.
    measure: what the levels say.
    """

    add: Callable[..., np.ndarray]
    levels: tuple[float, ...] | tuple[str, ...]
    measure: str


def baseline_wander(n: int, rate: float, rng: np.random.Generator) -> np.ndarray:
    """Breathing (one sine of 0.15-0.4 Hz that reaches each electrode more or less) and drifts of 0.05-0.5 Hz."""
    breathing = np.sin(2 * np.pi * (rng.uniform(0.15, 0.4) * np.arange(n) / rate + rng.uniform()))
    return np.asarray(
        math.sqrt(2) * breathing[:, None] * rng.standard_normal(len(ELECTRODES)) + _band(n, rate, 0.05, 0.5, rng)
    )


def muscle(n: int, rate: float, rng: np.random.Generator) -> np.ndarray:
    """Noise of 20-150 Hz that swells and fades at each electrode by itself, as muscles tense and relax."""
    return _band(n, rate, 20.0, _HIGHEST, rng) * np.exp(0.7 * _band(n, rate, 0.05, 1.0, rng))


def electrode_motion(n: int, rate: float, rng: np.random.Generator) -> np.ndarray:
    """Knocks at single electrodes, on average every 2.5 s: half of them steps that fade, half bumps as wide as a QRS.

    Their sizes are log-normal. Each electrode is knocked at least once.
    """
    time, noise = np.arange(n) / rate, np.zeros((n, len(ELECTRODES)))
    for electrode in noise.T:
        for _ in range(1 + rng.poisson(0.4 * n / rate)):
            size = rng.choice((-1, 1)) * rng.lognormal(0, 0.5)
            since = time - rng.uniform(0, n / rate)
            if rng.uniform() < 0.5:
                rise, fade = rng.uniform(0.01, 0.05), rng.uniform(0.2, 1.5)  # s
                after = np.maximum(since, 0)
                electrode += size * (1 - np.exp(-after / rise)) * np.exp(-after / fade)
            else:
                electrode += size * np.exp(-0.5 * (since / rng.uniform(0.015, 0.06)) ** 2)
    return noise


def mains_hum(n: int, rate: float, rng: np.random.Generator) -> np.ndarray:
    """One hum, of unlike size at each electrode: 50 or 60 Hz, a little unsteady, with harmonics up to 150 Hz."""
    frequency = rng.choice((50.0, 60.0))
    wandering, swelling = _band(n, rate, 0.05, 0.5, rng)[:, :2].T
    phase = 2 * np.pi * np.cumsum(frequency + 0.03 * wandering) / rate
    hum = np.zeros(n)
    for order, most in ((1, 1.0), (2, 0.1), (3, 0.3)):
        size = most if order == 1 else rng.uniform(0, most)
        if order * frequency <= _HIGHEST:
            hum += size * np.sin(order * phase + rng.uniform(0, 2 * np.pi))
    return np.asarray((hum * (1 + 0.2 * swelling))[:, None] * rng.standard_normal(len(ELECTRODES)))


def white(n: int, rate: float, rng: np.random.Generator) -> np.ndarray:
    """Gaussian, of equal power at all frequencies up to 150 Hz."""
    return _band(n, rate, 0.05, _HIGHEST, rng)


def add_at_snr(
    source: Source, signal: np.ndarray, rate: float, level: float, rng: np.random.Generator, unit: str = "mV"
) -> np.ndarray:
    """The signal with the source's noise at `level` dB, as the module's docstring says; a flat lead stays flat."""
    made_at = max(rate, MADE_AT)
    n = math.ceil(1.001 * len(signal) * made_at / rate) + 1  # resampling meets the ratio of the rates to 1e-4
    noise = source(n, made_at, rng) @ TO_LEADS.T
    scale = limb_scale(signal) if unit == "z" else np.ones(len(LEADS))
    wanted = (scale * qrs_amplitude(signal, rate, unit)) ** 2 / 8 / 10 ** (level / 10)
    noise *= np.sqrt(_power_gain(wanted, noise_power(noise, made_at), np.isfinite(signal).any(axis=0))) / scale
    return np.asarray((signal + _as_stored(noise, made_at, rate, unit)[: len(signal)]).astype(np.float32))


def add_segments(
    signal: np.ndarray, rate: float, level: float, rng: np.random.Generator, unit: str = "mV"
) -> np.ndarray:
    """The noise of the MEIT paper (arXiv 2403.04945): Gaussian, in segments of at most `level` of the signal together.

    How large it is and how segments are drawn was ours to choose: a share drawn evenly between 0 and `level` of the
    samples, cut into one to five segments at random places that do not overlap, the same in all leads; there, white
    Gaussian noise of the stored rate with each lead's own standard deviation (in 0.5-40 Hz), independent from lead to
    lead, so that in these segments I + III is not II.
    """
    n = len(signal)
    noisy = round(level * rng.uniform() * n)
    count = rng.integers(1, _MOST_SEGMENTS + 1)
    lengths = np.diff(np.rint(np.append(0, np.cumsum(rng.dirichlet(np.ones(count)))) * noisy)).astype(int)
    gaps = np.rint(np.cumsum(rng.dirichlet(np.ones(count + 1)))[:-1] * (n - noisy)).astype(int)
    starts = gaps + np.append(0, np.cumsum(lengths)[:-1])
    noise, ecg = rng.standard_normal((n, len(LEADS))), _filtered(signal, rate, unit)
    inside = np.zeros(n, bool)
    for start, length in zip(starts, lengths, strict=True):
        inside[start : start + length] = True
    deviation = np.array([lead[np.isfinite(lead)].std() if np.isfinite(lead).any() else 0.0 for lead in ecg.T])
    noise *= inside[:, None] * deviation
    return np.asarray((signal + _as_stored(noise, rate, rate, unit)).astype(np.float32))


def add_published(
    signal: np.ndarray, rate: float, level: float, rng: np.random.Generator, unit: str = "mV"
) -> np.ndarray:
    """The noise of the code published with the MEIT paper: one segment, of a share of the signal drawn evenly between 0
    and `level`, at a random place; there, white Gaussian noise, one and the same in all leads, whose standard deviation
    is drawn evenly between 0 and 0.1 of the recording's whole range (that code adds it to a signal scaled to 0-1).
    """
    n = len(signal)
    length = round(level * rng.uniform() * n)
    start = rng.integers(n - length + 1)
    recorded = signal[np.isfinite(signal)]
    deviation = rng.uniform(0, 0.1) * (np.ptp(recorded) if len(recorded) else 0.0)
    noise = np.zeros((n, len(LEADS)))
    noise[start : start + length] = deviation * rng.standard_normal(length)[:, None]
    return np.asarray((signal + _as_stored(noise, rate, rate, unit)).astype(np.float32))


def lose_lead(signal: np.ndarray, rate: float, level: str, rng: np.random.Generator, unit: str = "mV") -> np.ndarray:
    """The signal with one lead not recorded."""
    out = signal.astype(np.float32)
    out[:, LEADS.index(level)] = np.nan
    return out


def swap_electrodes(
    signal: np.ndarray, rate: float, level: str, rng: np.random.Generator, unit: str = "mV"
) -> np.ndarray:
    """The signal as if two cables had been exchanged, one of SWAPS: each lead is then another one or its negative."""
    first, second = (ELECTRODES.index(name) for name in level.split("-"))
    exchanged = TO_LEADS.copy()
    exchanged[:, [first, second]] = TO_LEADS[:, [second, first]]
    out = np.empty(signal.shape, np.float32)
    for lead, row in enumerate(exchanged):
        alike = TO_LEADS @ row / (np.linalg.norm(TO_LEADS, axis=1) * np.linalg.norm(row))
        other = int(np.argmax(np.abs(alike)))
        out[:, lead] = np.sign(alike[other]) * signal[:, other]
    return out


NOISES: dict[str, Noise] = {
    "segments": Noise(add_segments, SEGMENT_SHARES, "largest share of the signal"),
    "meit": Noise(add_published, SEGMENT_SHARES, "largest share of the signal"),
    "baseline wander": Noise(partial(add_at_snr, baseline_wander), SNR_DB, "SNR, dB"),
    "muscle artefact": Noise(partial(add_at_snr, muscle), SNR_DB, "SNR, dB"),
    "electrode motion": Noise(partial(add_at_snr, electrode_motion), SNR_DB, "SNR, dB"),
    "mains hum": Noise(partial(add_at_snr, mains_hum), SNR_DB, "SNR, dB"),
    "white": Noise(partial(add_at_snr, white), SNR_DB, "SNR, dB"),
    "missing lead": Noise(lose_lead, CHEST_LEADS, "lead"),  # a limb lead is derived from two others
    "swapped electrodes": Noise(swap_electrodes, SWAPS, "electrodes"),
}
NSTDB = {"baseline wander": "bw", "muscle artefact": "ma", "electrode motion": "em"}  # records of the database


def nstdb_noises(folder: str | Path) -> dict[str, Noise]:
    """The three noises of NSTDB from its own records bw, ma and em (physionet.org/content/nstdb), to replace ours.

    They are two leads recorded at once over half an hour, not electrodes: each of our electrodes gets a stretch of one
    of the two, from a place of its own. Raises RecordingError where a record is not there or cannot be read.
    """
    return {
        name: Noise(partial(add_at_snr, _nstdb_source(Path(folder) / record)), SNR_DB, "SNR, dB")
        for name, record in NSTDB.items()
    }


def _nstdb_source(path: Path) -> Source:
    import wfdb

    try:
        record = wfdb.rdrecord(str(path))
    except (OSError, ValueError, IndexError, TypeError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise RecordingError(
            f"{path}.hea: cannot be read ({reason}); download bw, em and ma from physionet.org/content/nstdb"
        ) from None
    values = np.asarray(record.p_signal)
    return partial(_stretches, f"{path}.hea", bridge_leads(values, np.isfinite(values)), float(record.fs))


def _stretches(
    path: str, values: np.ndarray, values_rate: float, n: int, rate: float, rng: np.random.Generator
) -> np.ndarray:
    length = math.ceil(1.001 * n * values_rate / rate) + 1
    if length > len(values):
        raise RecordingError(f"{path}: is shorter than the ECG; take the whole record of half an hour")
    parts = [
        values[start : start + length, rng.integers(values.shape[1])]
        for start in rng.integers(len(values) - length + 1, size=len(ELECTRODES))
    ]
    parts = [part - part.mean() for part in parts]
    return resample(np.stack(parts, axis=1), values_rate, rate)[:n].astype(np.float64)


def qrs_amplitude(signal: np.ndarray, rate: float, unit: str = "mV") -> np.ndarray:
    """(n, 12) -> (12,) peak to peak, as the module's docstring says; 0 where a lead is not recorded."""
    filtered = _filtered(signal, rate, unit)
    length = min(round(_BEAT_SECONDS * rate), len(signal))
    whole = filtered[: len(signal) // length * length].reshape(-1, length, signal.shape[1])
    ranges = np.fmax.reduce(whole, axis=1) - np.fmin.reduce(whole, axis=1)  # NaN where nothing is recorded
    return np.array([np.median(lead[np.isfinite(lead)]) if np.isfinite(lead).any() else 0.0 for lead in ranges.T])


def noise_power(noise: np.ndarray, rate: float) -> np.ndarray:
    """(n, leads) -> (leads,) N of the module's docstring; of less than a second, what there is."""
    length = min(round(rate), len(noise))
    seconds = noise[: len(noise) // length * length].reshape(-1, length, noise.shape[1])
    return np.asarray(seconds.std(axis=1).mean(axis=0) ** 2)


def _power_gain(wanted: np.ndarray, present: np.ndarray, recorded: np.ndarray) -> np.ndarray:
    """(12,) factors of power from the noise that is present to what is wanted; the limb leads share one."""
    gain = np.divide(wanted, present, out=np.zeros(len(LEADS)), where=recorded & (present > 0))
    limb = recorded[_LIMB]
    total = present[_LIMB][limb].sum()
    gain[_LIMB] = wanted[_LIMB][limb].sum() / total if total > 0 else 0.0
    return np.asarray(gain)


def limb_scale(signal: np.ndarray) -> np.ndarray:
    """(12,) by which z-scored leads are multiplied for the limb leads to be on one scale; 1 for chest leads."""
    limb = bridge_leads(signal[:, _LIMB], np.isfinite(signal[:, _LIMB]))
    scale = np.ones(len(LEADS))
    scale[:3] = limb_ratio(limb[:, :3])
    one, two, _ = (limb[:, :3] * scale[:3]).T
    derived = np.std([-(one + two) / 2, one - two / 2, two - one / 2], axis=1)
    given = limb[:, 3:].std(axis=0)
    np.divide(derived, given, out=scale[3:6], where=(given > 0) & (derived > 0))
    return scale


def _filtered(signal: np.ndarray, rate: float, unit: str) -> np.ndarray:
    """(n, 12) in 0.5-40 Hz, NaN where not recorded; "z" has been filtered already."""
    recorded = np.isfinite(signal)
    bridged = bridge_leads(signal, recorded)
    return np.where(recorded, bridged if unit == "z" else band_pass(bridged, rate), np.nan)


def _as_stored(noise: np.ndarray, made_at: float, rate: float, unit: str) -> np.ndarray:
    return resample(band_pass(noise, made_at) if unit == "z" else noise, made_at, rate)


def _band(n: int, rate: float, low: float, high: float, rng: np.random.Generator) -> np.ndarray:
    """(n, 9) independent Gaussian noise between two frequencies in Hz, of about unit variance."""
    from scipy.fft import next_fast_len

    length = next_fast_len(2 * n)  # twice as long: what is cut off keeps the end from meeting the start
    spectrum = np.fft.rfft(rng.standard_normal((length, len(ELECTRODES))), axis=0)
    frequency = np.fft.rfftfreq(length, 1 / rate)
    inside = (frequency >= low) & (frequency <= high)
    spectrum[~inside] = 0
    return np.fft.irfft(spectrum, length, axis=0)[:n] / math.sqrt(max(inside.sum(), 1) / len(inside))
