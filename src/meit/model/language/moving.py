"""A loaded backbone put on another device, or into less precision: what can be, and what has to be loaded so."""

from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from meit.errors import ModelError
from meit.model.language.architectures import LanguageModel, input_embeddings

if TYPE_CHECKING:
    from collections.abc import Iterator


def move_backbone(backbone: LanguageModel, place: torch.device, dtype: torch.dtype | None = None) -> None:
    """In place. dtype: by default the one it has. Raises ModelError for quantised weights, for a backbone that lies on
    several devices, and where rounded weights would have to become precise again."""
    loaded = input_embeddings(backbone).dtype
    dtype = dtype or loaded
    devices = {value.device for value in _tensors(backbone)}
    if devices == {place} and dtype == loaded:
        return
    instead = "load the model as it shall be: load_model(..., device=..., dtype=...)"
    if not all(value.is_floating_point() for value in backbone.parameters()) or _is_small(backbone):
        raise ModelError(f"quantised weights stay where and as they were loaded; {instead}")
    if len(devices) > 1:
        raise ModelError(f"the backbone is spread over {len(devices)} devices, and stays there; {instead}")
    if dtype not in (loaded, *([torch.bfloat16, torch.float16] if loaded == torch.float32 else [])):
        names = (str(one).removeprefix("torch.") for one in (loaded, dtype))
        raise ModelError("weights in {} cannot be made {} again; {}".format(*names, instead))
    for parameter in backbone.parameters():
        parameter.data = parameter.data.to(dtype)
    nn.Module.to(backbone, place)


def _tensors(backbone: LanguageModel) -> "Iterator[torch.Tensor]":
    yield from backbone.parameters()
    yield from backbone.buffers()


def _is_small(backbone: LanguageModel) -> bool:
    """Whether layers of meit.model.language.quantise are among it, whose weights are no parameters."""
    from meit.model.language.quantise import QUANTISED

    small: Any = tuple(QUANTISED.values())
    return any(isinstance(module, small) for module in backbone.modules())
