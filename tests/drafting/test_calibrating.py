"""The error of calibration and the fit, where their values are known."""

import numpy as np
import pytest

from meit.drafting.calibration.calibrating import Judged, bins, calibration_error, confidences, cross_validated, fit
from meit.drafting.checks.grounding import CONTRADICTED, MEASURED, UNCHECKED, Grounded
from meit.reports.statements import Statement


def statement(code, true, p=None, support=UNCHECKED, patient="1"):
    return Judged(Grounded(Statement(code, code, 0, 1), support), {} if p is None else {code: p}, true, patient)


def test_error_by_hand():
    """Ten bins of ten: each says 0.3, and half of it is true, so the error is 0.2."""
    assert calibration_error(np.full(100, 0.3), np.arange(100) % 2) == pytest.approx(0.2)
    sure, true = np.r_[np.full(50, 0.1), np.full(50, 0.9)], np.r_[np.zeros(50), np.ones(50)]
    assert calibration_error(sure, true) == pytest.approx(0.1)
    assert [n for _, _, n in bins(sure[:95], true[:95])] == [10] * 5 + [9] * 5
    assert np.isnan(calibration_error(np.array([]), np.array([])))


def test_the_error_is_ece_of_equal_bins_as_written_out():
    rng = np.random.default_rng(0)
    sure = rng.random(200)
    true = rng.random(200) < sure**2
    order = np.argsort(sure)
    parts = [order[start : start + 20] for start in range(0, 200, 20)]
    expected = np.mean([abs(sure[part].mean() - true[part].mean()) for part in parts])
    assert calibration_error(sure, true) == pytest.approx(expected)


def simulated(n, seed):
    """Statements that are true with the probability that a known formula gives."""
    rng = np.random.default_rng(seed)
    made = []
    for number in range(n):
        p, support = rng.uniform(0.02, 0.98), rng.choice([MEASURED, CONTRADICTED, UNCHECKED])
        z = 0.5 + 0.7 * np.log(p / (1 - p)) + {MEASURED: 1, CONTRADICTED: -1.5, UNCHECKED: 0}[support]
        code = ("SR", "AFIB")[number % 2]
        true = rng.random() < 1 / (1 + np.exp(-z - (0.8 if code == "AFIB" else 0)))
        made.append(statement(code, bool(true), p, support, str(number // 3)))
    return made


def test_the_fit_finds_what_the_statements_were_made_with():
    found = fit(simulated(20_000, 0), "abc", {})
    assert found.weights["encoder_logit"] == pytest.approx(0.7, abs=0.05)
    assert found.weights["measured"] == pytest.approx(1, abs=0.1)
    assert found.weights["contradicted"] == pytest.approx(-1.5, abs=0.1)
    assert found.codes["AFIB"] - found.codes["SR"] == pytest.approx(0.8, abs=0.1)
    new = simulated(5_000, 1)
    assert calibration_error(*confidences(found, new)) < 0.03


def test_cross_validation_is_by_patient():
    few = simulated(600, 3)
    fitted = calibration_error(*confidences(fit(few, "abc", {}), few))
    assert 0 < cross_validated(few) < 0.1 and cross_validated(few) > fitted - 0.02
    assert np.isnan(cross_validated(few[:6]))  # two patients


def test_a_rare_code_keeps_near_the_others():
    found = fit([*(statement("SR", True) for _ in range(50)), statement("AFIB", False)], "abc", {})
    assert -2 < found.codes["AFIB"] < 0
