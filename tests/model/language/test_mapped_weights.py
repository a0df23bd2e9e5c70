"""Weights that are made small while they are read: what memory holds then, and that nothing else is lost."""

import sys
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import nn

from meit.model.language import quantise as quantising
from meit.model.language.mapped_weights import give_back
from meit.model.language.quantise import QUANTISED, quantise

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="pages are given back on Linux alone")
SIZE, LAYERS = 2048, 8  # 8 MiB each in bf16


def mapped_bytes() -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("RssFile")) * 1024


def read(path: Path) -> dict[str, torch.Tensor]:
    with safe_open(path, "pt") as file:
        return {str(number): file.get_tensor(str(number)) for number in range(LAYERS)}


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "model.safetensors"
    torch.manual_seed(0)
    save_file({str(number): torch.randn(SIZE, SIZE).to(torch.bfloat16) for number in range(LAYERS)}, path)
    return path


def test_what_is_given_back_leaves_memory_and_comes_again_from_the_file(file):
    weights = read(file)
    first = weights["0"].clone()
    before, _ = mapped_bytes(), weights["1"].sum()
    read_twice = mapped_bytes()
    assert read_twice - before > 6e6
    give_back(weights["1"])
    assert mapped_bytes() - before < 1e6
    assert torch.equal(weights["1"], read(file)["1"]) and torch.equal(weights["0"], first)


@pytest.mark.parametrize("kind", QUANTISED)
def test_layers_of_a_file_are_quantised_one_by_one(file, kind):
    model = nn.Sequential(*(nn.Linear(SIZE, SIZE, bias=False, device="meta") for _ in range(LAYERS)))
    for layer, weight in zip(model, read(file).values(), strict=True):
        layer.weight = nn.Parameter(weight, requires_grad=False)
    before = mapped_bytes()
    quantise(model, kind)
    assert mapped_bytes() - before < 8e6, "of 67 million, beside the small ones"


@pytest.mark.parametrize("kind", QUANTISED)
def test_blocks_round_as_the_whole_does(kind, monkeypatch):
    torch.manual_seed(0)
    weight, adapter = torch.randn(336, 96), (torch.randn(4, 96), torch.randn(336, 4))
    whole = dict(QUANTISED[kind](weight, None, adapter).named_buffers())
    monkeypatch.setattr(quantising, "_AT_ONCE", 96 * 64)
    for name, value in QUANTISED[kind](weight, None, adapter).named_buffers():
        assert torch.equal(value, whole[name]), name


@pytest.mark.parametrize("kind", QUANTISED)
def test_tied_embeddings_keep_their_values(kind):
    torch.manual_seed(0)
    model = nn.ModuleDict({"embedded": nn.Embedding(4096, 64), "head": nn.Linear(64, 4096, bias=False)})
    model["head"].weight = model["embedded"].weight
    kept = model["embedded"].weight.detach().to(torch.bfloat16)
    quantise(model, kind)
    assert torch.equal(model["embedded"].weight, kept) and kept.any()
