"""Noise at known levels, signals that are no ECG, and exchanged electrodes: each is found, and real ECGs pass."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from known_ecgs import Heart, regular

from meit.ecg import LEADS, find_recordings, read_ecg
from meit.ecg.noise import ELECTRODES, NOISES, TO_LEADS, swap_electrodes
from meit.ecg.quality import GOOD, LIMITED, UNUSABLE, inspect
from meit.ecg.quality.verdicts import REASONS, because
from meit.ecg.recording import Recording
from meit.ecg.signal.resampling import resample

EXAMPLES = ("00041_lr", "00178_lr", "00195_hr")


@pytest.fixture(scope="module", params=EXAMPLES)
def real(request, example):
    return read_ecg(example.with_name(request.param))


@pytest.fixture(scope="module")
def fine(example):
    return read_ecg(example)


def noisy(recording, kind, level, seed=0):
    signal = NOISES[kind].add(recording.signal, recording.rate, level, np.random.default_rng(seed))
    return replace(recording, signal=signal)


def swapped(recording, electrodes):
    return replace(recording, signal=swap_electrodes(recording.signal, recording.rate, electrodes, None))


def reasons(recording):
    return {one.reason for one in inspect(recording).reasons}


def test_real_recordings_are_good(real):
    quality = inspect(real)
    assert quality.verdict == GOOD and quality.reasons == ()


NAMED = {
    "baseline wander": {"baseline_wander"},
    "muscle artefact": {"muscle_noise"},
    "mains hum": {"mains_hum"},
    "electrode motion": {"artefacts", "restless", "noisy_beats"},
    "white": {"muscle_noise"},
}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("kind", "level"),
    [
        ("baseline wander", 0.0),
        ("muscle artefact", 10.0),
        ("electrode motion", 6.0),
        ("mains hum", 12.0),
        ("white", 10.0),
    ],
)
def test_noise_is_named_and_limits(fine, kind, level, seed):
    found = inspect(noisy(fine, kind, level, seed))
    assert found.verdict == LIMITED and {one.reason for one in found.reasons} & NAMED[kind], found.warnings()
    assert all(set(one.leads) <= set(LEADS) for one in found.reasons)


@pytest.mark.parametrize("kind", ["muscle artefact", "electrode motion", "white"])
def test_what_buries_the_beats_makes_unusable(fine, kind):
    verdicts = [inspect(noisy(fine, kind, -9.0, seed)).verdict for seed in range(4)]
    assert verdicts.count(UNUSABLE) >= 3, verdicts


@pytest.mark.parametrize("kind", ["baseline wander", "mains hum"])
def test_what_the_filter_takes_away_never_does(fine, kind):
    """Below 0.5 Hz and above 40 Hz the model sees nothing: its draft stands."""
    assert {inspect(noisy(fine, kind, -6.0, seed)).verdict for seed in range(4)} == {LIMITED}


@pytest.mark.parametrize("kind", NAMED)
def test_faint_noise_is_no_reason(fine, kind):
    assert inspect(noisy(fine, kind, 30.0)).verdict == GOOD


def test_noise_in_one_lead_names_that_lead(fine):
    signal = fine.signal.copy()
    rng = np.random.default_rng(0)
    signal[:, LEADS.index("V4")] += (0.3 * rng.normal(size=len(signal))).astype(np.float32)
    signal[:, LEADS.index("V6")] += (2 * np.sin(np.arange(len(signal)) / fine.rate)).astype(np.float32)
    found = {one.reason: one.leads for one in inspect(replace(fine, signal=signal)).reasons}
    assert found["muscle_noise"] == ("V4",) and found["baseline_wander"] == ("V6",)


def foreign():
    """kind -> (5000, 12) mV at 500 Hz that no heart made, with and without the limb leads' laws."""
    rng, time = np.random.default_rng(1), np.arange(5000) / 500
    leads, electrodes = rng.normal(size=(5000, 12)), rng.normal(size=(5000, len(ELECTRODES)))
    gains = rng.normal(size=len(ELECTRODES))
    walk = np.cumsum(electrodes, axis=0)
    speech = np.sin(2 * np.pi * 31 * time) * np.clip(np.sin(2 * np.pi * 4 * time), 0, 1) * (1 + np.sin(time))
    pulse = np.exp(np.cos(2 * np.pi * 1.2 * time)) + 0.3 * np.exp(np.cos(2 * np.pi * 1.2 * time - 2))
    alpha = np.sin(2 * np.pi * 10 * time[:, None] + 4 * resample(electrodes[:50], 5, 500)[:5000])
    yield "noise in each lead", leads
    yield "noise at the electrodes", electrodes @ TO_LEADS.T
    yield "a random walk", (walk - walk.mean(axis=0)) / walk.std() @ TO_LEADS.T
    yield "a sine", np.sin(2 * np.pi * 5 * time)[:, None] * (gains @ TO_LEADS.T)
    yield "a slow sine", np.sin(2 * np.pi * 1.1 * time)[:, None] * (gains @ TO_LEADS.T)
    yield "speech-like", speech[:, None] * (gains @ TO_LEADS.T) + 0.01 * electrodes @ TO_LEADS.T
    yield "a pulse wave", pulse[:, None] * (gains @ TO_LEADS.T) + 0.002 * electrodes @ TO_LEADS.T
    yield "an alpha rhythm", (alpha + 0.3 * walk / walk.std()) @ TO_LEADS.T
    yield "a constant", np.full((5000, 12), 0.7)
    yield "zeros", np.zeros((5000, 12))


