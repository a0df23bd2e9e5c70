"""What tuning takes of a device's memory, by part, without the weights being there.

The model is built on the meta device. Activations are what one forward pass keeps for the backward pass, counted on
fake tensors (torch._subclasses), so that every architecture, fusion and engine counts for itself.
"""

from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn

from meit.errors import ModelError
from meit.machine import memory_bytes
from meit.model.encoders.encoder import EncoderConfig
from meit.model.fusion import Text
from meit.model.language.architectures import decoder_layers, head
from meit.model.language.loading import outlined
from meit.model.language.spreading import BYTES
from meit.model.prompt import IGNORED
from meit.model.report_model import ReportModel
from meit.training.building import untuned
from meit.training.recipe import Recipe
from meit.training.trainer import uses_bf16

_SMALL = ("int8", "nf4")  # of a recipe's weights: its frozen linear layers
SHARED = {  # what an engine divides among its processes
    "ddp": (),
    "zero2": ("gradients", "optimiser"),
    "zero3": ("frozen", "tuned", "gradients", "optimiser"),
    "fsdp": ("frozen", "tuned", "gradients", "optimiser"),
}


@dataclass(frozen=True)
class Memory:
    """Bytes that one process holds. optimiser: Adam's two averages. activations: kept for the backward pass."""

    frozen: float
    tuned: float
    gradients: float
    optimiser: float
    activations: float = 0.0

    @property
    def total(self) -> float:
        return sum(asdict(self).values())

    def parts(self) -> str:
        return ", ".join(f"{name} {size / 1e9:.2f} GB" for name, size in asdict(self).items() if size)


def outline(recipe: Recipe, config: EncoderConfig) -> ReportModel:
    """The model to be tuned, on the meta device: its shapes, and nothing of its weights."""
    backbone, tokenizer = outlined(recipe.backbone, "bfloat16" if recipe.weights in _SMALL else recipe.weights)
    with torch.device("meta"):
        return untuned(recipe, config, backbone, tokenizer).train()


def weights_memory(model: ReportModel, recipe: Recipe, processes: int = 1) -> Memory:
    """Of weights, gradients and optimiser, without activations. model: an outline."""
    small = BYTES[recipe.weights] if recipe.weights in _SMALL else None
    frozen = tuned = 0.0
    count = 0
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            count += parameter.numel()
            tuned += parameter.numel() * parameter.element_size()
        else:
            of_wrapped = name.endswith("base_layer.weight")  # by LoRA: what is quantised
            each = small if small and of_wrapped else parameter.element_size()
            frozen += parameter.numel() * each
    frozen += sum(buffer.numel() * buffer.element_size() for buffer in model.buffers())
    whole = {"frozen": frozen, "tuned": tuned, "gradients": tuned, "optimiser": 8.0 * count}
    shared = SHARED[recipe.engine]
    return Memory(**{name: size / processes if name in shared else size for name, size in whole.items()})


def check_fits(memory: Memory, device: torch.device) -> None:
    """Raises ModelError where a process needs more than the device has at all."""
    there = memory_bytes(device)
    if memory.total > there:
        raise ModelError(
            f"tuning needs {memory.total / 1e9:.1f} GB in each process ({memory.parts()}), and {device} has "
            f"{there / 1e9:.1f} GB: set weights=nf4, checkpoint_gradients=true, a higher accumulate or a lower lora_rank, or "
            "engine=zero3 over more processes"
        )


def activation_bytes(model: ReportModel, recipe: Recipe, batch: Mapping[str, Tensor], device: torch.device) -> float:
    """What the forward pass of one batch (of meit.training.examples.Collator) keeps. model: an outline. device:
    where it will run.

    With gradient checkpointing: the layers' inputs, and what the one layer keeps that is computed again.
    """
    autocast = torch.autocast("cpu", torch.bfloat16) if uses_bf16(recipe, device) else nullcontext()
    with autocast:
        if not recipe.checkpoint_gradients:
            return kept(model, batch)
        inputs = kept(model, batch)
        model.backbone.activation_checkpointing_disable()
        everything = kept(model, batch)
    return inputs + everything / len(decoder_layers(model.backbone))


class _Step(nn.Module):
    """A forward pass as ReportModel.loss makes it, but with its choice of places given: fake tensors have no values."""

    def __init__(self, model: ReportModel):
        super().__init__()
        self.model = model

    def forward(self, batch: Mapping[str, Tensor], places: Tensor) -> Tensor:
        model = self.model
        probabilities, tokens = batch["probabilities"], batch["tokens"]
        if "ecg" in batch:
            probabilities, tokens, _ = model.encode(batch["ecg"], batch["ecg_mask"])
        text = Text(batch["ids"], batch["mask"], batch.get("source_ids"), batch.get("source_mask"))
        seen = text.mask.new_ones(len(text.ids), model.spec.n_tokens)
        hidden = model.fusion.hidden(model.backbone, text, model.ecg_tokens(probabilities, tokens), seen)
        logits = head(model.backbone, hidden.flatten(0, 1)[places])
        return nn.functional.cross_entropy(logits.float(), places, reduction="sum")


def kept(model: ReportModel, batch: Mapping[str, Tensor]) -> float:
    """Bytes that a forward pass keeps for the backward pass, besides the model itself and what it was given.

    On fake tensors where the model is an outline, else really.
    """
    from torch._subclasses.fake_tensor import FakeTensorMode

    places = torch.zeros(int((batch["labels"][:, 1:] != IGNORED).sum()), dtype=torch.long)
    storages: dict[int, Any] = {}  # kept alive, so that no address is given twice

    def keep(value: Tensor) -> Tensor:
        storages[value.untyped_storage()._cdata] = value.untyped_storage()
        return value

    step = _Step(model)
    fake = FakeTensorMode() if any(value.is_meta for value in model.parameters()) else None
    made: dict[int, Tensor] = {}  # so that what is tied stays so

    def there(value: Tensor) -> Tensor:
        if value.is_meta and id(value) not in made:
            made[id(value)] = torch.empty(value.shape, dtype=value.dtype, requires_grad=value.requires_grad)
        return made.setdefault(id(value), value)

    with fake or nullcontext():
        named = [*step.named_parameters(remove_duplicate=False), *step.named_buffers(remove_duplicate=False)]
        state = {name: there(value) for name, value in named}
        inputs = {name: fake.from_tensor(value) if fake else value for name, value in batch.items()}
        places = fake.from_tensor(places) if fake else places
        with torch.autograd.graph.saved_tensors_hooks(keep, lambda value: value):
            torch.func.functional_call(step, state, (inputs, places), tie_weights=False)
        given = {value.untyped_storage()._cdata for value in (*made.values(), *inputs.values(), places)}
        return float(sum(storage.nbytes() for key, storage in storages.items() if key not in given))
