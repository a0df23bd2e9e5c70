"""Twelve leads that are no ECG: noise, a sine, speech-like sound, other organs' signals. Made here, from known recipes.

Each kind is made of sources (n, k) on any scale. Laid out in three ways: a source of its own for each lead; one for
each electrode, so that the limb leads add up; one source for all, of unlike size at each electrode.
"""

import numpy as np

from meit.ecg.noise import ELECTRODES, TO_LEADS
from meit.ecg.recording import LEADS, Recording

LAYOUTS = ("leads", "electrodes", "one source")


def coloured(n, k, rate, rng, slope=0.0, low=0.3, high=45.0):
    """Noise whose power falls with frequency ** slope, between two frequencies."""
    frequency = np.fft.rfftfreq(2 * n, 1 / rate)[:, None]
    spectrum = rng.normal(size=(len(frequency), k)) + 1j * rng.normal(size=(len(frequency), k))
    spectrum *= ((frequency >= low) & (frequency <= high)) / np.maximum(frequency, low) ** (slope / 2)
    made = np.fft.irfft(spectrum, axis=0)[:n]
    return made / made.std(axis=0)


def white(n, k, rate, rng):
    return rng.normal(size=(n, k))


def brown(n, k, rate, rng):
    return coloured(n, k, rate, rng, slope=2.0)


def sine(n, k, rate, rng):
    hz = 10 ** rng.uniform(-0.3, 1.4)
    return np.sin(2 * np.pi * (hz * np.arange(n) / rate)[:, None] + rng.uniform(0, 2 * np.pi, k))


def square(n, k, rate, rng):
    """As an electrocardiograph's calibration or a test generator gives it."""
    return np.sign(np.sin(2 * np.pi * (rng.uniform(0.5, 5) * np.arange(n) / rate)[:, None] + rng.uniform(0, 6.28, k)))


def chirp(n, k, rate, rng):
    time = np.arange(n) / rate
    return np.sin(2 * np.pi * (rng.uniform(0.5, 2) + rng.uniform(0.5, 2) * time) * time)[:, None] * np.ones(k)


def speech(n, k, rate, rng):
    """A buzz of 100-200 Hz and noise through three formants, in syllables of 3-6 a second with pauses; made at 8 kHz."""
    from scipy.signal import decimate, lfilter, resample_poly

    fine, up = 8000, 16
    m = int(np.ceil(n / rate * 500)) * up + up
    time = np.arange(m) / fine
    out = []
    for _ in range(k):
        pitch = rng.uniform(90, 200) * (1 + 0.1 * coloured(m, 1, fine, rng, 0, 0.3, 3)[:, 0])
        buzz = np.diff(np.floor(np.cumsum(pitch) / fine), prepend=0) + 0.05 * rng.normal(size=m)
        voice = np.zeros(m)
        for hz in (rng.uniform(300, 800), rng.uniform(900, 2000), rng.uniform(2200, 3000)):
            r = np.exp(-np.pi * 80 / fine)
            voice += lfilter([1 - r], [1, -2 * r * np.cos(2 * np.pi * hz / fine), r * r], buzz)
        syllables = np.clip(np.sin(2 * np.pi * rng.uniform(3, 6) * time + rng.uniform(0, 6)), 0, 1)
        said = coloured(m, 1, fine, rng, 0, 0.2, 1.5)[:, 0] > -0.5
        # what an electrocardiograph would let through of it: its envelope and its lowest band
        out.append(
            decimate(voice * syllables * said, up, ftype="fir") + 0.5 * decimate(np.abs(voice) * syllables * said, up)
        )
    made = np.stack(out, axis=1)
    made = resample_poly(made, round(rate), 500) if rate != 500 else made
    made = made[:n] - made[:n].mean(axis=0)
    return made / made.std(axis=0)


