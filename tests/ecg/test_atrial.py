"""P waves at any rate beside QRS complexes at any other, and regular rhythms without P waves."""

from dataclasses import replace

import numpy as np
import pytest
from known_ecgs import CHEST_P, Heart, bump, limb, recording, regular

from meit.ecg.files.formats import read_ecg
from meit.ecg.measure import measure
from meit.ecg.recording import Recording

P = np.concatenate([limb(60, 0.15), CHEST_P])
SLOW = Heart(p_mv=0, qt=440)
PP = np.arange(100.0, 9900, 700)  # P waves of a sinus rhythm at 86/min


def with_p(onsets, at, heart: Heart = SLOW, **options) -> Recording:
    """QRS complexes at some times, and P waves of 110 ms that begin at others, in ms."""
    plain = recording(onsets, replace(heart, p_mv=0), **options)
    time = np.arange(len(plain.signal)) * 1000 / plain.rate
    waves = sum(bump(time, start, 110)[:, None] * P for start in at)
    return replace(plain, signal=(plain.signal + waves).astype(np.float32))


def every(bpm: float, first: float) -> np.ndarray:
    return np.arange(first, 9850, 60_000 / bpm)


def values(found, *names):
    return tuple(found[name].value for name in names)


@pytest.mark.parametrize(
    ("ventricles", "atria"), [(35, 83), (40, 75), (30, 100), (45, 110), (42, 62), (38, 140), (28, 71)]
)
@pytest.mark.parametrize("qrs", [90, 150])
def test_complete_block(ventricles, atria, qrs):
    found = measure(with_p(every(ventricles, 300), every(atria, 120), replace(SLOW, qrs=qrs), noise_mv=0.01))
    assert values(found, "av_dissociation", "p_per_qrs") == (1, None) and found["p_present"].value != 1
    assert found["atrial_rate_bpm"].value == pytest.approx(atria, rel=0.02)
    assert found["heart_rate_bpm"].value == pytest.approx(ventricles, abs=0.5) and found["pr_ms"].value is None


@pytest.mark.parametrize("bpm", [130, 150, 180])
def test_a_wide_fast_rhythm_is_measured_as_one(bpm):
    found = measure(with_p(every(bpm, 300), every(80, 120), Heart(qrs=150, qt=300, t=120)))
    assert found["heart_rate_bpm"].value == pytest.approx(bpm, abs=1) and found["qrs_ms"].value > 120
    assert values(found, "p_per_qrs", "pr_ms") == (None, None) and found["p_present"].value != 1


@pytest.mark.parametrize(("count", "bpm"), [(2, 35), (2, 40), (2, 50), (3, 27), (3, 30)])
def test_more_p_waves_than_beats(count, bpm):
    found = measure(with_p(every(bpm, 500), every(count * bpm, 340 - 60_000 / bpm), replace(SLOW, qt=400)))
    assert values(found, "p_per_qrs", "av_dissociation", "p_present") == (count, 0, 1)
    assert found["atrial_rate_bpm"].value == pytest.approx(count * bpm, rel=0.02)
    assert found["pr_ms"].value == pytest.approx(160, abs=15)


@pytest.mark.parametrize("bpm", [35, 40, 48, 60, 75, 100])
def test_one_p_wave_a_beat(bpm):
    found = measure(regular(Heart(qt=min(460, 300 + 6000 / bpm)), bpm))
    assert values(found, "p_per_qrs", "av_dissociation") == (1, 0)
    assert found["atrial_rate_bpm"].value == pytest.approx(bpm, abs=1)


@pytest.mark.parametrize("bpm", [40, 60, 85])
def test_a_junctional_rhythm_has_no_p_waves_and_no_dissociation(bpm):
    found = measure(regular(Heart(p_mv=0, qt=380), bpm))
    assert found["p_present"].value == 0
    assert values(found, "atrial_rate_bpm", "p_per_qrs", "av_dissociation", "pr_ms") == (None,) * 4


