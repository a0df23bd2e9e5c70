"""Quantised backbones by name and kind of device; bitsandbytes' also run on the CPU, slowly."""

import pytest
import torch

from meit.errors import ModelError
from meit.model.language.architectures import head
from meit.model.language.small_weights import SMALL_WEIGHTS, small_weights
from meit.model.prompt import for_drafting, prompt_ids
from meit.model.report_model import load_model


@torch.no_grad()
def logits(model):
    torch.manual_seed(0)
    text = for_drafting(model.backbone, [prompt_ids(model.tokenizer, "What is seen here?")])
    ecg = torch.randn(1, 5, 32).to(next(model.backbone.parameters()).dtype)
    return head(
        model.backbone, model.fusion.hidden(model.backbone, text, ecg, torch.ones(1, 5, dtype=torch.long))
    ).float()


@pytest.mark.parametrize("kind", ["llama", "opt", "gpt2"])
def test_nf4_keeps_the_adapter_beside_its_weights(build, tmp_path, kind):
    pytest.importorskip("bitsandbytes")
    build(kind).save(tmp_path)
    full, small = load_model(tmp_path, device="cpu"), load_model(tmp_path, "nf4", "cpu")
    whole, near = logits(full), logits(small)
    alone = load_model(tmp_path, "nf4", "cpu")
    for module in alone.backbone.modules():
        module._forward_hooks.clear()
    without = logits(alone)
    assert (near - whole).norm() < 0.7 * (without - whole).norm(), "rounding is little beside the adapter"
    assert small.generate(torch.rand(1, 2), torch.randn(1, 3, 8), 4)


def test_a_kind_that_does_not_fit_the_device_is_refused_in_one_line():
    assert small_weights("nf4", "cuda").loaded == "nf4" and small_weights("int8", "cuda").kernel is None
    with pytest.raises(ModelError, match="weights 'int4' are not known on a cuda device; known are int8, nf4"):
        small_weights("int4", "cuda")
    with pytest.raises(ModelError, match="on a mps device; known are none"):
        small_weights("int8", "mps")
    assert all("cpu" in kinds for kinds in SMALL_WEIGHTS.values())


def test_it_computes_in_bfloat16_alone(tmp_path):
    with pytest.raises(ModelError, match="quantised weights compute in bfloat16: leave out dtype 'float32'"):
        load_model(tmp_path, "int8", "cpu", "float32")
