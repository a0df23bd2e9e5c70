"""recipes/paper.yaml builds the paper's model, on a tiny backbone: tuned, resumed, and drafted with."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from conftest import REPOSITORY
from safetensors.torch import load_file

import meit.training.run as training
from meit.drafting.draft import draft_reports
from meit.ecg import read_ecg
from meit.model.language.backbones import BACKBONES
from meit.model.report_model import load_model
from meit.training.recipe import load_recipe

RECIPES = REPOSITORY / "recipes"


def test_every_shipped_recipe_loads():
    assert {path.name for path in RECIPES.glob("*.yaml")} == {"paper.yaml", "ptb-xl-small.yaml", "ptb-xl-ablation.yaml"}
    for path in RECIPES.glob("*.yaml"):
        load_recipe(path)


@pytest.mark.parametrize("backbone", BACKBONES)
def test_one_recipe_serves_every_backbone_and_data_set(backbone):
    recipe = load_recipe(RECIPES / "paper.yaml", [f"backbone={backbone}", "data=data/mimic-iv-ecg"])
    assert recipe.backbone == backbone
    assert recipe.folder == Path("runs/mimic-iv-ecg") / f"meit-paper-{backbone}"


def test_its_settings_are_the_paper_s():
    recipe = load_recipe(RECIPES / "paper.yaml")
    assert (recipe.encoder, recipe.rate, recipe.normalisation) == ("resnet50", 500, "min-max")
    assert (recipe.projector, recipe.prompt, recipe.encoder_tokens) == ("paper", "paper", 1)
    assert (recipe.lora_rank, recipe.lora_alpha, recipe.lora_dropout) == (64, 128, 0.1)
    assert (recipe.learning_rate, recipe.warmup, recipe.batch_size, recipe.tune_epochs) == (2e-5, 0.03, 64, 5)


def test_each_setting_says_why():
    named = ("name:", "version:", "out:", "base:")
    for path in RECIPES.glob("*.yaml"):
        bare = [
            line for line in path.read_text().splitlines() if line and "#" not in line and not line.startswith(named)
        ]
        assert not bare, path


def weights(folder):
    return {**load_file(folder / "ecg.safetensors"), **load_file(folder / "adapter" / "adapter_model.safetensors")}


def test_it_is_tuned_resumed_and_drafted_with(simulated, tiny_backbone, example, tmp_path):
    """The full-size encoder, for two steps of two recordings."""
    recipe = replace(
        load_recipe(RECIPES / "paper.yaml"),
        out=str(tmp_path / "run"),
        data=(str(simulated),),
        backbone=str(tiny_backbone),
        weights="float32",
        bf16=False,  # which most processors would only emulate
        batch_size=2,
        tune_epochs=2 / 12,
        checkpoint_every=1,
        learning_rate=1e-3,
    )
    folder = training.train(recipe)
    first, run = weights(folder), recipe.folder
    assert not list(run.glob("encoder*")) and not (run / "held_out.npy").exists()

    shutil.rmtree(folder)
    shutil.rmtree(run / "checkpoint-2")
    again = weights(training.train(recipe))
    assert first.keys() == again.keys()
    assert all(torch.equal(value, again[name]) for name, value in first.items())
    start = load_file(run / "checkpoint-1" / "model.safetensors")
    moved = [
        name for name in first if name in start and not torch.equal(first[name], start[name].to(first[name].dtype))
    ]
    assert any(name.startswith("ensemble.encoder.body.0") for name in moved) and any(
        "projector" in name for name in moved
    )

    model = load_model(folder)
    encoder = model.spec.encoder
    assert (encoder.shape, encoder.width, encoder.n_samples, encoder.findings) == ("resnet50", 2048, 5000, ())
    (draft,) = draft_reports(model, [read_ecg(example)])
    drafted = draft.to_dict()
    assert "report" in drafted
    assert not any("probability" in warning for warning in drafted["warnings"])  # nobody trained it to find