def test_fibrillation_has_neither():
    onsets = 300 + np.cumsum([0, 620, 900, 540, 1010, 700, 580, 860, 640, 980, 560, 760])
    found = measure(recording(onsets[onsets < 9200], Heart(p_mv=0, qt=360), noise_mv=0.03))
    assert values(found, "p_per_qrs", "av_dissociation", "atrial_rate_bpm") == (None,) * 3


CONDUCTED = {  # ms from a P wave to its QRS complex; what is not there is dropped
    "Wenckebach 3:2": (160, 280, None),
    "Wenckebach 4:3": (160, 260, 310, None),
    "Wenckebach 5:4": (160, 240, 280, 300, None),
    "Mobitz II 3:2": (160, 160, None),
    "Mobitz II 4:3": (160, 160, 160, None),
}


@pytest.mark.parametrize("block", CONDUCTED)
def test_the_beats_between_dropped_ones_are_not_early(block):
    pr = CONDUCTED[block]
    onsets = [at + pr[n % len(pr)] for n, at in enumerate(PP) if pr[n % len(pr)] and at + pr[n % len(pr)] < 9850]
    found = measure(with_p(onsets, PP, Heart()))
    assert values(found, "premature_supraventricular", "premature_ventricular") == (0, 0)
    assert found["av_dissociation"].value != 1
    assert found["atrial_rate_bpm"].value in (None, pytest.approx(60_000 / 700, abs=2))


@pytest.mark.parametrize("bpm", [150, 170, 190, 210, 230])
@pytest.mark.parametrize("qt", [210, 245])
def test_a_fast_rhythm_without_p_waves_has_no_pr_interval(bpm, qt):
    """What precedes the QRS complex is the T wave of the beat before."""
    found = measure(regular(Heart(p_mv=0, qt=qt, t=130), bpm))
    assert found["p_present"].value != 1 and found["pr_ms"].value is None
    assert found["heart_rate_bpm"].value == pytest.approx(bpm, abs=1)


@pytest.mark.parametrize(("bpm", "qt"), [(150, 245), (170, 245), (190, 210), (190, 245), (210, 210)])
def test_a_flat_line_before_a_fast_rhythms_qrs_complexes_shows_that_no_p_waves_are_there(bpm, qt):
    found = measure(regular(Heart(p_mv=0, qt=qt, t=130), bpm))
    assert found["p_present"].value == 0 and found["pr_ms"].value is None


@pytest.mark.parametrize(("bpm", "pr", "qt"), [(88, 220, 480), (88, 260, 500), (90, 300, 400)])
def test_p_waves_that_may_lie_on_the_t_waves_are_not_called_absent(bpm, pr, qt):
    assert measure(regular(Heart(pr=pr, qt=qt), bpm))["p_present"].value != 0


@pytest.mark.parametrize(("bpm", "pr", "qt"), [(130, 120, 300), (150, 110, 260)])
def test_a_fast_sinus_rhythm_keeps_its_p_waves(bpm, pr, qt):
    found = measure(regular(Heart(pr=pr, p=80, qt=qt, t=140), bpm))
    assert found["p_present"].value == 1 and found["pr_ms"].value == pytest.approx(pr, abs=15)


def test_real_ones(shared):
    """A first-degree block whose P waves lie on its T waves, a supraventricular tachycardia that is no first-degree block, and complete block by its cardiologists' word."""
    fast = measure(read_ecg(shared("cinc2021") / "JS21341.hea"))
    assert fast["p_present"].value != 1 and fast["pr_ms"].value is None
    hidden = measure(read_ecg(shared("ptb-xl") / "records500" / "00000" / "00141_hr.hea"))
    assert hidden["p_present"].value != 0
    block = measure(read_ecg(shared("ludb") / "data" / "111.hea"))
    assert block["av_dissociation"].value == 1 and block["atrial_rate_bpm"].value == pytest.approx(74, abs=2)
