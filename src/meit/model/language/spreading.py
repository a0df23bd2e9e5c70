"""On which GPUs a backbone's weights lie: on one where it holds them, else layer by layer on all."""

from typing import TYPE_CHECKING, Any

from meit.model.language.architectures import linear_layers, on_meta

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedConfig

BYTES = {  # of a linear layer's weight
    "float32": 4.0,
    "bfloat16": 2.0,
    "float16": 2.0,
    "int8": 1.0,  # and a scale for a whole row
    "nf4": 0.5 + (1 + 4 / 256) / 64,  # 64 share a scale of one byte, 256 such scales one of four (QLoRA, section 3)
}
SHARE = 0.85  # of a GPU's free memory that weights may take; activations and caches need the rest


def device_map(config: "PreTrainedConfig", weights: str, device: "torch.device", spread: bool) -> dict[str, Any]:
    """What from_pretrained takes. weights: of meit.model.language.loading.WEIGHTS.

    spread: whether other GPUs than `device` may be used.
    """
    import torch

    gpus = torch.cuda.device_count() if spread and device.type == "cuda" else 1
    if gpus == 1 or weight_bytes(config, weights) <= free_bytes(device.index):
        return {"device_map": {"": device}}
    return {"device_map": "auto", "max_memory": {gpu: free_bytes(gpu) for gpu in range(gpus)}}


def free_bytes(gpu: int) -> int:
    """What weights may take of a GPU."""
    import torch

    return int(SHARE * torch.cuda.mem_get_info(gpu)[0])


def weight_bytes(config: "PreTrainedConfig", weights: str) -> float:
    """Of a whole backbone; it is built on the meta device, without weights."""
    import torch

    model = on_meta(config)
    stored = str(getattr(config, "dtype", None) or torch.float32).removeprefix("torch.")
    small = BYTES[stored if weights == "auto" else weights]
    linear = sum(layer.weight.numel() for layer in linear_layers(model).values())
    others = sum(parameter.numel() for parameter in model.parameters()) - linear
    return linear * small + others * max(small, 2.0)
