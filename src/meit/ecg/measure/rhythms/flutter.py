"""Atrial flutter: waves of one steady rate that fill the time between the QRS complexes, without a rest between them.

Flutter keeps its rate within a few milliseconds, fibrillation does not. So one rate is fitted to ten seconds at a time: a
wave and its first harmonic in each lead, through all that lies between the QRS complexes. It must explain most of what
moves there, and what follows by one, two and three of its periods must look the same, at the same size: sinus P waves and
T waves fit a wave of such a rate too, but are not alike. With an irregular conduction the same is tried without the T
waves, which then do not keep step. Of 2:1 flutter one wave of two lies in QRS and T: it is seen where T is small beside it.
1:1 flutter is not told from other tachycardias. What moves all chest leads alike comes from a limb's electrode: tremor.
"""

from functools import lru_cache

import numpy as np

from meit.ecg.measure.boundaries import Waves
from meit.ecg.measure.measurements import Measure
from meit.ecg.measure.rhythms.atrial_waves import without_ventricles
from meit.ecg.signal.beats import Beats
from meit.ecg.signal.filtering import zero_phase
from meit.ecg.signal.median_beat import MedianBeat
from meit.ecg.signal.usable_leads import RATE, Leads, samples

_LEADS = ("II", "III", "aVF", "V1")  # which show it best
_FEWEST_LEADS = 2
_CHEST = ("V1", "V2", "V3", "V4", "V5", "V6")
_FEWEST_CHEST, _ONE_ELECTRODE = 3, 0.2  # of the size of their waves do chest leads differ, at most, in tremor
_NOT_1_TO_1 = 1.3  # times the heart rate, at least
_BPM = np.arange(200.0, 401.0, 2.0)
_BAND_HZ = (2.0, 12.0)  # of the waves and of what makes them saw teeth
_STEP = 8  # samples of the leads
_WINDOW = round(10 * RATE / _STEP)
_LEAST_S = 4.0
_BEFORE_QRS, _AFTER_QRS = samples(40), samples(48)
_SEEN = 0.3  # of the time lies between the QRS complexes
_IRREGULAR = 0.03
_EXPLAINED = 0.5  # of what moves between the QRS complexes
_ALIKE, _ALIKE_LATER = 0.6, 0.45  # what follows by one period, and by two and three
_ALIKE_REGULAR = 0.8  # all three, where each QRS complex may have its P and T waves at such distances
_QTC = 420.0  # ms, at which the T wave is over: what the median beat gives is no T wave's end in flutter
_COMPARED = 0.08  # of the time is seen together with what follows by one period
_LEAST_MV = 0.05  # peak to peak, in two leads
_ONE_RATE = 0.03
_MOST = 0.6  # of the windows


def flutter(
    leads: Leads, beats: Beats, beat: MedianBeat, waves: Waves, irregularity: float, sureness: float
) -> Measure:
    """flutter_rate_bpm. irregularity: of the beats. sureness: of their being beats, 0 to 1."""
    none = Measure(None, 0.0, "no steady flutter waves are seen between the QRS complexes")
    if sum(name in _LEADS for name in leads.names) < _FEWEST_LEADS or len(leads.signal) < _LEAST_S * RATE:
        return none
    irregular = irregularity >= _IRREGULAR
    least = np.array([_ALIKE, _ALIKE_LATER, _ALIKE_LATER] if irregular else [_ALIKE_REGULAR] * 3)
    rr_s = float(np.nanmedian(beats.rr)) / RATE
    on, off = waves.qrs_on - beat.middle, waves.qrs_off - beat.middle
    found = _steady(leads.names, leads.smooth, _hidden(leads, beats.at + on, off - on + _AFTER_QRS), least)
    if found is None and irregular:
        found = _steady(leads.names, *without_ventricles(leads, beats, beat, waves), least)
    elif found is None:  # a T wave hides that they are alike
        behind = _hidden(leads, beats.at + on, samples(_QTC * rr_s**0.5))
        found = _steady(leads.names, leads.smooth, behind, least)
    if found is None or found[0] < _NOT_1_TO_1 * 60 / rr_s:
        return none
    return Measure(found[0], sureness * found[1] ** 0.5)  # as a correlation


def _hidden(leads: Leads, onsets: np.ndarray, length: int) -> np.ndarray:
    """(n,) True from shortly before each QRS onset to `length` samples after it, and where nothing was recorded."""
    hidden = np.asarray(~leads.recorded.all(axis=1))
    for onset in onsets:
        hidden[max(onset - _BEFORE_QRS, 0) : max(onset + length, 0)] = True
    return hidden


