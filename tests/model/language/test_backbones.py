"""The table of backbones: full sizes on the meta device against what their papers and cards state."""

import pytest
from forked_meit import run_meit

from meit.errors import ModelError
from meit.model.language import loading
from meit.model.language.backbones import BACKBONES, sizes

PAPER = {
    "llama-7b",
    "llama-2-7b-instruct",
    "llama-2-13b-instruct",
    "llama-2-70b-instruct",
    "llama-3-8b-instruct",
    "mistral-7b",
    "mistral-7b-instruct",
    "gpt-neo-2.7b",
    "gpt-neox-20b",
    "gpt-j-6b",
    "bloom-7b1",
    "opt-6.7b",
    "gpt2-medium",
    "gpt2-large",
    "bart-large",
    "t5-large",
}


def test_every_backbone_of_the_paper_is_there():
    assert set(BACKBONES) >= PAPER


@pytest.mark.parametrize("name", BACKBONES)
def test_its_size_is_the_published_one(name):
    assert sizes(name).parameters / 1e6 == pytest.approx(BACKBONES[name].published, rel=0.005)


def test_sizes_worked_out_by_hand():
    """LLaMA 7B: 32 layers of four 4096 x 4096 and three 4096 x 11008 matrices; rank 64 adds 64 x (in + out) each."""
    size = sizes("llama-7b")
    assert size.linear == 32 * (4 * 4096 * 4096 + 3 * 4096 * 11008)
    assert size.adapter == 32 * 64 * (4 * (4096 + 4096) + 3 * (4096 + 11008))
    assert size.targets == ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
    rest = size.parameters - size.linear
    assert size.run_gb("bfloat16") == pytest.approx((size.parameters + size.adapter) * 2 / 1e9)
    assert size.run_gb("nf4") == pytest.approx(
        (size.linear * (0.5 + 1 / 64 + 1 / 64**2) + rest * 2 + size.adapter * 2) / 1e9
    )
    assert size.train_gb("bfloat16") - size.run_gb("bfloat16") == pytest.approx(size.adapter * 14 / 1e9)


def test_adapters_are_as_large_as_the_table_says(build):
    """What peft makes of a tiny model is what the table's rule gives."""
    from torch import nn
    from transformers.pytorch_utils import Conv1D

    for kind in ("llama", "gpt2", "t5"):
        model = build(kind)
        made = sum(value.numel() for name, value in model.named_parameters() if ".lora_" in name)
        bare = build(kind, adapter=False).backbone
        layers = [
            m for m in bare.modules() if isinstance(m, nn.Linear | Conv1D) and m is not bare.get_output_embeddings()
        ]
        assert made == sum(4 * sum(layer.weight.shape) for layer in layers)


def test_meit_models_prints_them_all():
    done = run_meit("models")
    assert done.returncode == 0, done.stderr
    for name in BACKBONES:
        assert f"| {name} |" in done.stdout


def test_names_lead_to_the_hub():
    assert loading.locate("bloom-7b1") == "bigscience/bloom-7b1"
    assert loading.locate("some/other") == "some/other"
    with pytest.raises(ModelError, match="weights 'int3' are not known"):
        loading.load("gpt2-medium", "int3")
