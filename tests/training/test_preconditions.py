"""What would end a run later is said before its first second of training, and leaves the folder free."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import meit.training.cross_fits as cross_fits
import meit.training.run as training
from meit.errors import DataError, MeitError, ModelError
from meit.training.preconditions import check


@pytest.fixture
def recipe(small_recipe):
    return replace(small_recipe, pretrain_epochs=1, tune_epochs=1)


@pytest.fixture
def untrained(monkeypatch):
    """Any training ends the test."""

    def pretrain(*_, **__):
        raise AssertionError("an encoder is being trained")

    monkeypatch.setattr(cross_fits, "pretrain", pretrain)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"data": ()}, "names no data"),
        ({"data": ("/nope",)}, "/nope is not a prepared data folder"),
        ({"backbone": "/nope"}, "backbone '/nope' cannot be loaded"),
        ({"fusion_layers": "0,7"}, "among the backbone's 2"),
        ({"fusion_layers": "some"}, "write 'all', 'every 4'"),
        ({"prompt": "chat"}, "needs a backbone with a chat template"),
        ({"targets": "statements"}, "no finding stands in 5 reports"),  # these say "fast" and "slow"
    ],
)
def test_it_is_said_before_anything_is_trained(recipe, untrained, changes, says):
    with pytest.raises(MeitError, match=says) as caught:
        training.train(replace(recipe, **changes))
    assert "\n" not in str(caught.value) and not Path(recipe.out).exists()


def test_a_backbone_without_weights_is_told(recipe, untrained, tmp_path):
    folder = tmp_path / "backbone"
    shutil.copytree(recipe.backbone, folder)
    (folder / "model.safetensors").unlink()
    with pytest.raises(ModelError, match="has no weights"):
        training.train(replace(recipe, backbone=str(folder)))


def test_a_file_is_no_run_folder(recipe, untrained):
    Path(recipe.out).write_text("mine")
    with pytest.raises(ModelError, match="is a file: name a folder"):
        training.train(recipe)


def test_a_batch_is_divided_among_processes(recipe):
    check(replace(recipe, accumulate=4), 2)
    with pytest.raises(ModelError, match=r"cannot be divided among 6 \(processes x accumulate\)"):
        check(replace(recipe, accumulate=2), 3)


def test_a_split_without_recordings_is_told(recipe, tmp_path):
    folder = tmp_path / "data"
    shutil.copytree(recipe.data[0], folder)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["recordings_by_fold"].pop("9")
    (folder / "manifest.json").write_text(json.dumps(manifest))
    other = replace(recipe, data=(str(folder),), evaluate_every=1)
    with pytest.raises(DataError, match="the validation split needs"):
        check(other)
    check(replace(other, evaluate_every=0))


class TestClaim:
    """A folder belongs to one recipe and to what its data hold, as far as something was made by them."""

    def begun(self, recipe, *files):
        training.claim(recipe)
        for name in files:
            path = Path(recipe.out) / name
            path.parent.mkdir(exist_ok=True)
            path.touch()

    def test_before_anything_is_made_a_recipe_can_change(self, recipe):
        self.begun(recipe)
        training.claim(replace(recipe, seed=7))

    def test_after_the_encoders_what_they_do_not_depend_on_can_change(self, recipe):
        self.begun(recipe, "encoder.safetensors")
        training.claim(replace(recipe, learning_rate=1e-4, fusion="input"))
        with pytest.raises(ModelError, match=r"another recipe \(pretrain_epochs was 1, is 3\)"):
            training.claim(replace(recipe, pretrain_epochs=3))

    def test_after_a_checkpoint_nothing_can_change(self, recipe):
        self.begun(recipe, "encoder.safetensors", "checkpoint-5/whole")
        training.claim(recipe)
        with pytest.raises(ModelError, match=r"another recipe \(learning_rate was 2e-05, is 0.0001\)"):
            training.claim(replace(recipe, learning_rate=1e-4))

    @pytest.mark.parametrize("kept", ["encoder.safetensors", "held_out.npy", "measures.npy", "checkpoint-5/whole"])
    def test_data_that_were_prepared_anew_are_told(self, recipe, tmp_path, kept):
        folder = tmp_path / "data"
        shutil.copytree(recipe.data[0], folder)
        mine = replace(recipe, data=(str(folder),))
        self.begun(mine, kept)
        training.claim(mine)
        shutil.copytree(folder, tmp_path / "moved")
        if not kept.startswith("checkpoint"):
            training.claim(replace(recipe, data=(str(tmp_path / "moved"),)))  # the same, elsewhere
        manifest = json.loads((folder / "manifest.json").read_text())
        manifest["sha256"]["records-00000.arrow"] = "0" * 64
        (folder / "manifest.json").write_text(json.dumps(manifest))
        with pytest.raises(ModelError, match="holds a run on other data"):
            training.claim(mine)

    def test_what_nobody_says_the_origin_of_is_not_used(self, recipe, untrained):
        Path(recipe.out).mkdir()
        np.save(Path(recipe.out) / "held_out.npy", np.zeros((24, 2)))
        with pytest.raises(ModelError, match=r"holds held_out.npy, but no run.json"):
            training.train(recipe)
