"""Exchanged electrodes, told from how the leads of the median beat lie to each other.

The idea is that of Kors and van Herpen (American Journal of Cardiology 88:396-399, 2001): the leads see one heart, so
what is expected of one follows from the others. We let a multinomial logistic function tell a recording as it is from
the same recording with two electrodes exchanged; swaps.tsv holds its weights, benchmarks/fit_swaps.py fits them.
Textbook signs are among what it looks at: P, QRS and T upside down in lead I but not in V6 and upright in aVR (arms
exchanged), R waves that do not grow from V1 to V4. The leads' sizes are left out, so that it reads z-scored
recordings too.
"""

from functools import cache
from itertools import combinations

import numpy as np

from meit.ecg.quality.excerpt import BAND_RATE, Excerpt, aligned, around
from meit.ecg.recording import LEADS
from meit.tables import named_rows_of

NONE = "none"
BEFORE, AFTER = 24, 40  # samples of 10 ms
_WAVES = {"P": slice(0, 17), "QRS": slice(16, 35), "T": slice(34, 65)}  # of the median beat, BEFORE is the QRS complex
_PAIRS = list(combinations(range(len(LEADS)), 2))
FEATURES = [f"{wave} {LEADS[i]}*{LEADS[j]}" for wave in _WAVES for i, j in _PAIRS]
FEATURES += [f"{wave} {lead} upright" for wave in _WAVES for lead in LEADS]
_FEWEST_BEATS = 3
WIDEST_MS = 160.0  # QRS complexes from here on are mostly paced ones, whose axis and R waves follow no rule
_STEEP = 0.25  # of its steepest place: within the QRS complex


def beat_of(excerpt: Excerpt) -> np.ndarray | None:
    """(BEFORE + 1 + AFTER, 12) median beat; None where there are too few, or where leads are missing or flat."""
    if not excerpt.usable.all():
        return None
    at, alike, _ = aligned(excerpt.band / excerpt.size, excerpt.beats)
    parts = around(excerpt.band, at[alike >= np.median(alike)] if len(at) else at, BEFORE, AFTER)
    return np.median(parts, axis=0) if len(parts) >= _FEWEST_BEATS else None


def features(beat: np.ndarray) -> np.ndarray:
    """(window, 12) -> values of FEATURES, each -1..1."""
    alike, upright = [], []
    for place in _WAVES.values():
        wave = beat[place] - (beat[place.start] + beat[place.stop - 1]) / 2
        product = wave.T @ wave
        size = np.sqrt(np.maximum(np.diag(product), 1e-12))
        alike.append([product[i, j] / (size[i] * size[j]) for i, j in _PAIRS])
        top, bottom = wave.max(axis=0), wave.min(axis=0)
        upright.append((top + bottom) / np.maximum(top - bottom, 1e-9))
    return np.concatenate([np.ravel(alike), np.ravel(upright)])


# log odds against no exchange from which one is named, by electrodes. Never: at a realistic frequency an alarm would be
# wrong more often than right (docs/quality.md); the class is there so that it is not taken for another one
NEVER = np.inf
LEAST_ODDS = {
    "RA-LA": 2.0,
    "RA-LL": 2.5,
    "LA-LL": NEVER,
    "V1-V2": 3.5,
    "V2-V3": 4.0,
    "V3-V4": 4.0,
    "V4-V5": NEVER,
    "V5-V6": NEVER,
    "V1-V3": 2.5,
    "V1-V6": 2.5,
    "V2-V5": 2.5,
    "V3-V6": 2.5,
}


def qrs_ms(beat: np.ndarray) -> float:
    """How long all leads together are steep, about the QRS complex's duration less 20 ms."""
    around = slice(BEFORE - 14, BEFORE + 21)
    speed = np.linalg.norm(np.gradient(beat, axis=0) / np.maximum(np.ptp(beat, axis=0), 1e-9), axis=1)[around]
    steep = np.flatnonzero(speed > _STEEP * speed.max())
    return float(steep[-1] - steep[0] + 1) * 1000 / BAND_RATE if len(steep) else 0.0


def odds(beat: np.ndarray) -> dict[str, float]:
    """Log odds of each exchange against none, at even odds between none and all of them together."""
    names, mean, scale, weights, bias = _fitted()
    scores = (features(beat) - mean) / scale @ weights + bias
    return {name: float(score - scores[names.index(NONE)]) for name, score in zip(names, scores, strict=True)}


def exchanged(beat: np.ndarray) -> str | None:
    """The electrodes that look exchanged, as "RA-LA", or None; also None where that cannot be judged."""
    if qrs_ms(beat) >= WIDEST_MS:
        return None
    given = odds(beat)
    likeliest = max(given, key=given.__getitem__)
    return likeliest if given[likeliest] >= LEAST_ODDS.get(likeliest, np.inf) else None


@cache
def _fitted() -> tuple[list[str], np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Of swaps.tsv: names of the classes; of each feature its mean and scale (F,), weights (F, classes); bias."""
    bias, *rows = named_rows_of("meit.ecg.quality", "swaps.tsv")
    assert [row["feature"] for row in rows] == FEATURES, "swaps.tsv was fitted on other features"
    names = list(bias)[3:]
    numbers = np.array([[row[name] for name in ("mean", "scale", *names)] for row in rows], float)
    return names, numbers[:, 0], numbers[:, 1], numbers[:, 2:], np.array([bias[name] for name in names], float)