def eeg(n, k, rate, rng):
    """1/f with an alpha rhythm of 8-12 Hz that comes and goes."""
    alpha = coloured(n, k, rate, rng, 0, *(rng.uniform(8, 11) + np.array([0, 1.0])))
    return coloured(n, k, rate, rng, 1.0) + rng.uniform(0.5, 2) * alpha * np.exp(
        0.5 * coloured(n, k, rate, rng, 0, 0.1, 0.8)
    )


def emg(n, k, rate, rng):
    """Noise of 20-150 Hz in contractions."""
    bursts = 1 / (1 + np.exp(-4 * coloured(n, k, rate, rng, 0, 0.2, 2)))
    return coloured(n, k, rate, rng, 0, 20, min(150, 0.45 * rate)) * (0.05 + bursts)


def pulse(n, k, rate, rng):
    """Photoplethysmogram: two rounded waves a beat, 50 to 120 a minute, breathing below."""
    time, out = np.arange(n) / rate, np.zeros(n)
    at = rng.uniform(0, 0.5)
    step = 60 / rng.uniform(50, 120)
    while at < n / rate:
        since = time - at
        out += np.exp(-0.5 * ((since - 0.15) / 0.07) ** 2) + 0.4 * np.exp(-0.5 * ((since - 0.4) / 0.1) ** 2)
        at += step * (1 + 0.03 * rng.normal())
    out += 0.2 * np.sin(2 * np.pi * (rng.uniform(0.15, 0.4) * time + rng.uniform()))
    return out[:, None] + 0.02 * rng.normal(size=(n, k))


def breathing(n, k, rate, rng):
    time = np.arange(n) / rate
    phase = rng.uniform(0.15, 0.5) * time + 0.05 * np.sin(2 * np.pi * 0.1 * time) + rng.uniform()
    return np.sin(2 * np.pi * phase)[:, None] + 0.03 * coloured(n, k, rate, rng, 1.0)


def stomach(n, k, rate, rng):
    """Electrogastrogram: three waves a minute, drifts, and a little noise."""
    return np.sin(2 * np.pi * (0.05 * np.arange(n) / rate + rng.uniform()))[:, None] + 0.1 * coloured(
        n, k, rate, rng, 1.5, 0.1
    )


def eye(n, k, rate, rng):
    """Electro-oculogram: steps between fixations, blinks."""
    out = np.zeros(n)
    for at in np.cumsum(rng.exponential(0.5, 60) + 0.2):
        if at < n / rate:
            out[int(at * rate) :] += rng.normal()
        if rng.uniform() < 0.3:
            out += 2 * np.exp(-0.5 * ((np.arange(n) / rate - at) / 0.08) ** 2)
    return out[:, None] + 0.05 * coloured(n, k, rate, rng, 1.0)


KINDS = {
    "white noise": white,
    "brown noise": brown,
    "sine": sine,
    "square wave": square,
    "chirp": chirp,
    "speech-like": speech,
    "EEG-like": eeg,
    "EMG-like": emg,
    "pulse wave": pulse,
    "breathing": breathing,
    "stomach": stomach,
    "eye movements": eye,
}


def not_ecg(kind: str, layout: str, rng: np.random.Generator, rate: float = 500.0, seconds: float = 10.0) -> Recording:
    """About 1 mV peak to peak, as a recording."""
    n = round(rate * seconds)
    if layout == "leads":
        signal = KINDS[kind](n, len(LEADS), rate, rng)
        signal = signal * np.exp(0.4 * rng.normal(size=len(LEADS)))
    elif layout == "electrodes":
        signal = KINDS[kind](n, len(ELECTRODES), rate, rng) * rng.normal(size=len(ELECTRODES)) @ TO_LEADS.T
    else:
        signal = KINDS[kind](n, 1, rate, rng) * rng.normal(size=len(ELECTRODES)) @ TO_LEADS.T
        signal = signal + 0.003 * np.ptp(signal) * rng.normal(size=(n, len(ELECTRODES))) @ TO_LEADS.T
    signal = signal * (rng.uniform(0.5, 3) / max(np.median(np.ptp(signal, axis=0)), 1e-9))
    return Recording(f"{kind}, {layout}", signal.astype(np.float32), rate)