@pytest.mark.parametrize(("kind", "signal"), foreign(), ids=[kind for kind, _ in foreign()])
def test_what_is_no_ecg_is_unusable(kind, signal):
    quality = inspect(Recording(kind, signal.astype(np.float32), 500.0))
    assert quality.verdict == UNUSABLE
    assert {one.reason for one in quality.of(UNUSABLE)} & {"no_ecg", "too_few_leads"}


@pytest.mark.parametrize(
    ("heart", "bpm"),
    [
        (Heart(), 35.0),
        (Heart(), 70.0),
        (Heart(pr=120, qt=260, t=120), 170.0),
        (Heart(qrs=180, p_mv=0, qt=330, t=120, axis=-80), 160.0),
        (Heart(qrs=200, p_mv=0, qt=300, t=80, axis=150), 190.0),
        (Heart(qrs_mv=0.25, p_mv=0.03, t_mv=0.06), 80.0),
        (Heart(st_mv=0.4), 90.0),
    ],
)
def test_slow_fast_wide_and_small_rhythms_are_ecgs(heart, bpm):
    assert "no_ecg" not in reasons(regular(heart, bpm))


def test_irregular_and_paced_rhythms_are_ecgs():
    from known_ecgs import recording

    rng = np.random.default_rng(0)
    fibrillating = recording(300 + np.cumsum(rng.uniform(350, 1000, 13)), Heart(p_mv=0), noise_mv=0.02)
    narrow, wide = Heart(), Heart(qrs=160, p_mv=0, axis=-60, qt=420)
    bigeminy = recording(300 + 700 * np.arange(13), [narrow, wide] * 6 + [narrow])
    paced = regular(Heart(qrs=170, p_mv=0, axis=-70), 70)
    spiked = paced.signal.copy()
    spiked[140::429] += 3 * np.arange(-1, 3, 1 / 3, dtype=np.float32)
    for one in (fibrillating, bigeminy, replace(paced, signal=spiked)):
        assert inspect(one).verdict != UNUSABLE


@pytest.mark.parametrize("electrodes", ["RA-LA", "RA-LL", "V1-V3", "V1-V6", "V2-V5"])
def test_exchanged_electrodes_are_named(real, electrodes):
    found = {one.reason: one for one in inspect(swapped(real, electrodes)).reasons}
    reason = found["chest_electrodes" if electrodes[0] == "V" else "arm_electrodes"]
    assert " and ".join(electrodes.split("-")) in reason.text and reason.verdict == LIMITED


