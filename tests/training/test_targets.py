"""What the encoder learns to find: the annotators' codes, or what the report says."""

import numpy as np
import pytest

from meit.data.shards import Report
from meit.model.encoders.encoder import EncoderConfig
from meit.training.targets import AXIS, best_threshold, finding_names, finding_targets


def report(text, codes, axis=""):
    return Report("1", "p", 1, text, "", "en", 1.0, codes, heart_axis=axis)


REPORTS = [report("Sinus rhythm. Left axis.", {"SR": 0.0, "LVH": 50.0}, "LAD")] * 5 + [
    report("No ST elevation.", {"PVC": 100.0})
] * 4


def test_names_are_those_seen_often_enough():
    assert finding_names(REPORTS, "codes") == ("LVH", "SR", *(f"axis:{axis}" for axis in AXIS))
    stated = finding_names(REPORTS, "statements")
    assert "SR" in stated and not {"LVH", "PVC", "STE_"} & set(stated)  # what is excluded is not stated


def test_targets_are_likelihoods_or_what_is_stated():
    config = EncoderConfig(findings=("LVH", "SR", "axis:LAD", "axis:MID"))
    assert finding_targets(REPORTS[0], config).tolist() == [0.5, 1.0, 1.0, 0.0]
    config = EncoderConfig(findings=("LVH", "SR"), targets="statements")
    assert finding_targets(REPORTS[0], config).tolist() == [0.0, 1.0]
    assert finding_targets(REPORTS[-1], config).tolist() == [0.0, 0.0]


def test_the_threshold_is_the_one_with_the_best_f1():
    held_out = np.array([[0.9], [0.45], [0.35], [0.2]])
    assert 0.2 < best_threshold(held_out, np.array([[1.0], [1.0], [1.0], [0.0]])) <= 0.35
    assert best_threshold(held_out, np.array([[1.0], [0.0], [0.0], [0.0]])) == pytest.approx(0.46, abs=0.011)
