"""Frozen weights in other precisions: bfloat16, and 4 bit where bitsandbytes is installed (QLoRA)."""

import importlib.util
from dataclasses import replace

import pytest

import meit.training.run as training
from meit.model.language import loading
from meit.model.report_model import load_model


@pytest.fixture
def recipe(small_recipe):
    return replace(
        small_recipe, learning_rate=5e-3, pretrain_epochs=1, tune_epochs=5, hide_signal=0.0, lora_dropout=0.0
    )


@pytest.mark.parametrize(
    "weights",
    [
        "bfloat16",
        pytest.param(
            "nf4", marks=pytest.mark.skipif(not importlib.util.find_spec("bitsandbytes"), reason="no bitsandbytes")
        ),
    ],
)
def test_tuned_over_small_weights_it_drafts_over_full_ones(recipe, weights):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    folder = training.train(replace(recipe, weights=weights))
    losses = [entry.value for entry in EventAccumulator(recipe.out + "/log").Reload().Scalars("loss")]
    assert losses[-1] < 0.7 * losses[0]
    assert load_model(folder).spec.backbone == recipe.backbone  # its fingerprint is the same in full


def test_without_bitsandbytes_it_says_what_to_install(tiny_backbone, monkeypatch):
    from meit.errors import ModelError

    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ModelError, match=r"pip install 'meit\[quantize\]'"):
        loading.load(str(tiny_backbone), "nf4")
