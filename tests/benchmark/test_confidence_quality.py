"""How well confidences fit, against what is known of them."""

import numpy as np
import pytest

from meit.benchmark.tasks.confidence_quality import calibration_metrics, error_of_chance, reliability_figure
from meit.drafting.calibration.calibrating import Judged, fit
from meit.drafting.checks.grounding import Grounded
from meit.reports.statements import Statement


@pytest.fixture(scope="module")
def statements():
    """Of probabilities that are too high: each is true half as often as the encoder says."""
    rng = np.random.default_rng(2)
    probabilities = rng.uniform(0.02, 0.98, 300)
    stated = Grounded(Statement("AFIB", "AFIB", 0, 4))
    return [
        Judged(stated, {"AFIB": p}, bool(rng.random() < p / 2), str(number // 3))
        for number, p in enumerate(probabilities)
    ]


def test_confidences_of_a_fit_are_better_than_one_for_all(statements):
    metrics = calibration_metrics(fit(statements, "abc", {}), statements, n_bootstrap=50)
    assert metrics["brier_score"].value < metrics["brier_constant"].value
    for metric in metrics.values():
        assert metric.ci95[0] < metric.ci95[1]


def test_chance_alone_makes_an_error():
    """Of sure confidences none; of 0.5 in ten bins of ten, ten times the mean of |X / 10 - 0.5|, X binomial: 0.123."""
    assert error_of_chance(np.repeat([0.0, 1.0], 50))[0] == 0
    mean, most = error_of_chance(np.full(100, 0.5))
    assert mean == pytest.approx(0.123, abs=0.003) and most > mean


def test_the_picture_shows_every_bin(statements):
    axes = reliability_figure(fit(statements, "abc", {}), statements, "title").axes[0]
    assert sum(line.get_marker() == "o" for line in axes.lines) == 10
