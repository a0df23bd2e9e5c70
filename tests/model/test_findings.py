"""Measurements beside the signal: what the head sees, and that it learns what a measurement decides."""

import numpy as np
import pytest
import torch

from meit.model.encoder import EncoderConfig
from meit.model.findings import Ensemble, MeasuredHead
from meit.training.cross_fits import fit_measured

NAMES = ("heart_rate_bpm", "pr_ms")


def test_steps_and_what_is_not_measured():
    head = MeasuredHead(2, 3, 1)
    head.set_edges(np.array([[1, 7], [2, 7], [3, 7], [4, 7], [np.nan, 7]], np.float32))
    assert torch.isinf(head.edges[1, 1:]).all()  # one value has one step
    inputs = head.inputs(torch.tensor([[3.0, torch.nan]]), torch.tensor([[6.0]]))
    steps, absent, logit = inputs[0, :6].view(2, 3), inputs[0, 6:8], inputs[0, 8]
    assert steps[0].tolist() == [float(edge <= 3.0) for edge in head.edges[0]] and not steps[1].any()
    assert absent.tolist() == [0, 1] and logit == 2
    assert torch.equal(head.edges, head.edges.bfloat16().float())  # as they are saved


def test_a_new_head_changes_nothing():
    logits = torch.randn(4, 3)
    assert torch.equal(MeasuredHead(2, 3, 3)(torch.randn(4, 2), logits), logits)


@pytest.fixture(scope="module")
def long_pr():
    """600 recordings in three parts; the finding is a PR interval above 200 ms, of which the signal tells nothing."""
    rng = np.random.default_rng(0)
    measures = np.stack([rng.uniform(40, 150, 600), rng.uniform(120, 280, 600)], 1).astype(np.float32)
    measures[rng.random(600) < 0.1, 1] = np.nan
    targets = (measures[:, [1]] > 200).astype(np.float32)
    return np.full((600, 1), 0.3, np.float32), measures, targets, np.arange(600) % 3


def test_it_learns_what_a_measurement_decides(long_pr):
    ensemble = Ensemble(EncoderConfig(findings=("1AVB",), measures=NAMES))
    held_out = fit_measured(ensemble, *long_pr, seed=0)
    _, measures, targets, _ = long_pr
    known = np.isfinite(measures[:, 1])
    clear = known & (np.abs(measures[:, 1] - 200) > 30)  # away from the steps next to 200
    assert ((held_out > 0.5) == (targets > 0.5))[clear].mean() > 0.97
    assert (held_out[~known] < 0.3).all()
    given = ensemble.probabilities(torch.full((2, 1), -0.85), torch.tensor([[70.0, 260.0], [70.0, 150.0]]))
    assert given[0] > 0.6 > 0.3 > given[1]


def test_held_out_predictions_know_nothing_of_their_own_part(long_pr):
    held, measures, targets, parts = long_pr
    other = targets.copy()
    other[parts == 1] = 1 - other[parts == 1]
    ensemble = Ensemble(EncoderConfig(findings=("1AVB",), measures=NAMES))
    one, two = (fit_measured(ensemble, held, measures, wanted, parts, seed=0) for wanted in (targets, other))
    assert np.array_equal(one[parts == 1], two[parts == 1]) and not np.array_equal(one[parts == 0], two[parts == 0])