def _steady(
    names: tuple[str, ...], values: np.ndarray, hidden: np.ndarray, least: np.ndarray
) -> tuple[float, float] | None:
    """The rate in most stretches of ten seconds, and how much of them it explains. values: (n, k) mV at RATE; hidden:
    (n,); least: how alike at least is what follows by one, two and three periods."""
    used = [lead for lead, name in enumerate(names) if name in _LEADS or name in _CHEST]
    told = np.array([names[lead] in _LEADS for lead in used])
    chest = np.array([names[lead] in _CHEST for lead in used])
    rate = RATE / _STEP
    values, seen = values[:: _STEP // 2, used].astype(np.float64), ~hidden[:: _STEP // 2]
    if seen.mean() < _SEEN:
        return None
    places = np.arange(len(values))
    for lead in range(values.shape[1]):
        values[~seen, lead] = np.interp(places[~seen], places[seen], values[seen, lead])
    values = zero_phase(values, "bandpass", _BAND_HZ, 2 * rate, padding=round(rate))[::2]
    seen = seen[::2]
    starts = range(0, max(len(values) - round(_LEAST_S * rate), 0) + 1, _WINDOW)
    parts = [slice(start, start + _WINDOW) for start in starts]
    found = [_wave(values[part][:, told], values[part][:, chest], seen[part], rate, least) for part in parts]
    rates = [one for one in found if one is not None]
    if not rates:
        return None
    usual = float(np.median([bpm for bpm, _ in rates]))
    share = float(np.mean([one is not None and abs(one[0] - usual) <= _ONE_RATE * usual for one in found]))
    return (usual, float(np.mean([explained for _, explained in rates]))) if share >= _MOST else None


def _wave(
    values: np.ndarray, chest: np.ndarray, seen: np.ndarray, rate: float, least: np.ndarray
) -> tuple[float, float] | None:
    """Waves per minute, and the share explained; None where there is no such wave."""
    if seen.mean() < _SEEN:
        return None
    values = np.where(seen[:, None], values - values[seen].mean(axis=0), 0.0).astype(np.float32)
    basis = _basis(len(values), rate) * seen
    product = basis @ values  # (rates, 5, k)
    fitted = np.linalg.solve(basis @ basis.swapaxes(1, 2) + 1e-3 * np.eye(basis.shape[1]), product)
    explained = (product * fitted).sum(axis=(1, 2)) / max(float((values**2).sum()), 1e-300)
    best = int(np.argmax(explained))
    height = np.sort(2 * np.hypot(fitted[best, 1], fitted[best, 2]))[-2]
    if explained[best] < _EXPLAINED or height < _LEAST_MV:
        return None
    period = 60 * rate / _BPM[best]
    alike = np.array([_alike(values, seen, count * period) for count in (1, 2, 3)])
    if np.isnan(alike[0]) or (alike < least).any():
        return None
    if chest.shape[1] >= _FEWEST_CHEST:
        moves = basis[best, 1:3] @ chest  # (2, chest leads)
        if np.linalg.norm(moves - moves.mean(axis=1, keepdims=True)) < _ONE_ELECTRODE * np.linalg.norm(moves):
            return None
    return float(_BPM[best]), float(explained[best])


@lru_cache(maxsize=4)
def _basis(length: int, rate: float) -> np.ndarray:
    """(rates, 5, length): a level, a wave and its first harmonic, of each rate."""
    angle = 2 * np.pi * _BPM[:, None] / 60 * np.arange(length) / rate
    parts = [np.ones_like(angle), np.cos(angle), np.sin(angle), np.cos(2 * angle), np.sin(2 * angle)]
    return np.stack(parts, axis=1).astype(np.float32)


def _alike(values: np.ndarray, seen: np.ndarray, lag: float) -> float:
    """-1 to 1: 1 where the leads look the same, at the same size, `lag` samples later, as far as both are seen; NaN
    where too little is."""
    whole, part = int(lag), lag % 1
    first, later = values[: -whole - 1], values[whole:]
    moved = later[:-1] * (1 - part) + later[1:] * part
    both = seen[: -whole - 1] & seen[whole:-1] & seen[whole + 1 :]
    one, other = first[both], moved[both]
    size = float((one**2).sum() + (other**2).sum())
    return 2 * float((one * other).sum()) / size if both.sum() >= _COMPARED * len(seen) and size > 0 else np.nan
