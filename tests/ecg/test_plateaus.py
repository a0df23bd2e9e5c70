"""Leads that stand still: one rule, whoever asks."""

from dataclasses import replace

import numpy as np
import pytest
from known_ecgs import regular

from meit.ecg.measure import measure
from meit.ecg.quality import inspect
from meit.ecg.recording import LEADS
from meit.ecg.signal.plateaus import is_cut_off, is_flat, run_lengths, swings


def cut(up: int, down: int, mv: float = 3.0, rate: float = 500.0):
    """An ECG whose V2 stays `up` samples at mv, and `down` samples at -mv."""
    plain = regular(rate=rate)
    signal = plain.signal.copy()
    signal[1000 : 1000 + up, LEADS.index("V2")] = mv
    signal[3000 : 3000 + down, LEADS.index("V2")] = -mv
    return replace(plain, signal=signal)


@pytest.mark.parametrize(
    ("up", "down", "is_cut"), [(16, 16, True), (32, 0, True), (0, 32, True), (12, 12, False), (8, 8, False)]
)
def test_measuring_and_quality_agree_on_what_is_cut_off(up, down, is_cut):
    recording = cut(up, down)
    assert is_cut_off(recording.lead("V2"), 500) is is_cut
    assert ("V2" in inspect(recording).saturated) is is_cut
    assert ("cut off" in measure(recording).lead("V2", "r_mv").why) is is_cut


def test_what_is_not_far_from_the_middle_is_not_cut_off():
    assert not is_cut_off(cut(60, 60, mv=1.5).lead("V2"), 500)
    assert not is_cut_off(np.full(100, np.nan), 500) and not is_cut_off(np.empty(0), 500)


def test_a_lead_is_flat_where_half_of_its_stretches_are():
    values = np.sin(np.arange(5000) / 20)
    assert not is_flat(swings(values, 500))
    values[:2000] = 0
    assert not is_flat(swings(values, 500))  # two of five
    values[:3000] = 0
    assert is_flat(swings(values, 500))
    assert not is_flat(swings(np.full(5000, np.nan), 500)) and len(swings(np.empty(0), 500)) == 0


def test_runs_are_counted_one_by_one():
    assert run_lengths(np.array([1, 1, 0, 1, 0, 0, 1, 1, 1], bool)).tolist() == [2, 1, 3]
    assert run_lengths(np.zeros(4, bool)).tolist() == []
