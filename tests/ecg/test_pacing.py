"""Pacing spikes on ECGs whose every wave is known: found and taken out at the file's own rate, and what they set off."""

from dataclasses import replace

import numpy as np
import pytest
from known_ecgs import Heart, limb, recording, regular

from meit.ecg.measure import measure
from meit.ecg.quality import GOOD, inspect
from meit.ecg.recording import Recording

WIDE = Heart(qrs=160, qt=460, p_mv=0, axis=-70)
ONSETS = np.arange(300.0, 9800, 60_000 / 70)
SPIKE = np.concatenate([limb(70, 1.0), [-0.3, 0.2, 0.5, 0.6, 0.5, 0.4]])  # of 1 mV


def spiked(plain: Recording, at_ms, mv: float = 2.0, shape=(1.0,), tail: float = 0.0) -> Recording:
    """Spikes at these times: the samples of one by `shape`, then a share of its height that dies away against it."""
    signal = plain.signal.astype(float)
    for at in at_ms:
        first = round(at * plain.rate / 1000)
        pulse = np.concatenate([shape, -tail * np.exp(-np.arange(0, 150, 1000 / plain.rate) / 15)])[
            : len(signal) - first
        ]
        signal[first : first + len(pulse)] += mv * pulse[:, None] * SPIKE
    return replace(plain, signal=signal.astype(np.float32))


@pytest.mark.parametrize("rate", [250.0, 500.0, 1000.0])
@pytest.mark.parametrize("mv", [1.0, 4.0, 8.0, 15.0])
@pytest.mark.parametrize("shape", [(1.0,), (0.5, 1.0), (1.0, -1.0)], ids=["one sample", "two", "biphasic"])
def test_ventricular_pacing(rate, mv, shape):
    ecg = spiked(recording(ONSETS, WIDE, rate=rate), ONSETS - 20, mv, shape)
    assert inspect(ecg).verdict == GOOD
    found = measure(ecg)
    assert found["heart_rate_bpm"].value == pytest.approx(70, abs=0.5)
    assert found["paced_beats"].value == 1 and found["spikes_without_capture"].value == 0
    assert found["qrs_ms"].value == pytest.approx(160, abs=25)
    assert found["p_present"].value != 1


def test_spikes_that_differ_by_lead_as_in_the_case_of_an_unusable_recording():
    plain = recording(ONSETS, WIDE)
    signal = plain.signal.copy()
    for onset in ONSETS:
        i, ii = 4.0, 6.0
        signal[round((onset - 6) / 2)] += np.array([i, ii, ii - i, -(i + ii) / 2, i - ii / 2, ii - i / 2, *[4.0] * 6])
    ecg = replace(plain, signal=signal)
    assert inspect(ecg).verdict == GOOD
    assert measure(ecg)["paced_beats"].value == 1


def test_an_after_potential_is_no_beat():
    ecg = spiked(recording(ONSETS, WIDE), ONSETS - 20, 4.0, tail=0.15)
    found = measure(ecg)
    assert inspect(ecg).verdict == GOOD and found["paced_beats"].value == 1
    assert found["heart_rate_bpm"].value == pytest.approx(70, abs=0.5)


@pytest.mark.parametrize("mv", [0.6, 3.0])
def test_atrial_and_dual_chamber_pacing(mv):
    narrow = recording(ONSETS, Heart())
    atrial = measure(spiked(narrow, ONSETS - 175, mv))
    assert atrial["paced_beats"].value == 1 and atrial["p_present"].value == 1
    assert atrial["spikes_without_capture"].value == 0 and atrial["qrs_ms"].value == pytest.approx(90, abs=12)
    both = spiked(recording(ONSETS, Heart(qrs=160, qt=460)), [*(ONSETS - 175), *(ONSETS - 15)], mv)
    found = measure(both)
    assert inspect(both).verdict == GOOD
    assert found["paced_beats"].value == 1 and found["spikes_without_capture"].value == 0


def test_pacing_of_some_beats():
    hearts = [WIDE if 4 <= beat < 8 else Heart() for beat in range(len(ONSETS))]
    found = measure(spiked(recording(ONSETS, hearts), ONSETS[4:8] - 20))
    assert found["paced_beats"].value == pytest.approx(4 / len(ONSETS), abs=0.01)
    assert found["spikes_without_capture"].value == 0


def test_spikes_that_nothing_follows():
    own, spikes = np.arange(400.0, 9800, 1500), np.arange(200.0, 9800, 857)
    lone = [at for at in spikes if not any(-140 < onset - at < 160 for onset in own) and at < 9700]
    failing = measure(spiked(recording(own, WIDE), spikes, 3.0))  # none is captured
    assert failing["spikes_without_capture"].value == pytest.approx(len(lone), abs=1)
    assert failing["heart_rate_bpm"].value == pytest.approx(40, abs=0.5)
    some = np.delete(np.arange(len(ONSETS)), [4, 8])  # two are not
    found = measure(spiked(recording(ONSETS[some], WIDE), ONSETS - 20, 3.0))
    assert found["spikes_without_capture"].value == 2 and found["paced_beats"].value == 1
    assert found["longest_rr_ms"].value == pytest.approx(2 * 857, abs=8)


def test_spikes_that_do_not_sense():
    """The pacemaker goes on beside the heart's own rhythm: spikes in and after its beats."""
    spikes = np.arange(250.0, 9700, 1000)
    found = measure(spiked(regular(Heart(), 70), spikes, 3.0))
    assert found["heart_rate_bpm"].value == pytest.approx(70, abs=0.5)
    assert found["spikes_without_capture"].value >= 4


def test_what_is_not_paced_has_no_spikes():
    for ecg in (regular(Heart()), regular(Heart(qrs=70), 130), regular(noise_mv=0.03), regular(rate=1000.0)):
        found = measure(ecg)
        assert found["paced_beats"].value == 0 and found["spikes_without_capture"].value is None


def test_spikes_need_a_rate():
    found = measure(regular(rate=100.0))
    for name in ("paced_beats", "spikes_without_capture"):
        assert found[name].value is None and "250" in found[name].why
