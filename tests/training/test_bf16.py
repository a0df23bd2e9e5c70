"""bf16 is used only where the machine has instructions for it."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
import torch

import meit.training.run as training
from meit.machine import has_bf16
from meit.model.devices import chosen_device
from meit.training.recipe import Recipe

CPU_FLAGS = Path("/proc/cpuinfo")


@pytest.mark.skipif(
    torch.cuda.is_available() or not CPU_FLAGS.exists(), reason="compares with what Linux says of the processor"
)
def test_the_processor_is_asked():
    flags = re.search(r"^(?:flags|Features)\s*:(.*)$", CPU_FLAGS.read_text(), re.MULTILINE)[1].split()
    assert has_bf16() == any(flag.endswith("bf16") for flag in flags)


def test_a_run_says_how_it_computed(simulated, tiny_backbone, tmp_path):
    recipe = Recipe(
        out=str(tmp_path / "run"),
        data=(str(simulated),),
        backbone=str(tiny_backbone),
        batch_size=8,
        finding_tokens=0,
        hide_signal=0.0,
        pretrain_epochs=0,
        tune_encoder=True,
        tune_epochs=1,
    )
    for asked in (True, False):
        folder = training.train(replace(recipe, bf16=asked, out=str(tmp_path / str(asked))))
        assert json.loads((folder / "training.json").read_text())["bf16"] == (asked and has_bf16(chosen_device().type))
