"""Quantised layers and models against their full ones."""

import pytest
import torch
from torch import nn

from meit.errors import ModelError
from meit.model.language.quantise import GROUP, Int4Linear, Int8Linear, quantise
from meit.model.report_model import load_model


@pytest.mark.parametrize(("small", "most"), [(Int8Linear, 0.02), (Int4Linear, 0.2)])
@pytest.mark.parametrize("rows", [(1,), (3, 5)])
@torch.no_grad()
def test_a_layer_is_off_by_its_rounding_only(small, most, rows):
    torch.manual_seed(0)
    full = nn.Linear(4 * GROUP, 48)
    full.weight[0] *= 100  # each output has a scale of its own
    x = torch.randn(*rows, 4 * GROUP)
    y = small(full.weight.data, full.bias.data)(x.to(torch.bfloat16)).float()
    assert y.shape == (*rows, 48)
    error = (y - full(x)).pow(2).mean(dim=tuple(range(len(rows)))).sqrt()
    size = full(x).pow(2).mean().sqrt()
    assert error[1:].mean() < most * full(x)[..., 1:].pow(2).mean().sqrt()
    assert error[0] < most * size * 8


@torch.no_grad()
def test_four_bits_are_what_their_rule_says():
    """Weights that 16 steps from lowest to highest can hold come back as they were."""
    torch.manual_seed(1)
    steps = torch.randint(0, 16, (16, GROUP))
    steps[:, 0], steps[:, 1] = 0, 15
    weight = steps / 8.0 - 1.0
    x = torch.eye(GROUP)
    y = Int4Linear(weight, None)(x.to(torch.bfloat16)).float()
    assert torch.allclose(y, weight.T, atol=1e-2)


@pytest.mark.parametrize("kind", ["llama", "gpt2", "bloom", "t5", "bart"])
@pytest.mark.parametrize("bits", ["int8", "int4"])
@torch.no_grad()
def test_a_quantised_model_drafts(build, tmp_path, kind, bits):
    model = build(kind)
    for name, value in model.named_parameters():
        if "lora_B" in name:
            value.data *= 0.01
    model.save(tmp_path)
    full, small = load_model(tmp_path), load_model(tmp_path, bits)
    layers = [m for m in small.backbone.modules() if isinstance(m, Int8Linear | Int4Linear)]
    assert len(layers) >= 8 and not any(m.weight.is_floating_point() for m in layers)
    probabilities, tokens = torch.rand(2, 2), torch.randn(2, 3, 8)
    together = small.generate(probabilities, tokens, 12)
    assert [small.generate(probabilities[i : i + 1], tokens[i : i + 1], 12)[0] for i in range(2)] == together
    assert len(full.generate(probabilities, tokens, 12)) == 2


@torch.no_grad()
def test_an_adapter_kept_apart_does_what_it_did():
    torch.manual_seed(2)
    weight, x = torch.randn(16, GROUP), torch.randn(3, GROUP)
    adapter = (torch.randn(4, GROUP), torch.randn(16, 4))
    bare, adapted = Int4Linear(weight, None), Int4Linear(weight, None, adapter)
    change = (adapted(x.to(torch.bfloat16)) - bare(x.to(torch.bfloat16))).float()
    wanted = x @ adapter[0].T @ adapter[1].T
    assert (change - wanted).norm() < 0.02 * wanted.norm()


@torch.no_grad()
def test_the_shipped_model_writes_the_same_quantised(example):
    import meit
    from meit.model import default_model

    models = [load_model(default_model(), bits) for bits in (None, "int8", "int4")]
    recording = meit.read_ecg(example.with_name("00041_lr"))
    assert len({meit.draft_report(model, recording).report for model in models}) == 1


def test_what_does_not_fit_is_left_to_its_adapter(build):
    pair = (torch.ones(1, 48), torch.ones(32, 1))
    backbone = build("llama", adapter=False).backbone
    left = quantise(backbone, "int4", {"model.layers.0.mlp.down_proj": pair, "model.layers.0.mlp.up_proj": pair})
    assert list(left) == ["model.layers.0.mlp.down_proj"]
    assert backbone.model.layers[0].mlp.down_proj.weight.dtype == torch.bfloat16


def test_an_unknown_kind_is_refused(build):
    with pytest.raises(ModelError, match="'int2' is not known"):
        quantise(build("llama", adapter=False).backbone, "int2")
