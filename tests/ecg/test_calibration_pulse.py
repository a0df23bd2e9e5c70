"""The calibration pulse behind an ECG, through every format that may carry it; and what only looks like one."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from known_ecgs import regular
from made_files import write_cardiosoft, write_mfer

from meit.ecg.files.calibration_pulse import without_pulse
from meit.ecg.files.formats import read_ecg
from meit.ecg.measure import measure
from meit.ecg.quality import inspect
from meit.ecg.recording import LEADS, Recording

RATE = 500
SIGNAL = regular(bpm=45, rate=RATE, noise_mv=0.002).signal


def with_pulse(
    signal: np.ndarray = SIGNAL, rate: float = RATE, noise: float = 0.0, derived: bool = False
) -> np.ndarray:
    """signal, and behind it 0.1 s of 0, 0.2 s of 1 mV and 0.1 s of 0 in all leads, as Philips' carts write it."""
    level, plateau = round(0.1 * rate), round(0.2 * rate)
    pulse = np.zeros((2 * level + plateau, 12))
    pulse[level : level + plateau] = 1
    if derived:  # III, aVR, aVL and aVF as another program reckons them
        pulse[level : level + plateau, 2:6] = (0, -1, 0.5, 0.5)
    pulse += np.random.default_rng(0).normal(0, noise, pulse.shape)
    return np.concatenate([signal, pulse])


@pytest.mark.parametrize("noise", [0.0, 0.003, 0.006])
@pytest.mark.parametrize("derived", [False, True])
def test_the_pulse_is_cut_with_its_level(noise, derived):
    recording = Recording("x", with_pulse(noise=noise, derived=derived), RATE)
    cut = without_pulse(recording)
    assert len(SIGNAL) - 60 <= len(cut.signal) <= len(SIGNAL)
    np.testing.assert_array_equal(cut.signal, recording.signal[: len(cut.signal)])
    assert measure(cut)["heart_rate_bpm"] == measure(Recording("x", SIGNAL, RATE))["heart_rate_bpm"]


def test_a_pulse_before_the_ecg_or_cut_short():
    before = without_pulse(Recording("x", with_pulse()[::-1], RATE))
    assert len(before.signal) <= len(SIGNAL)
    short = without_pulse(Recording("x", with_pulse()[:-60], RATE))  # within the plateau
    assert len(short.signal) <= len(SIGNAL)


@pytest.mark.parametrize("rate", [100, 250, 1000])
def test_at_any_rate(rate):
    signal = regular(bpm=45, rate=rate, noise_mv=0.002).signal
    cut = without_pulse(Recording("x", with_pulse(signal, rate), rate))
    assert 0 <= len(signal) - len(cut.signal) <= 0.15 * rate


@pytest.mark.parametrize("write", [write_cardiosoft, write_mfer])
def test_in_other_formats(tmp_path, write):
    recording = read_ecg(write(tmp_path / "x", Recording("x", with_pulse(noise=0.002), RATE)))
    assert len(SIGNAL) - 60 <= len(recording.signal) <= len(SIGNAL)
    assert not any("add up" in line for line in inspect(recording).warnings())


def test_the_export_of_a_real_cart(shared):
    """The cart states 41 beats/min; its own aECG export of the ECG carries the pulse with a noise of two steps."""
    philips = shared("vendor") / "philips"
    own = read_ecg(philips / "ad4d3d80-d165_1-04_orig.xml")
    exported = read_ecg(philips / "ad4d3d80-d165_1-04_converted.xml")
    assert len(own.signal) == len(exported.signal) == 5300
    assert round(measure(exported)["heart_rate_bpm"].value) == 41
    np.testing.assert_allclose(own.signal, exported.signal, atol=0.021)


@pytest.mark.parametrize("factor", [0.5, 2])
def test_at_a_wrong_scale_too(factor):
    cut = without_pulse(Recording("x", with_pulse() * factor, RATE))
    assert len(SIGNAL) - 60 <= len(cut.signal) <= len(SIGNAL)


def unchanged(signal: np.ndarray, rate: float = RATE) -> bool:
    recording = Recording("x", signal, rate)
    return without_pulse(recording) is recording


def test_what_only_looks_like_a_pulse():
    assert unchanged(SIGNAL)
    one = with_pulse()
    one[:, 7] = np.concatenate([SIGNAL[:, 7], SIGNAL[:200, 7]])  # a lead that has none
    assert unchanged(one)
    assert unchanged(with_pulse() * 5)
    long = np.concatenate([SIGNAL, np.zeros((50, 12)), np.ones((600, 12)), np.zeros((50, 12))])
    assert unchanged(long)
    beats = np.tile(SIGNAL[:, [1]], 12)  # all leads alike, as of a simulator
    assert unchanged(beats / np.abs(beats).max())


def test_missing_leads_do_not_hide_it():
    signal = with_pulse()
    signal[:, [LEADS.index("V3"), LEADS.index("V4")]] = np.nan
    cut = without_pulse(Recording("x", signal, RATE))
    assert len(cut.signal) <= len(SIGNAL) and cut.missing == ("V3", "V4")
    assert replace(cut, name="y").missing == cut.missing


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([50.0, 100.0, 500.0]), st.integers(1, 900))
def test_no_noise_is_cut(seed, rate, length):
    assert unchanged(np.random.default_rng(seed).normal(0, 1, (length, 12)), rate)
