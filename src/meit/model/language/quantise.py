"""Quantised inference on the CPU: linear layers in 8 or 4 bit, all else in bfloat16, with PyTorch's own kernels.

Writing one token reads every weight once, so at batch 1 the bytes of the weights set the pace. Weights are rounded
symmetrically to int8 with one scale an output, or to 4 bit with a scale and an offset for each GROUP inputs; products
are taken with bfloat16 activations.

At 8 bit the adapter is merged first. At 4 bit it stays apart: what it changes is smaller than a step, and rounding the
merged weights would bring the untuned model back.
"""

from collections import Counter
from collections.abc import Callable
from typing import cast

import torch
from torch import Tensor, nn

from meit.model import row_of
from meit.model.language.mapped_weights import give_back

GROUP = 32  # inputs that share a scale at 4 bit
_AT_ONCE = 4_000_000  # weights that are in float32 at a time
_INNER_TILES = 2  # a choice of the kernel's layout
_OUTPUTS = 64  # that it lays together, at most


LowRank = tuple[Tensor, Tensor]  # an adapter's A (rank, in) and scaled B (out, rank)


class Int8Linear(nn.Module):
    """y = x W' + b with W in int8; (..., in) bfloat16 -> (..., out). The adapter is merged before W is rounded."""

    weight: Tensor
    scale: Tensor

    def __init__(self, weight: Tensor, bias: Tensor | None, adapter: LowRank | None = None):
        super().__init__()
        merged = None if adapter is None else adapter[1] @ adapter[0]
        small, scale = _by_rows(weight, self._rounded, merged)
        self.register_buffer("weight", small)
        self.register_buffer("scale", scale)
        self.register_buffer("bias", None if bias is None else bias.to(torch.bfloat16))

    @staticmethod
    def _rounded(rows: Tensor) -> tuple[Tensor, Tensor]:
        scale = rows.abs().amax(dim=1).clamp_min(1e-12) / 127
        return torch.round(rows / scale[:, None]).to(torch.int8), scale.to(torch.bfloat16)

    @staticmethod
    def fits(weight: Tensor) -> bool:
        return True

    def forward(self, x: Tensor) -> Tensor:
        y = torch._weight_int8pack_mm(x.reshape(-1, x.shape[-1]).contiguous(), self.weight, self.scale)
        y = y.unflatten(0, x.shape[:-1])
        return y if self.bias is None else y + self.bias


class Int4Linear(nn.Module):
    """The same with W in 4 bit, plus the adapter's B A x in bfloat16."""

    def __init__(self, weight: Tensor, bias: Tensor | None, adapter: LowRank | None = None):
        super().__init__()
        for name, value in zip(("down", "up"), adapter or (None, None), strict=True):
            self.register_buffer(name, None if value is None else value.to(torch.bfloat16))
        small, scale = _by_rows(weight, self._rounded)
        self.register_buffer("weight", small)
        self.register_buffer("scale", scale.transpose(0, 1).contiguous())
        self.register_buffer("bias", None if bias is None else bias.to(torch.bfloat16))

    @staticmethod
    def _rounded(rows: Tensor) -> tuple[Tensor, Tensor]:
        groups = rows.unflatten(1, (-1, GROUP))
        low, high = groups.amin(dim=2), groups.amax(dim=2)
        scale = (high - low).clamp_min(1e-12) / 15
        offset = low + 8 * scale  # the kernel's weight is (q - 8) * scale + offset
        values = torch.round((groups - low[..., None]) / scale[..., None]).clamp(0, 15).to(torch.int32).flatten(1)
        packed = torch.ops.aten._convert_weight_to_int4pack_for_cpu(values, _INNER_TILES)
        return packed, torch.stack([scale, offset], dim=-1).to(torch.bfloat16)

    @staticmethod
    def fits(weight: Tensor) -> bool:
        return weight.shape[1] % GROUP == 0 and weight.shape[0] % 16 == 0

    def forward(self, x: Tensor) -> Tensor:
        rows = x.reshape(-1, x.shape[-1]).contiguous()
        y = torch.ops.aten._weight_int4pack_mm_for_cpu(rows, self.weight, GROUP, self.scale).unflatten(0, x.shape[:-1])
        if self.down is not None:
            down, up = cast(tuple[Tensor, Tensor], (self.down, self.up))
            y = y + nn.functional.linear(nn.functional.linear(x, down), up)
        return y if self.bias is None else y + self.bias


QUANTISED: dict[str, type[Int8Linear] | type[Int4Linear]] = {"int8": Int8Linear, "int4": Int4Linear}


def _by_rows(
    weight: Tensor, rounded: Callable[[Tensor], tuple[Tensor, Tensor]], change: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """A weight (out, in) plus its change, rounded; a block of outputs in float32 at a time, so that memory holds little."""
    rows = max(1, _AT_ONCE // weight.shape[1] // _OUTPUTS) * _OUTPUTS
    parts = []
    for start in range(0, len(weight), rows):
        block = weight[start : start + rows].float().contiguous()
        parts.append(rounded(block if change is None else block + change[start : start + rows]))
    small, scale = (torch.cat(tensors) for tensors in zip(*parts, strict=True))
    return small, scale


def quantise(model: nn.Module, kind: str, adapter: dict[str, LowRank] | None = None) -> dict[str, LowRank]:
    """Replaces, in place, every linear layer of a language model that the kernel's shape allows.

    One layer after the other, each in blocks: memory holds what was read, or, of a mapped file, one layer of it.
    adapter: by a layer's path; merged first, or kept apart by the kinds that do. Returns the adapters of layers that the
    kernel's shape left alone. Raises ModelError for a kind that is not in QUANTISED.
    """
    from transformers.pytorch_utils import Conv1D

    small = row_of(QUANTISED, "quantisation", kind)
    left = dict(adapter or {})
    shared = Counter(value.data_ptr() for _, value in model.named_parameters(remove_duplicate=False))
    for path, module in [*model.named_modules()]:
        if not isinstance(module, nn.Linear | Conv1D):
            continue
        stored = module.weight.data
        weight = stored.T if isinstance(module, Conv1D) else stored  # GPT-2's are the other way round
        if not small.fits(weight):
            continue
        bias = None if module.bias is None else module.bias.data
        parent, _, name = path.rpartition(".")
        setattr(model.get_submodule(parent), name, small(weight, bias, left.pop(path, None)))
        del module.weight  # the list above still holds the layer
        if shared[stored.data_ptr()] == 1:  # a tied one is still the embeddings'
            give_back(stored)
    for module in model.modules():
        if not isinstance(module, small):
            for value in (*module.parameters(recurse=False), *module.buffers(recurse=False)):
                if value.is_floating_point():
                    value.data = value.data.to(torch.bfloat16)
    return left
