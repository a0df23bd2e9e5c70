"""How well normal and abnormal ECGs are told apart."""

import numpy as np
import pytest
import torch

from meit.benchmark.finding_scores import abnormal_auroc, abnormality

REFERENCES = ["Sinus rhythm. Normal ECG.", "Atrial fibrillation.", "Left bundle branch block.", "Normal ECG."]


def test_the_area_by_hand():
    """Of the four pairs of an abnormal and a normal ECG, three are in the right order."""
    found = abnormal_auroc(np.array([0.2, 0.9, 0.3, 0.4]), REFERENCES, ["a", "b", "c", "d"], n_bootstrap=200)
    assert found.value == pytest.approx(3 / 4)
    assert found.ci95[0] < 0.75 < found.ci95[1] <= 1


def test_patients_stay_together():
    """With one patient for the pairs in the right order and one for the others, a resample is all right, all wrong, or both."""
    scores = np.array([0.1, 0.9, 0.1, 0.9])
    found = abnormal_auroc(scores, REFERENCES, ["a", "a", "b", "b"], n_bootstrap=200)
    assert found.value == pytest.approx(2 / 4) and found.ci95 == (0, 1)


def test_without_a_normal_or_an_abnormal_ecg_there_is_none():
    assert abnormal_auroc(np.array([0.1, 0.2]), REFERENCES[1:3], ["a", "b"]) is None


def test_what_is_abnormal_is_what_is_not_normal():
    probabilities = torch.tensor([[0.1, 0.9], [0.3, 0.2]])
    assert abnormality(("AFIB", "NORM"), probabilities) == pytest.approx([0.1, 0.8])
    assert abnormality(("AFIB", "SR"), probabilities) is None
