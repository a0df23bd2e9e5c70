"""A whole small run: it learns, is resumed, and is bound to its recipe."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

import meit.training.train as training
from meit.errors import ModelError
from meit.model.report_model import load_model
from meit.training.recipe import Recipe, load_recipe


@pytest.fixture
def recipe(simulated, tiny_backbone, tmp_path):
    return Recipe(
        out=str(tmp_path / "run"), data=(str(simulated),), backbone=str(tiny_backbone), batch_size=8, learning_rate=5e-3,
        pretrain_epochs=2, cross_fits=2, text_steps=2, tune_epochs=4, checkpoint_every=5, hide_signal=0.0,
        lora_dropout=0.1,
    )  # fmt: skip


def weights(folder):
    from safetensors.torch import load_file

    return {**load_file(folder / "ecg.safetensors"), **load_file(folder / "adapter" / "adapter_model.safetensors")}


def test_a_run_stopped_and_resumed_ends_as_an_uninterrupted_one(recipe, tmp_path, monkeypatch):
    whole = weights(training.train(recipe))
    stopped = replace(recipe, out=str(tmp_path / "stopped"))
    real, calls = training.ReportModel.loss, []

    def power_cut(self, *batch):
        calls.append(1)
        if len(calls) == 9:
            raise KeyboardInterrupt
        return real(self, *batch)

    monkeypatch.setattr(training.ReportModel, "loss", power_cut)
    with pytest.raises(KeyboardInterrupt):
        training.train(stopped)
    assert torch.load(tmp_path / "stopped" / "state.pt", weights_only=True)["step"] == 5
    monkeypatch.setattr(training.ReportModel, "loss", real)
    resumed = weights(training.train(stopped))
    assert whole.keys() == resumed.keys()
    for key, value in whole.items():
        assert torch.equal(value, resumed[key]), key
    assert load_model(tmp_path / "stopped" / "model").config.backbone == recipe.backbone


def test_the_loss_falls(recipe):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    training.train(recipe)
    log = EventAccumulator(recipe.out + "/log").Reload().Scalars("loss")
    assert len(log) == 2 + 12
    assert log[-1].value < 0.7 * log[0].value


def test_a_folder_belongs_to_one_recipe(recipe):
    Path(recipe.out).mkdir()
    training._claim(Path(recipe.out), recipe)
    with pytest.raises(ModelError, match="another recipe"):
        training._claim(Path(recipe.out), replace(recipe, seed=7))


def test_recipes_are_checked(tmp_path):
    path = tmp_path / "r.yaml"
    path.write_text("batch_size: 4\ndata: [a, b]\n")
    loaded = load_recipe(path, ["learning_rate=1e-3", "seed=3"])
    assert (loaded.batch_size, loaded.data, loaded.learning_rate, loaded.seed) == (4, ("a", "b"), 1e-3, 3)
    for override, says in [("bacth_size=3", "unknown bacth_size"), ("seed", "key=value"), ("seed=x", "must be a int")]:
        with pytest.raises(ModelError, match=says):
            load_recipe(path, [override])


def test_every_shipped_recipe_loads():
    for path in (Path(__file__).parents[2] / "recipes").glob("*.yaml"):
        load_recipe(path)
