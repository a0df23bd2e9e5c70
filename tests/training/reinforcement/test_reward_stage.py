"""The stage within a run: it is logged, resumed, and shows nothing of the answer."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

import meit.training.run as training
from meit.training.reinforcement.self_critical import LOGGED

REWARDED = {
    "learning_rate": 5e-3,
    "pretrain_epochs": 1,
    "tune_epochs": 2.0,
    "hide_signal": 0.0,
    "lora_dropout": 0.1,
    "reward_steps": 4,
    "reward_rate": 1e-3,
    "checkpoint_every": 5,
    "max_answer_tokens": 8,
}


def curves(run):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    read = EventAccumulator(str(run) + "/log").Reload()
    return {name: [entry.value for entry in read.Scalars(name)] for name in read.Tags()["scalars"]}


def weights(folder):
    return {**load_file(folder / "ecg.safetensors"), **load_file(folder / "adapter" / "adapter_model.safetensors")}


@pytest.fixture(scope="module")
def trained(make_small_recipe, tmp_path_factory):
    recipe = replace(make_small_recipe(tmp_path_factory.mktemp("rewarded") / "run"), **REWARDED)
    training.train(recipe)
    return recipe


def test_what_drafts_are_like_is_logged(trained):
    found = curves(trained.out)
    assert len(found["loss"]) == 6 + 4
    assert all(len(found[name]) == 4 for name in LOGGED)
    assert all(1 <= length <= 8 for length in found["sampled_tokens"])
    rates = found["learning_rate"]
    assert rates[5] < rates[4] and rates[6] == pytest.approx(1e-3 * 5) and 0 < rates[9] < rates[6]


def test_resumed_within_the_stage_it_ends_the_same(trained, tmp_path):
    """From the checkpoint after the eighth step of ten, the second of four that are rewarded."""
    run, first = Path(trained.out), weights(Path(trained.out) / "model")
    copy = tmp_path / "copy"
    shutil.copytree(run, copy)
    shutil.rmtree(copy / "model")
    shutil.rmtree(copy / "checkpoint-10")
    again = weights(training.train(replace(trained, out=str(copy))))
    for name, value in first.items():
        assert torch.equal(value, again[name]), name
