"""What a run will take, told beforehand: counted on the same examples and model that the run itself makes."""

from dataclasses import replace

import numpy as np
import pytest
from conftest import TINY

import meit.training.run as training
from meit.errors import ModelError
from meit.model.devices import training_place
from meit.model.encoders.findings import Ensemble
from meit.model.fusion import FUSIONS
from meit.model.language import loading
from meit.training.cross_fits import Trained
from meit.training.memory import activation_bytes, kept, outline, weights_memory
from meit.training.plan import longest_batch, plan, unseen
from meit.training.recipe import ENGINES

HERE = training_place("cpu")


@pytest.fixture
def recipe(small_recipe):
    return replace(small_recipe, pretrain_epochs=2, text_steps=2, tune_epochs=4, lora_dropout=0.0)


def parts(recipe):
    """The run, the outline of its model, the real one, and the longest batch of four."""
    run = training.prepare(recipe, HERE)
    untrained = Trained(Ensemble(run.config).eval(), np.zeros(run.targets.shape, np.float32))
    shapes = outline(recipe, run.config)
    examples = training.tuning_examples(run, untrained, shapes, unseen(run))
    batch = longest_batch(run, shapes, examples, 4)
    for name in ("mask", "source_mask"):  # rows are of different length, as they usually are
        if name in batch:
            batch[name][0, -1] = 0
    return shapes, training.build(run, untrained).train(), batch


def test_it_says_what_the_run_takes_and_keeps_nothing(recipe, tmp_path):
    table = {line[:22].strip(): line[22:] for line in plan(recipe).splitlines()}
    assert not (tmp_path / "run").exists()
    folder = training.train(recipe)
    assert table["recordings"] == "24"
    assert table["steps"] == "14 of 8 examples (2 of text, 12 of ECGs)"
    assert (tmp_path / "run" / "checkpoint-14").exists() and folder.exists()
    assert "median of 10" in table["hours, tuning"] and "mean of 10" in table["hours, encoder"]
    assert "cpu" in "".join(table)


def test_rewarded_steps_are_told_apart(recipe):
    table = {
        line[:22].strip(): line[22:] for line in plan(replace(recipe, reward_steps=3, max_answer_tokens=8)).splitlines()
    }
    assert table["steps"] == "17 of 8 examples (2 of text, 12 of ECGs), 3 of them rewarded"
    assert "median of 10" in table["hours, tuning"] and "at most" in table["hours, reward"]


@pytest.mark.parametrize(
    ("kind", "fusion"), [*((kind, "concat") for kind in TINY), *(("bart", name) for name in FUSIONS)]
)
def test_activations_are_those_of_a_real_step(recipe, tiny_folder, kind, fusion):
    recipe = replace(recipe, backbone=str(tiny_folder(kind)), fusion=fusion, text_steps=0)
    shapes, model, batch = parts(recipe)
    assert all(value.is_meta for value in shapes.parameters())
    assert activation_bytes(shapes, recipe, batch, HERE.device) == pytest.approx(kept(model, batch), rel=0.02)


def test_an_encoder_that_is_tuned_along_counts(recipe):
    along = replace(recipe, tune_encoder=True)
    shapes, model, batch = parts(along)
    assert activation_bytes(shapes, along, batch, HERE.device) == pytest.approx(kept(model, batch), rel=0.02)
    still, frozen = weights_memory(shapes, along), weights_memory(parts(recipe)[0], recipe)
    assert still.tuned - frozen.tuned == sum(4 * p.numel() for p in model.ensemble.parameters())


def test_checkpointing_keeps_less(recipe):
    shapes, _, batch = parts(recipe)
    checked = replace(recipe, checkpoint_gradients=True)
    assert activation_bytes(parts(checked)[0], checked, batch, HERE.device) < activation_bytes(
        shapes, recipe, batch, HERE.device
    )


def test_weights_gradients_and_optimiser(recipe):
    shapes, model, _ = parts(recipe)
    memory = weights_memory(shapes, recipe)
    tuned = [p for p in model.parameters() if p.requires_grad]
    frozen = [p for p in model.parameters() if not p.requires_grad]
    assert memory.tuned == memory.gradients == sum(p.nbytes for p in tuned)
    assert memory.optimiser == 2 * memory.tuned  # Adam's two averages, in float32 like the weights
    assert memory.frozen == sum(p.nbytes for p in frozen) + sum(b.nbytes for b in model.buffers())
    small = replace(recipe, weights="nf4")
    four = weights_memory(outline(small, training.prepare(small, HERE).config), small)
    around = sum(value.nbytes for value in (*model.ensemble.state_dict().values(), *model.projector.buffers()))
    state = loading.load(recipe.backbone, "nf4")[0].state_dict()
    real = sum(value.nbytes for name, value in state.items() if name.endswith(("weight", "absmax")))
    assert four.frozen - around == pytest.approx(real, rel=0.1) and four.tuned == memory.tuned


@pytest.mark.parametrize("engine", ENGINES)
def test_engines_share_what_they_share(recipe, engine):
    recipe = replace(recipe, engine=engine)
    shapes = parts(recipe)[0]
    one, four = weights_memory(shapes, recipe), weights_memory(shapes, recipe, 4)
    assert {name: round(getattr(one, name) / getattr(four, name)) for name in ("frozen", "tuned", "optimiser")} == {
        "ddp": {"frozen": 1, "tuned": 1, "optimiser": 1},
        "zero2": {"frozen": 1, "tuned": 1, "optimiser": 4},
        "zero3": {"frozen": 4, "tuned": 4, "optimiser": 4},
        "fsdp": {"frozen": 4, "tuned": 4, "optimiser": 4},
    }[engine]


@pytest.mark.parametrize("way", [plan, training.train])
def test_what_cannot_fit_is_refused_beforehand(recipe, way, tmp_path):
    with pytest.raises(ModelError, match=r"tuning needs .* GB in each process \(frozen .*\), and cpu has .* GB: set"):
        way(replace(recipe, lora_rank=100_000_000))
    assert not (tmp_path / "run").exists()
