"""Confidences are what their formula says, and belong to the model that they were fitted on."""

import json
import math

import pytest

from meit.drafting.calibration.confidence import (
    CALIBRATION_FILE,
    CONFIDENCE_FEATURES,
    Calibration,
    confidence_features,
    load_calibration,
)
from meit.drafting.checks.grounding import CONTRADICTED, MEASURED, Grounded
from meit.model import default_model
from meit.reports.statements import Statement, codes

WEIGHTS = {"constant": 0.5, "encoder_logit": 1.0, "encoder_has_no_output": -1.0, "measured": 2.0, "contradicted": -2.0}
CALIBRATION = Calibration("abc", WEIGHTS, {"LAD": 0.25})


def one(code, support="unchecked", certainty="definite"):
    return Grounded(Statement(code, code, 0, 1, certainty), support)


def logistic(z):
    return 1 / (1 + math.exp(-z))


def test_the_formula():
    encoder = {"AFIB": 0.8, "axis:LAD": 0.5}
    statements = [one("AFIB"), one("LAD", MEASURED), one("STT", CONTRADICTED), one("AFIB", certainty="excluded")]
    expected = [logistic(0.5 + math.log(4)), logistic(0.5 + 2 + 0.25), logistic(0.5 - 1 - 2), None]
    assert CALIBRATION.confidences(statements, encoder) == [None if z is None else pytest.approx(z) for z in expected]


@pytest.mark.parametrize("given", [0.0, 1.0])
def test_a_certain_encoder_is_not_believed_without_end(given):
    assert abs(confidence_features(one("AFIB"), {"AFIB": given})[CONFIDENCE_FEATURES.index("encoder_logit")]) < 6


def test_it_belongs_to_its_model(tmp_path):
    assert load_calibration(tmp_path, "abc") is None
    CALIBRATION.save(tmp_path)
    assert load_calibration(tmp_path, "abc") == CALIBRATION
    assert load_calibration(tmp_path, "another") is None


def test_the_shipped_model_has_its_own():
    from meit.model.model_files import checksum

    found = json.loads((default_model() / CALIBRATION_FILE).read_text())
    assert found["model_sha256"] == checksum(default_model())
    assert set(found["weights"]) == set(CONFIDENCE_FEATURES) and set(found["codes"]) <= set(codes())
    assert found["fitted_on"]["folds"] == [9]
