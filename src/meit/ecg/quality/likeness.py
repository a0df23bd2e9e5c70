"""Is it an ECG at all: do beats stand out, do they look alike, do limb and chest leads show the same ones?

Ideas, not code, from signal quality indices: beats found twice must agree (bSQI, Li, Mark, Clifford, Physiological
Measurement 29:15-32, 2008, there by two detectors, here by two groups of leads), power must lie where an ECG has it
(pSQI, the same), and leads must differ as views of one heart do (the Challenge of 2011: Silva, Moody, Celi, Computing
in Cardiology 38:273-276). Rhythm is not looked at: fibrillation and ventricular rhythms have beats that look alike too.
"""

from dataclasses import dataclass

import numpy as np

from meit.ecg.quality.excerpt import BAND_RATE, LAG, Excerpt, limb_and_chest, moved, steep_places
from meit.ecg.recording import LEADS, LIMB_LEADS

FEWEST_BEATS = 3  # below, beats cannot be compared
_NEAR = round(0.07 * BAND_RATE)
_STEEP_HZ = 10.0
_LINE = 2  # places either side of a spectral line
_MOST = 3.0  # times a lead's usual range
_FEWEST_LEADS = 3  # of the chest and of the limbs, to compare leads


@dataclass(frozen=True)
class Likeness:
    """alike: median over beats of the correlation with the beat most like it, all leads together. clear: 0..1, by how
    much beats stand out. agree: 0..1 of the beats are found in the limb leads and in the chest leads. steep: share of
    the power above 10 Hz. line: share of it in one spectral line. one_shape: share of the variance of all leads that
    one waveform explains. None: cannot be told."""

    alike: float | None
    clear: float | None
    agree: float | None
    steep: float
    line: float
    one_shape: float | None


# the least and the most that an ECG has, and what it is that has less or more. Set on PTB-XL's folds 1-8 and half of
# MIMIC-IV-ECG's patients, which keep away from each by a good margin: docs/quality.md
RULES = (
    ("alike", 0.75, 1.0, "nothing that looks like a heartbeat comes again (noise, or another signal)"),
    ("clear", 0.25, 1.0, "no heartbeats stand out (noise, or another signal)"),
    ("agree", 0.55, 1.0, "limb and chest leads do not show the same beats (noise, or another signal)"),
    ("steep", 0.012, 1.0, "no wave is as steep as a QRS complex (another signal?)"),
    ("line", 0.0, 0.9, "it is one tone (interference, or another signal)"),
    ("one_shape", 0.0, 0.97, "all leads show one and the same waveform (another signal, or one lead copied)"),
)
HARDLY_ALIKE = 0.88


def likeness_of(excerpt: Excerpt) -> Likeness:
    band = np.clip(
        excerpt.band[:, excerpt.usable] / excerpt.size[excerpt.usable], -_MOST, _MOST
    )  # an artefact is not all there is
    enough = len(excerpt.beats) >= FEWEST_BEATS
    first, second = limb_and_chest(excerpt.usable)
    both = enough and first.any() and second.any()
    power = np.abs(np.fft.rfft((band - band.mean(axis=0)) * np.hanning(len(band))[:, None], axis=0)) ** 2
    power = power.mean(axis=1) / max(power.mean(axis=1).sum(), 1e-300)
    frequency = np.fft.rfftfreq(len(band), 1 / BAND_RATE)
    around = np.convolve(power, np.ones(2 * _LINE + 1), "same")
    return Likeness(
        alike=_alike(band, excerpt.beats) if enough else None,
        clear=excerpt.clear,
        agree=_agreement(*(steep_places(excerpt.band[:, group])[0] for group in (first, second))) if both else None,
        steep=float(power[frequency >= _STEEP_HZ].sum()),
        line=float(around.max()),
        one_shape=_one_shape(band) if _many_sided(excerpt.usable) else None,
    )


def failing(likeness: Likeness) -> list[str]:
    """What speaks against an ECG, the first of RULES first."""
    values = [(getattr(likeness, name), least, most, why) for name, least, most, why in RULES]
    return [why for value, least, most, why in values if value is not None and not least <= value <= most]


def _alike(band: np.ndarray, beats: np.ndarray) -> float | None:
    """Each beat is moved by up to 40 ms to look most like another one: so rhythms of several shapes pass too."""
    inside, parts = moved(band, beats)
    if len(inside) < FEWEST_BEATS:
        return None
    parts = parts.reshape(len(inside), 2 * LAG + 1, -1)
    parts /= np.maximum(np.linalg.norm(parts, axis=2, keepdims=True), 1e-300)
    alike = np.einsum("blw,cw->bcl", parts, parts[:, LAG], optimize=True).max(axis=2)
    np.fill_diagonal(alike, -1.0)
    return float(np.median(alike.max(axis=1)))


def _agreement(one: np.ndarray, other: np.ndarray) -> float:
    """Of the beats of both, those that have one of the other beside them."""
    if len(one) == 0 or len(other) == 0:
        return 0.0
    near = np.abs(one[:, None] - other) <= _NEAR
    return float((near.any(axis=1).sum() + near.any(axis=0).sum()) / (len(one) + len(other)))


def _one_shape(band: np.ndarray) -> float:
    strength = np.linalg.eigvalsh(np.cov(band, rowvar=False))
    return float(strength[-1] / max(strength.sum(), 1e-300))


def _many_sided(usable: np.ndarray) -> bool:
    limb = np.isin(LEADS, LIMB_LEADS)
    return bool((usable & limb).sum() >= _FEWEST_LEADS and (usable & ~limb).sum() >= _FEWEST_LEADS)
