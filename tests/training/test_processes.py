"""Two processes under torchrun (gloo) give the loss curve and the model of one, in every way they can share work."""

import importlib.util
import os
import shutil
import subprocess
import sys
from dataclasses import asdict, replace

import pytest
import torch
import yaml
from forked_meit import run_ranks

from meit.model.report_model import load_model
from meit.training.cross_fits import made_in
from meit.training.recipe import Recipe
from meit.training.run import RUN, train


def losses(run):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    return [entry.value for entry in EventAccumulator(str(run / "log")).Reload().Scalars("loss")]


def written(recipe, folder):
    """The recipe's file, of a run that lies in the folder."""
    path = folder / "recipe.yaml"
    path.write_text(yaml.safe_dump({**asdict(recipe), "data": list(recipe.data), "out": str(folder / "run")}))
    return path


WITHOUT_COMPILER = """
import sys
import deepspeed.ops
from meit.cli import main
deepspeed.ops.__compatible_ops__ = {}
sys.exit(main(sys.argv[1:]))
"""


def tune(recipe, folder):
    """Runs the command in two processes; returns the run's folder. DeepSpeed compiles nothing: it would, for minutes, what
    drafting in several processes could share memory by."""
    script = folder / "train.py" if recipe.engine.startswith("zero") else None
    if script:
        script.write_text(WITHOUT_COMPILER)
    done = run_ranks("train", written(recipe, folder), script=script)
    assert done.returncode == 0, done.stderr[-3000:]
    return folder / "run"


def tune_as_typed(recipe, folder):
    """As a user does: torchrun starts the two."""
    launcher = ["-m", "torch.distributed.run", "--nproc-per-node", "2", "--master-port", "0"]
    launcher += ["--rdzv-backend", "c10d", "--rdzv-endpoint", "localhost:0"]
    command = [sys.executable, *launcher, "-m", "meit.cli", "train", str(written(recipe, folder))]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=600)
    assert done.returncode == 0, done.stderr[-3000:]
    return folder / "run"


@pytest.fixture(scope="module")
def recipe(simulated, tiny_backbone):
    return Recipe(
        data=(str(simulated),),
        backbone=str(tiny_backbone),
        batch_size=8,
        learning_rate=5e-3,
        pretrain_epochs=1,
        cross_fits=2,
        text_steps=2,
        tune_epochs=4,
        checkpoint_every=5,
        hide_signal=0.0,
        lora_dropout=0.0,
        bf16=False,
    )


@pytest.fixture(scope="module")
def alone(recipe, tmp_path_factory):
    run = tmp_path_factory.mktemp("alone") / "run"
    train(replace(recipe, out=str(run)))
    return run


ENGINES = [
    "ddp",
    "fsdp",
    *(
        pytest.param(name, marks=pytest.mark.skipif(not importlib.util.find_spec("deepspeed"), reason="no deepspeed"))
        for name in ("zero2", "zero3")
    ),
]


@pytest.mark.parametrize("engine", ENGINES)
@torch.no_grad()
def test_two_processes_give_the_curve_of_one_and_resume(recipe, alone, tmp_path, engine):
    """And a run whose last checkpoint and model are gone goes on from the one before, to the same end. The first engine
    goes the whole way under torchrun; the others begin with its encoders, which no engine has a part in."""
    first = engine == ENGINES[0]
    if not first:
        (tmp_path / "run").mkdir()
        for path in (*made_in(alone), alone / RUN):
            shutil.copy(path, tmp_path / "run")
    run = (tune_as_typed if first else tune)(replace(recipe, engine=engine), tmp_path)
    assert losses(run) == pytest.approx(losses(alone), abs=1e-3)
    ours, theirs = load_model(run / "model"), load_model(alone / "model")
    assert_alike(ours, theirs, 2e-2)  # they are kept in bf16
    if engine == "zero2":  # DeepSpeed writes its checkpoints as those of zero3
        return

    shutil.rmtree(run / "model")
    left = [folder for folder in run.glob("checkpoint-*") if folder.name not in ("checkpoint-5", "checkpoint-10")]
    assert left
    for folder in left:
        shutil.rmtree(folder)
    assert_alike(load_model(tune(replace(recipe, engine=engine), tmp_path) / "model"), ours, 1e-3)


def assert_alike(one, other, tolerance):
    for (name, value), expected in zip(one.state_dict().items(), other.state_dict().values(), strict=True):
        assert torch.allclose(value.float(), expected.float(), atol=tolerance), name
