"""Quantised backbones by name: what each is on each kind of device. One table for load_model and the command line.

On the CPU int8 and int4 are PyTorch's own kernels (meit.model.language.quantise). On a GPU int8 and nf4 are
bitsandbytes': LLM.int8() and QLoRA (Dettmers et al., 2022, 2023), made while the weights are read; there the adapter
stays apart in bfloat16, as it was tuned. nf4 runs on the CPU too, but slowly.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from meit.errors import ModelError
from meit.model.language.adapter import merge_adapter
from meit.model.language.quantise import LowRank, quantise


@dataclass(frozen=True)
class SmallWeights:
    """loaded: as what the weights are read (loading.WEIGHTS). kernel: a name of quantise.QUANTISED, which takes the
    linear layers' place then; None where reading has made them small."""

    loaded: str
    kernel: str | None = None

    def finish(self, backbone: nn.Module, adapter: Mapping[str, LowRank]) -> None:
        """Makes small what is not yet, in place, and takes the adapter in."""
        if self.kernel is None:
            keep_adapter(backbone, adapter)
        else:
            merge_adapter(backbone, quantise(backbone, self.kernel, dict(adapter)))


SMALL_WEIGHTS: dict[str, dict[str, SmallWeights]] = {  # name -> kind of device -> how
    "int8": {"cpu": SmallWeights("auto", "int8"), "cuda": SmallWeights("int8")},
    "int4": {"cpu": SmallWeights("auto", "int4")},
    "nf4": {"cpu": SmallWeights("nf4"), "cuda": SmallWeights("nf4")},
}


def small_weights(name: str, device: str) -> SmallWeights:
    """The row of a name and a kind of device. Raises ModelError, naming those that there are."""
    row = SMALL_WEIGHTS.get(name, {}).get(device)
    if row is None:
        known = ", ".join(known for known, kinds in SMALL_WEIGHTS.items() if device in kinds)
        raise ModelError(f"weights {name!r} are not known on a {device} device; known are {known or 'none'}")
    return row


def keep_adapter(backbone: nn.Module, adapter: Mapping[str, LowRank]) -> None:
    """y = W x + B A x beside quantised weights, in which B A would be lost; merged where weights are not quantised."""
    for path, pair in adapter.items():
        layer: Any = backbone.get_submodule(path)
        if layer.weight.is_floating_point():
            merge_adapter(backbone, {path: pair})
            continue
        for name, value in zip(("adapter_down", "adapter_up"), pair, strict=True):
            layer.register_buffer(name, value.to(layer.weight.device, torch.bfloat16), persistent=False)
        layer.register_forward_hook(_add_adapter)


def _add_adapter(layer: Any, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
    rows = inputs[0].to(layer.adapter_down)
    change = nn.functional.linear(nn.functional.linear(rows, layer.adapter_down), layer.adapter_up)
    return output + change.to(output.dtype)