def test_exchanged_electrodes_on_real_records(shared):
    headers = find_recordings(shared("mimic-iv-ecg"))[::3] + find_recordings(shared("cinc2021"))[::6]
    records = [one for one in (read_ecg(header, allow_missing=True) for header in headers) if not one.missing]
    as_they_are = np.mean([bool(reasons(one) & {"arm_electrodes", "chest_electrodes"}) for one in records])
    arms = np.mean(["arm_electrodes" in reasons(swapped(one, "RA-LA")) for one in records])
    assert as_they_are < 0.06 and arms > 0.9


def test_real_records_are_seldom_limited_and_never_unusable(shared):
    headers = [
        header for folder in ("ptb-xl", "mimic-iv-ecg", "cinc2021") for header in find_recordings(shared(folder))[::5]
    ]
    found = [inspect(read_ecg(header, allow_missing=True)) for header in headers]
    assert all(one.verdict != UNUSABLE for one in found) and np.mean([one.verdict == GOOD for one in found]) > 0.8


def test_the_verdict_is_that_of_the_gravest_reason(fine):
    quality = inspect(fine)
    assert quality.also(because("derived", ("III",))).verdict == GOOD
    limited = quality.also(because("derived", ("III",)), because("flat", ("V1", "V2")))
    assert limited.verdict == LIMITED and [one.reason for one in limited.reasons] == ["flat", "derived"]
    assert limited.warnings()[0].startswith("V1, V2 are flat")
    unusable = limited.also(because("no_ecg", why="noise"))
    given = json.loads(json.dumps(unusable.to_dict(), allow_nan=False))
    assert given["verdict"] == UNUSABLE and given["reasons"][0]["grave"] and not given["reasons"][1]["grave"]
    assert given["reasons"][1]["leads"] == ["V1", "V2"] and given["warnings"] == unusable.warnings()
    assert all(reason in REASONS for reason in (one["reason"] for one in given["reasons"]))


@pytest.mark.parametrize(
    ("seconds", "reason", "verdict"), [(4, "too_short", UNUSABLE), (6, "short", LIMITED), (9, None, GOOD)]
)
def test_length(fine, seconds, reason, verdict):
    quality = inspect(replace(fine, signal=fine.signal[: round(seconds * fine.rate)]))
    assert quality.verdict == verdict and (reason is None or reason in {one.reason for one in quality.reasons})


def test_leads_that_are_left(fine):
    def without(*leads):
        signal = fine.signal.copy()
        signal[:, [LEADS.index(lead) for lead in leads]] = 0
        return inspect(replace(fine, signal=signal))

    assert without("V3").verdict == LIMITED
    assert "no_second_limb_lead" in {one.reason for one in without("I", "II", "aVR", "aVL", "aVF").reasons}
    assert {one.reason for one in without(*LEADS[5:]).of(UNUSABLE)} == {"too_few_leads"}


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_whatever_a_recording_holds_it_can_be_inspected(data):
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    n, rate = data.draw(st.integers(0, 900)), data.draw(st.sampled_from([50.0, 100.0, 127.0, 250.0, 20_000.0]))
    signal = rng.normal(size=(n, 12)) * 10.0 ** data.draw(st.integers(-30, 37))
    for lead in data.draw(st.lists(st.integers(0, 11), max_size=12)):
        signal[:, lead] = data.draw(st.sampled_from([0.0, 1e38, -3e38, np.nan]))
    signal[rng.random(signal.shape) < data.draw(st.sampled_from([0.0, 0.1, 0.95]))] = np.nan
    for lead in data.draw(st.sets(st.sampled_from(range(12)), max_size=11)):
        signal[:, lead] = np.nan
    recording = Recording("drawn", signal, rate)
    json.dumps(inspect(recording).to_dict(), allow_nan=False)
