"""Early beats, and what is none: by their intervals alone, and in whole recordings."""

import numpy as np
import pytest
from known_ecgs import Heart, recording

from meit.ecg.measure import measure
from meit.ecg.measure.rhythms.premature import early_beats

PVC = Heart(p_mv=0, qrs=150, qt=420, axis=-110, qrs_mv=-1.6)
R = 800
NONE_EARLY = {
    "a pause": [*[R] * 5, 3200, *[R] * 3],
    "two pauses": [R, R, R, 2000, R, R, R, 2500, R, R],
    "every third dropped": [R, R, 1600] * 4,
    "Wenckebach 4:3": [900, 850, 1450] * 3,
    "Wenckebach 5:4": [900, 860, 840, 1400] * 3,
    "2:1 and then 1:1": [1600, 1600, 1600, R, R, R, R],
    "faster": list(np.linspace(1100, 550, 13)),
    "faster by an eighth each beat": list(1100 * 0.88 ** np.arange(8)),
    "slower": list(np.linspace(550, 1100, 13)),
    "an escape beat": [R, R, R, 1500, R, R, R],
    "an escape beat, then the sinus node": [R, R, R, 1500, 500, R, R, R],
    "a tachycardia sets in": [R] * 4 + [400] * 8,
    "alternating by a tenth": [800, 880] * 5,
    "one interval and a pause": [R, 3000],
}
EARLY = {  # RR intervals, which beats have another shape, how many are early
    "one": ([R, R, R, 500, 850, R, R], (), 1),
    "one with a full pause": ([R, R, R, 500, 1100, R, R], (), 1),
    "the last": ([R] * 6 + [500], (), 1),
    "the second": ([500, 1000] + [R] * 6, (), 1),
    "beside a pause": ([R, R, 500, 1000, R, 3000, R, R], (), 1),
    "before a pause": ([R, R, 500, 2500, R, R, R, R], (3,), 1),
    "interpolated": ([R, R, R, 400, 400, R, R], (4,), 1),
    "interpolated, of the usual shape": ([R, R, R, 400, 400, R, R], (), 1),
    "interpolated, in the first half": ([R, R, R, 360, 470, R, R], (4,), 1),
    "two interpolated": ([R, 400, 400, R, R, 400, 420, R], (2, 6), 2),
    "bigeminy": ([500, 1100] * 5, (1, 3, 5, 7, 9), 5),
    "bigeminy of the usual shape": ([500, 1000] * 5, (), 5),
    "trigeminy": ([R, 500, 1100] * 4, (2, 5, 8, 11), 4),
    "trigeminy of the usual shape": ([R, 500, 950] * 4, (), 4),
    "every fourth": ([R, R, 500, 1100] * 3, (3, 7, 11), 3),
    "a couplet": ([R, R, R, 450, 430, 1100, R, R], (4, 5), 2),
    "a couplet of the usual shape": ([R, R, R, 500, 480, 950, R, R], (), 2),
    "three in a row": ([R, R, R, 450, 430, 440, 1100, R, R], (4, 5, 6), 3),
}


def counted(rr, other=()):
    shapes = np.zeros(len(rr) + 1, bool)
    shapes[list(other)] = True
    return int(early_beats(np.array(rr, float), shapes).sum())


@pytest.mark.parametrize("name", NONE_EARLY)
def test_no_early_beats(name):
    assert counted(NONE_EARLY[name]) == 0


@pytest.mark.parametrize("name", EARLY)
def test_early_beats(name):
    rr, other, count = EARLY[name]
    assert counted(rr, other) == count


def test_gaps_are_neither_early_nor_pauses():
    assert counted([R, R, np.nan, R, R, 500, 1100, R, R], (6,)) == 1


@pytest.mark.parametrize("depth", [80, 110, 150])
@pytest.mark.parametrize("breath", [0.8, 1.1, 1.57, 2.1])
def test_breathing(breath, depth):
    onsets = 300 + np.cumsum(850 + depth * np.sin(breath * np.arange(11)))
    found = measure(recording(onsets[onsets < 9400], Heart()))
    assert found["premature_supraventricular"].value == 0 and found["premature_ventricular"].value == 0


def test_a_pause_of_three_seconds():
    onsets = np.array([300, 1100, 1900, 2700, 3500, 4300, 7500, 8300, 9100])
    found = measure(recording(onsets, Heart()))
    assert found["premature_supraventricular"].value == 0 and found["premature_ventricular"].value == 0
    assert found["longest_rr_ms"].value == pytest.approx(3200, abs=6)


@pytest.mark.parametrize("early", [Heart(), PVC], ids=["of the usual shape", "ventricular"])
def test_an_interpolated_beat_counts_once(early):
    onsets = np.sort(np.append(np.arange(300.0, 9500, 1000), 4750.0))
    hearts = [early if onset == 4750 else Heart() for onset in onsets]
    found = measure(recording(onsets, hearts))
    assert found["premature_supraventricular"].value + found["premature_ventricular"].value == 1
