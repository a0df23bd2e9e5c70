"""The stage within a run: it is logged, resumed, and shows nothing of the answer."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

import meit.training.run as training
from meit.errors import ModelError
from meit.training.recipe import Recipe
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


def test_a_tuned_run_goes_on_with_rewards_and_ends_the_same(trained, tmp_path):
    """Its encoders and its tuning are kept; once drafts were rewarded, how they were is bound."""
    first = weights(Path(trained.out) / "model")
    tuned = replace(trained, out=str(tmp_path / "tuned"), reward_steps=0)
    shutil.copytree(trained.out, tuned.out, ignore=shutil.ignore_patterns("checkpoint-*", "model", "log"))
    training.train(tuned)
    assert (tmp_path / "tuned" / "checkpoint-6" / "whole").read_text() == ""
    again = weights(training.train(replace(tuned, reward_steps=4)))
    for name, value in first.items():
        assert torch.equal(value, again[name]), name
    with pytest.raises(ModelError, match="another recipe .invented_price was 0.4, is 0.7"):
        training.train(replace(tuned, reward_steps=4, invented_price=0.7))


def test_the_language_model_is_never_shown_the_plan(trained):
    """Of a planned model too: the probabilities of these examples are those of encoders that had not seen the recording."""
    from meit.model.devices import training_place
    from meit.model.encoders.findings import Ensemble
    from meit.training.cross_fits import Trained
    from meit.training.memory import outline

    recipe = replace(trained, plan=True)
    run = training.prepare(recipe, training_place("cpu"))
    held_out = np.random.default_rng(0).random(run.targets.shape).astype(np.float32)
    encoded = Trained(Ensemble(run.config).eval(), held_out)
    view = training._view(run, encoded, run.train, training.told(run, encoded))
    *_, rewarded = training.tuning_examples(run, encoded, outline(recipe, run.config), view).datasets
    assert len(rewarded) == 4 * 8
    for number, index in enumerate(rewarded.order):
        example = rewarded[number]
        assert example.view.probabilities.tolist() == held_out[index].tolist() != view(index).probabilities.tolist()
        assert example.report == run.train.texts[index] and example.sees_signal


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"engine": "fsdp"}, "needs engine=ddp"),
        ({"tune_encoder": True, "finding_tokens": 0}, "tune_encoder=false"),
        ({"evaluate_every": 5}, "set one of them to 0"),
        ({"reward_samples": 1}, "reward_samples must be in"),
    ],
)
def test_what_excludes_it_is_said(changes, said):
    with pytest.raises(ModelError, match=said):
        Recipe(**{"reward_steps": 1, "hide_signal": 0.0, **changes})
