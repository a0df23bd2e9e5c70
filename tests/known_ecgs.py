"""ECGs whose every wave is known: raised cosines, which begin and end at a sample, along one direction each."""

from dataclasses import dataclass

import numpy as np

from meit.ecg.noise import ELECTRODES, TO_LEADS
from meit.ecg.recording import LEADS, Recording

# mV of QRS, P and T in V1-V6
CHEST_QRS = np.array([-0.8, -0.6, 0.4, 1.2, 1.4, 1.1])
CHEST_P = np.array([0.05, 0.06, 0.07, 0.07, 0.06, 0.06])
CHEST_T = np.array([-0.1, 0.2, 0.35, 0.4, 0.35, 0.3])


@dataclass(frozen=True)
class Heart:
    """Durations in ms, from onset to offset; axes in degrees; limb sizes in mV. p_mv = 0: no P wave."""

    pr: float = 160.0
    p: float = 110.0
    qrs: float = 90.0
    qt: float = 400.0
    t: float = 200.0
    axis: float = 50.0
    p_axis: float = 60.0
    t_axis: float = 40.0
    qrs_mv: float = 1.2
    p_mv: float = 0.15
    t_mv: float = 0.3
    st_mv: float = 0.0  # in all leads' QRS direction, from the J point to the T wave


def limb(axis: float, mv: float) -> np.ndarray:
    """(6,) mV in LIMB_LEADS of a vector in the frontal plane."""
    angles = np.radians(axis - np.array([0, 60, 120, -150, -30, 90]))
    return mv * np.cos(angles) * np.array([1, 1, 1, np.sqrt(3) / 2, np.sqrt(3) / 2, np.sqrt(3) / 2])


def bump(time: np.ndarray, start: float, length: float) -> np.ndarray:
    """A raised cosine of height 1."""
    within = (time - start) / length
    return np.where((within > 0) & (within < 1), 0.5 - 0.5 * np.cos(2 * np.pi * np.clip(within, 0, 1)), 0.0)


def qrs_shape(time: np.ndarray, start: float, length: float) -> np.ndarray:
    """q, R and s that begin at the onset and end at the offset; R has height 1."""
    return (
        bump(time, start + 0.2 * length, 0.6 * length)
        - 0.15 * bump(time, start, 0.35 * length)
        - 0.25 * bump(time, start + 0.65 * length, 0.35 * length)
    )


def add_beat(signal: np.ndarray, time: np.ndarray, onset: float, heart: Heart) -> None:
    """onset: of the QRS complex, in ms of time."""
    qrs = np.concatenate([limb(heart.axis, heart.qrs_mv), CHEST_QRS * heart.qrs_mv / 1.2])
    p = np.concatenate([limb(heart.p_axis, heart.p_mv), CHEST_P * heart.p_mv / 0.15])
    t = np.concatenate([limb(heart.t_axis, heart.t_mv), CHEST_T * heart.t_mv / 0.3])
    signal += qrs_shape(time, onset, heart.qrs)[:, None] * qrs
    signal += bump(time, onset - heart.pr, heart.p)[:, None] * p
    signal += bump(time, onset + heart.qt - heart.t, heart.t)[:, None] * t
    after = time - onset - heart.qrs
    level = np.clip(after / 10, 0, 1) * np.clip((heart.qt - heart.qrs - after) / 100, 0, 1)
    signal += heart.st_mv * level[:, None] * np.sign(qrs)


def recording(onsets_ms, hearts, rate: float = 500.0, seconds: float = 10.0, noise_mv: float = 0.005) -> Recording:
    """Beats whose QRS complexes begin at these times. hearts: one of all, or one of each."""
    hearts = [hearts] * len(onsets_ms) if isinstance(hearts, Heart) else hearts
    time = np.arange(round(seconds * rate)) * 1000 / rate
    signal = np.zeros((len(time), len(LEADS)))
    for onset, heart in zip(onsets_ms, hearts, strict=True):
        add_beat(signal, time, onset, heart)
    electrodes = np.random.default_rng(0).normal(size=(len(time), len(ELECTRODES)))
    return Recording("simulated", (signal + noise_mv * electrodes @ TO_LEADS.T).astype(np.float32), rate)


def regular(heart: Heart = Heart(), bpm: float = 70.0, **options) -> Recording:
    seconds = options.get("seconds", 10.0)
    return recording(np.arange(300.0, 1000 * seconds - 100, 60_000 / bpm), heart, **options)
