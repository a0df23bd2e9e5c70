"""Measurements beside the signal: what the head sees, and that it learns what a measurement decides."""

import numpy as np
import pytest
import torch

from meit.ecg.files.formats import read_ecg
from meit.ecg.measure import look, measured
from meit.ecg.measure.measured_inputs import BEAT_COLUMNS, MEDIAN_BEAT, measured_recordings, measured_row
from meit.ecg.signal.normalising import normalise
from meit.model.encoders.encoder import EncoderConfig
from meit.model.encoders.findings import BeatEncoder, Ensemble, MeasuredHead
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


@pytest.fixture(scope="module")
def example():
    return read_ecg("examples/ptb-xl/00041_lr")


def beat(example, gain=1.0, unit="mV"):
    signal = normalise(example.signal, example.rate) if unit == "z" else example.signal * gain
    row = measured_recordings(
        [(signal.astype(np.float32), example.rate, unit)], ("sokolow_lyon_mv", "qrs_ms", MEDIAN_BEAT)
    )
    assert row.shape == (1, 2 + BEAT_COLUMNS)
    return torch.from_numpy(row)


def test_a_beat_has_a_shape_and_apart_from_it_its_voltage(example):
    """Twice the voltage: the same shape, and log 2 more; without one, the same shape still, and no scale."""
    shapes, scales = BeatEncoder.inputs(beat(example)[:, 2:])
    larger, more = BeatEncoder.inputs(beat(example, 2.0)[:, 2:])
    torch.testing.assert_close(shapes, larger, atol=1e-3, rtol=1e-3)
    torch.testing.assert_close(more - scales, torch.tensor([[np.log(2)] * 12 + [0.0]]).float(), atol=1e-3, rtol=1e-3)
    lost = beat(example, unit="z")
    assert torch.isnan(lost[0, 0]) and lost[0, 1] == pytest.approx(beat(example)[0, 1].item(), abs=10)
    unscaled, none = BeatEncoder.inputs(lost[:, 2:])
    assert not none.any() and (unscaled - shapes).abs().median() < 0.1


def test_what_is_measured_on_a_set_is_what_is_measured_on_the_recording(example):
    names = ("heart_rate_bpm", "V5 r_mv", MEDIAN_BEAT)
    seen = look(example)
    alone = measured_row(seen, measured(example, seen), names)
    np.testing.assert_array_equal(alone, measured_recordings([(example.signal, example.rate, "mV")], names)[0])


@torch.no_grad()
def test_where_there_is_no_beat_the_signal_alone_decides(example):
    torch.manual_seed(0)
    config = EncoderConfig(
        findings=("A", "B"), shape="plain", measures=(MEDIAN_BEAT,), beats=2, measured_on="recording"
    )
    ensemble = Ensemble(config).eval()
    ecg, mask = torch.randn(2, 1000, 12), torch.ones(2, 1000)
    columns = torch.cat([beat(example)[:, 2:], torch.full((1, BEAT_COLUMNS), torch.nan)])
    with_beats, without = ensemble.encode(ecg, mask, columns)[0], ensemble.encode(ecg, mask)[0]
    assert not torch.allclose(with_beats[0], without[0], atol=1e-4) and torch.allclose(with_beats[1], without[1])
    assert with_beats.isfinite().all()


@torch.no_grad()
def test_tokens_of_findings_are_what_is_found_in_each_stretch():
    torch.manual_seed(0)
    config = EncoderConfig(findings=("A", "B", "C"), shape="plain", n_tokens=4, tokens_of="findings", members=2)
    ensemble = Ensemble(config).eval()
    ecg, mask = torch.randn(1, 1000, 12), torch.ones(1, 1000)
    mask[:, 700:] = 0
    tokens = ensemble.encode(ecg, mask)[1]
    assert tokens.shape == (1, 4, 3) and not tokens[0, 3].any()
    each = torch.stack([network.tokens(*network.frames(ecg, mask)) for network in (ensemble.encoder, *ensemble.others)])
    torch.testing.assert_close(tokens, each.mean(0))
    ecg[:, :200] += torch.randn(1, 200, 12)
    moved = ensemble.encode(ecg, mask)[1]
    assert (moved[0, 0] - tokens[0, 0]).abs().max() > 10 * (moved[0, 2] - tokens[0, 2]).abs().max()
