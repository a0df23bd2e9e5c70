"""Measurements of ECGs whose every wave is known, and of signals that are none."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from known_ecgs import Heart, limb, recording, regular

from meit.ecg.measure import BY_LEAD, GLOBAL, Look, Measurements, look, measure, measured
from meit.ecg.measure.values import DURATIONS
from meit.ecg.noise import NOISES
from meit.ecg.recording import LEADS, Recording

TOLERATED = {"heart_rate_bpm": 0.5, "p_ms": 15, "pr_ms": 12, "qrs_ms": 10, "qt_ms": 15, "axis_deg": 3, "p_axis_deg": 6}
HEARTS = {
    "usual": (Heart(), 70),
    "long PR": (Heart(pr=260), 60),
    "wide QRS": (Heart(qrs=140, qt=460), 60),
    "fast": (Heart(pr=120, qt=300, t=140), 130),
    "slow, long QT": (Heart(qt=520), 45),
    "left axis": (Heart(axis=-60), 75),
    "right axis": (Heart(axis=170, p_axis=-30), 75),
}


def values(heart: Heart, bpm: float) -> dict[str, float]:
    return {
        "heart_rate_bpm": bpm,
        "p_ms": heart.p,
        "pr_ms": heart.pr,
        "qrs_ms": heart.qrs,
        "qt_ms": heart.qt,
        "axis_deg": heart.axis,
        "p_axis_deg": heart.p_axis,
    }


def given_values(found):
    return {name: found[name].value for name in GLOBAL if found[name].value is not None}


@pytest.mark.parametrize("rate", [100.0, 250.0, 500.0, 1000.0])
@pytest.mark.parametrize("name", HEARTS)
def test_known_values_are_found(name, rate):
    heart, bpm = HEARTS[name]
    found = measure(regular(heart, bpm, rate=rate))
    for measurement, value in values(heart, bpm).items():
        assert found[measurement].value == pytest.approx(value, abs=TOLERATED[measurement]), measurement
        assert found[measurement].reliability > 0.5, measurement
    assert found["p_present"].value == 1
    rr_s = 60 / bpm
    assert found["qtc_ms"].value == pytest.approx(heart.qt / rr_s ** (1 / 3), abs=18)
    assert found["qtc_bazett_ms"].value == pytest.approx(heart.qt / rr_s**0.5, abs=20)


def test_amplitudes_of_each_lead():
    found = measure(regular(Heart(axis=0, st_mv=0.15), noise_mv=0.0))
    for lead, mv in zip(LEADS, [*limb(0, 1.2), -0.8, -0.6, 0.4, 1.2, 1.4, 1.1], strict=True):
        tall, deep = (found.lead(lead, name).value for name in ("r_mv", "s_mv"))
        if mv > 0.1:  # q 0.15, R 1, s 0.25 of it
            assert tall == pytest.approx(mv, rel=0.03) and deep == pytest.approx(-0.25 * mv, abs=0.03)
            assert found.lead(lead, "q_mv").value == pytest.approx(-0.15 * mv, abs=0.03)
            assert found.lead(lead, "st_mv").value == pytest.approx(0.15, abs=0.03)
            assert found.lead(lead, "st60_mv").value == pytest.approx(0.15, abs=0.03)
        if mv < -0.1:
            assert deep == pytest.approx(mv, rel=0.03)
            assert found.lead(lead, "st_mv").value == pytest.approx(-0.15, abs=0.03)
    found = measure(regular(Heart(axis=0), noise_mv=0.0))  # whose limb leads add up
    assert found["sokolow_lyon_mv"].value == pytest.approx(0.8 + 1.4, abs=0.05)
    assert found["limb_qrs_mv"].value == pytest.approx(1.2 * 1.25, abs=0.06)
    assert found["chest_qrs_mv"].value == pytest.approx(1.4 * 1.25, abs=0.06)


def test_cornell_and_a_q_wave():
    found = measure(regular(Heart(axis=-30)))
    assert found["cornell_mv"].value == pytest.approx(1.2 * np.sqrt(3) / 2 + 0.25 * 0.4, abs=0.05)
    assert 10 <= found.lead("V5", "q_ms").value <= 35


def test_no_p_waves():
    steady = measure(regular(Heart(p_mv=0)))
    assert steady["p_present"].value != 1
    assert steady["pr_ms"].value is None and steady["pr_ms"].why
    onsets = 300 + np.cumsum([0, 620, 900, 540, 1010, 700, 580, 860, 640, 980, 560, 760])  # fibrillation
    found = measure(recording(onsets[onsets < 9200], Heart(p_mv=0, qt=360)))
    assert found["p_present"].value == 0
    assert found["pr_ms"].value is None and found["p_axis_deg"].value is None
    assert found["rr_irregularity"].value > 0.2
    assert found["premature_supraventricular"].value is None
    assert found["heart_rate_bpm"].value == pytest.approx(60_000 / np.diff(onsets[onsets < 9200]).mean(), abs=0.5)
    assert found["qt_ms"].value == pytest.approx(360, abs=20)


PVC = Heart(pr=160, p_mv=0, qrs=150, qt=420, axis=-110, qrs_mv=-1.6)


def test_premature_beats():
    usual = np.arange(300.0, 9500, 850)
    early = usual.copy()
    early[5] -= 300
    found = measure(recording(early, Heart()))
    assert found["premature_supraventricular"].value == 1 and found["premature_ventricular"].value == 0

    hearts = [Heart()] * len(usual)
    hearts[5] = PVC
    found = measure(recording(early, hearts))
    assert found["premature_ventricular"].value == 1 and found["premature_supraventricular"].value == 0
    assert found["qrs_ms"].value == pytest.approx(90, abs=10)

    bigeminy = np.sort(np.concatenate([np.arange(300.0, 9000, 1400), np.arange(780.0, 9000, 1400)]))
    found = measure(recording(bigeminy, [(Heart(), PVC)[beat % 2] for beat in range(len(bigeminy))]))
    assert found["premature_ventricular"].value == len(bigeminy) // 2
    assert found["qrs_ms"].value == pytest.approx(90, abs=10)


def test_breathing_is_no_premature_beat():
    onsets = 300 + np.cumsum(850 + 110 * np.sin(np.arange(10) * 1.1))
    found = measure(recording(onsets[onsets < 9300], Heart()))
    assert found["premature_supraventricular"].value == 0


def test_a_pause():
    onsets = np.arange(300.0, 9500, 800)
    found = measure(recording(np.delete(onsets, [5, 6]), Heart()))
    assert found["longest_rr_ms"].value == pytest.approx(2400, abs=6)
    assert measure(regular())["longest_rr_ms"].value == pytest.approx(60_000 / 70, abs=6)


@pytest.mark.parametrize("rate", [250.0, 500.0, 1000.0])
@pytest.mark.parametrize("before", [5.0, 180.0])
def test_pacing_spikes(rate, before):
    onsets = np.arange(300.0, 9500, 850)
    plain = recording(onsets, Heart(p_mv=0.1), rate=rate)
    assert measure(plain)["paced_beats"].value == 0
    signal = plain.signal.copy()
    for onset in onsets:
        signal[round((onset - before) * rate / 1000)] += np.concatenate([limb(60, 1.5), [-1, 0.5, 1, 1, 1, 0.8]])
    found = measure(replace(plain, signal=signal))
    assert found["paced_beats"].value == 1
    # at 250 Hz a spike of one sample rings for several, into the QRS complex that follows
    assert found["qrs_ms"].value == pytest.approx(90, abs=30 if rate == 250 and before == 5 else 16)


def test_pacing_spikes_need_a_rate():
    found = measure(regular(rate=100.0))["paced_beats"]
    assert found.value is None and "250" in found.why


@pytest.mark.parametrize("factor", [0.5, 2.0])
def test_scaling_changes_amplitudes_alone(factor):
    plain = regular(Heart(axis=20))
    one, other = measure(plain), measure(replace(plain, signal=factor * plain.signal))
    for name in GLOBAL:
        scale = factor if name.endswith("_mv") else 1
        if one[name].value is None:
            assert other[name].value is None, name
            continue
        assert other[name].value == pytest.approx(scale * one[name].value, rel=1e-3), name
    for lead in ("I", "II", "aVR", "aVF", "V1", "V2", "V4", "V5", "V6"):  # in the others R or S is next to nothing
        for name in ("r_mv", "s_mv", "st_mv", "t_mv"):
            assert other.lead(lead, name).value == pytest.approx(factor * one.lead(lead, name).value, abs=0.02), name


def test_a_shift_in_time_changes_little():
    plain = regular(seconds=12.0)
    one, other = (measure(replace(plain, signal=plain.signal[start : start + 5000])) for start in (0, 333))
    for name in (*DURATIONS, "heart_rate_bpm", "axis_deg"):
        assert other[name].value == pytest.approx(one[name].value, abs=4), name


@pytest.mark.parametrize("kind", ["white", "muscle artefact", "baseline wander", "electrode motion"])
def test_in_noise_values_are_right_or_null_and_less_is_relied_on(kind):
    plain, heart = regular(), Heart()
    clean, trusts = measure(plain), []
    for level in (24.0, 12.0, 0.0):
        noisy = NOISES[kind].add(plain.signal, plain.rate, level, np.random.default_rng(0))
        found = measure(replace(plain, signal=noisy))
        for name, value in values(heart, 70).items():
            if found[name].reliability > 0.75:
                assert found[name].value == pytest.approx(value, abs=4 * TOLERATED[name]), (level, name)
        trusts.append(np.mean([found[name].reliability for name in values(heart, 70)]))
    assert trusts[-1] <= trusts[0] + 0.02 and trusts[-1] < np.mean([clean[name].reliability for name in TOLERATED])


@pytest.mark.parametrize("sigma", [0.1, 1.0])
def test_noise_alone_has_no_values(sigma):
    for seed in range(3):
        noise = np.random.default_rng(seed).normal(0, sigma, (5000, 12)).astype(np.float32)
        found = measure(Recording("noise", noise, 500.0))
        assert given_values(found) == {} and "leads" in found["heart_rate_bpm"].why


def test_hum_is_taken_out():
    plain = regular()
    hum = 0.3 * np.sin(2 * np.pi * 50 * np.arange(5000) / 500)[:, None] * np.linspace(-1, 1, 12)
    found = measure(replace(plain, signal=(plain.signal + hum).astype(np.float32)))
    for name, value in values(Heart(), 70).items():
        assert found[name].value == pytest.approx(value, abs=1.5 * TOLERATED[name]), name


def test_one_bad_lead_spoils_nothing_else():
    plain = regular()
    signal = plain.signal.copy()
    signal[:, LEADS.index("V2")] = 5 * np.random.default_rng(0).normal(size=5000)
    found = measure(replace(plain, signal=signal))
    for name, value in values(Heart(), 70).items():
        assert found[name].value == pytest.approx(value, abs=1.5 * TOLERATED[name]), name
    assert found.lead("V2", "r_mv").reliability < found.lead("V3", "r_mv").reliability


def test_missing_flat_and_saturated_leads():
    plain = regular()
    signal = plain.signal.copy()
    signal[:, LEADS.index("V1")] = np.nan
    signal[:, LEADS.index("V4")] = 0
    found = measure(replace(plain, signal=signal))
    assert found["pr_ms"].value == pytest.approx(160, abs=15)
    for name in ("sokolow_lyon_mv", "chest_qrs_mv"):
        assert found[name].value is None and "flat" in found[name].why
    assert found["limb_qrs_mv"].value and found["cornell_mv"].value
    assert found.lead("V1", "r_mv").value is None and found.lead("V4", "st_mv").why

    signal = 3 * plain.signal
    signal[:, LEADS.index("V5")] = np.minimum(signal[:, LEADS.index("V5")], 2.5)
    assert "cut off" in measure(replace(plain, signal=signal)).lead("V5", "r_mv").why


def test_a_gap_is_no_pause():
    plain = regular()
    signal = plain.signal.copy()
    signal[2000:2600] = np.nan
    found = measure(replace(plain, signal=signal))
    assert found["heart_rate_bpm"].value == pytest.approx(70, abs=0.5)
    assert found["longest_rr_ms"].value == pytest.approx(857, abs=6)
    assert found["qt_ms"].value == pytest.approx(400, abs=15)


def test_few_beats_and_low_rates():
    short = measure(regular(bpm=40, seconds=5.0))
    assert short["heart_rate_bpm"].value == pytest.approx(40, abs=0.5)
    assert short["qrs_ms"].value is None and "beats" in short["qrs_ms"].why
    coarse = measure(regular(rate=50.0))
    assert coarse["heart_rate_bpm"].value == pytest.approx(70, abs=0.5)
    assert coarse["qt_ms"].value is None and "80" in coarse["qt_ms"].why


def test_wrong_units_have_times_but_no_amplitudes():
    plain = regular()
    found = measure(replace(plain, signal=1000 * plain.signal))
    assert found["qrs_ms"].value == pytest.approx(90, abs=10)
    assert found["cornell_mv"].value is None and "unit" in found["cornell_mv"].why


def test_results_are_ready_for_json():
    for found in (measure(regular()), measure(Recording("none", np.zeros((0, 12), np.float32), 500.0))):
        given = json.loads(json.dumps(found.to_dict(), allow_nan=False))
        for name in GLOBAL:
            assert (given[name] is None) == (name in given["why_absent"]) != (name in given["reliability"])
            assert 0 <= found[name].reliability <= 1 and (found[name].value is None) == bool(found[name].why)
        for lead in found.leads.values():
            assert set(lead) == set(BY_LEAD)


@pytest.mark.parametrize("seconds", [0.0, 2.5, 10.0])
def test_measurements_come_back_from_json(seconds):
    found = measure(regular(seconds=seconds))
    report = json.loads(json.dumps(found.to_dict()))
    again = Measurements.from_dict(report)
    assert again == found and again.to_dict() == report == found.to_dict()
    assert all(again[name].value == found[name].value and again[name].why == found[name].why for name in GLOBAL)
    assert Measurements.from_record(json.loads(json.dumps(found.to_record()))) == found


def test_one_look_serves_what_it_was_taken_for():
    ecg = regular(rate=250.0)
    seen = look(ecg)
    assert seen.beat is not None and seen.missing == "" and measured(ecg, seen) == measure(ecg)


def test_a_look_says_what_could_not_be_seen():
    nothing = look(Recording("none", np.zeros((0, 12), np.float32), 500.0))
    assert isinstance(nothing, Look) and nothing.beats is None and "no lead can be used" in nothing.missing
    few = look(regular(seconds=2.5))
    assert few.beats is not None and few.beat is None and "fewer than 3 whole beats" in few.missing


@st.composite
def nonsense(draw):
    """Any signal that Recording takes: constants, noise, steps, huge values, gaps, pieces of an ECG."""
    rate = draw(st.sampled_from([50.0, 73.3, 100.0, 250.0, 500.0, 1000.0, 2000.0]))
    length = draw(st.integers(0, 5 * int(min(rate, 500))))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    kind = draw(st.sampled_from(["zeros", "noise", "steps", "spikes", "beats", "cauchy"]))
    size = draw(st.sampled_from([1e-38, 1e-3, 1.0, 1e4, 1e37]))
    if kind == "beats":
        signal = regular(rate=rate, bpm=draw(st.integers(20, 240)), seconds=6.0).signal[:length].astype(float)
    elif kind == "steps":
        signal = np.repeat(rng.normal(size=(length // 50 + 1, 12)), 50, axis=0)[:length]
    elif kind == "spikes":
        signal = rng.normal(size=(length, 12)) * (rng.random((length, 1)) < 0.01)
    elif kind == "cauchy":
        signal = np.clip(rng.standard_cauchy((length, 12)), -1e3, 1e3)
    else:
        signal = rng.normal(size=(length, 12)) * (kind == "noise")
    signal = np.clip(signal * size, -3e38, 3e38).astype(np.float32)
    signal[:, rng.random(12) < draw(st.sampled_from([0.0, 0.5, 0.95]))] = np.nan
    signal[rng.random(signal.shape) < draw(st.sampled_from([0.0, 0.0, 0.3]))] = np.nan
    if draw(st.booleans()):
        signal[: length // 3] = np.nan
    return Recording("nonsense", signal, rate)


@settings(max_examples=120, deadline=None)
@given(nonsense())
def test_never_raises(any_recording):
    with np.errstate(all="ignore"):
        found = measure(any_recording)
    json.dumps(found.to_dict(), allow_nan=False)
    assert all(0 <= found[name].reliability <= 1 for name in GLOBAL)


@pytest.mark.parametrize("mistake", ["inverted", "exchanged", "half the gain", "without I, II and III"])
def test_voltages_and_axes_of_limb_leads_that_do_not_add_up_are_not_given(mistake):
    plain = regular()
    signal = plain.signal.copy()
    if mistake == "exchanged":
        signal[:, [0, 2]] = signal[:, [2, 0]]
    elif mistake == "half the gain":
        signal[:, 1] *= 0.5
    else:
        signal[:, 5] *= -1
    if mistake == "without I, II and III":
        signal[:, :3] = np.nan
    found = measure(replace(plain, signal=signal))
    for name in ("axis_deg", "p_axis_deg", "t_axis_deg", "sokolow_lyon_mv", "cornell_mv", "limb_qrs_mv"):
        assert found[name].value is None and "the limb leads do not add up" in found[name].why, name
    assert all(one.reliability == 0 and one.why for one in found.leads["aVF"].values())
    assert found.lead("V5", "r_mv").reliability > 0.5 and found["qrs_ms"].value == pytest.approx(90, abs=10)


def test_one_flat_limb_lead_leaves_the_others_their_axis():
    plain = regular()
    signal = plain.signal.copy()
    signal[:, 4] = 0
    found = measure(replace(plain, signal=signal))
    assert found["axis_deg"].value == pytest.approx(50, abs=3) and found["cornell_mv"].value is None


def test_steep_paced_p_waves_are_no_beats_beside_slow_paced_qrs_complexes():
    onsets = np.arange(300.0, 9500, 1000)
    paced = recording(onsets, Heart(pr=170, p=40, p_mv=0.3, qrs=230, qt=540, qrs_mv=1.2), noise_mv=0.002)
    found = measure(paced)
    assert found["heart_rate_bpm"].value == pytest.approx(60, abs=0.5)
    assert found["qrs_ms"].value == pytest.approx(230, abs=20)


def test_a_notched_p_wave_ends_behind_its_second_half():
    notched = regular(Heart(pr=200, p=70, qrs_mv=1.0))
    signal = notched.signal + regular(Heart(pr=125, p=70, qrs_mv=0.0, t_mv=0.0), noise_mv=0.0).signal
    found = measure(replace(notched, signal=signal.astype(np.float32)))
    assert found["p_ms"].value == pytest.approx(145, abs=15)
    assert found["pr_ms"].value == pytest.approx(200, abs=12)
