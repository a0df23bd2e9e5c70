"""Where a model computes, and how precisely: devices and floating-point types by name, held against this machine."""

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from meit.errors import ModelError
from meit.machine import has_bf16
from meit.model import row_of

if TYPE_CHECKING:  # the command line reads the names below at every start
    import torch
    from torch import nn

DEVICES = "auto, cpu, cuda, cuda:N or mps"
DTYPES = ("auto", "float32", "bfloat16", "float16")
INSTEAD = "use device cpu, or auto, which takes what there is"


@dataclass(frozen=True)
class DeviceKind:
    """count: how many of them this machine has. remedy: what to do where it has none."""

    count: Callable[[], int]
    remedy: Callable[[], str]


def _gpus() -> int:
    import torch

    return torch.cuda.device_count() if torch.cuda.is_available() else 0


def _without_gpu() -> str:
    import torch

    if torch.version.cuda is None and torch.version.hip is None:
        return f"this PyTorch ({torch.__version__}) is built without CUDA: install one that has it, or {INSTEAD}"
    return f"look at nvidia-smi and $CUDA_VISIBLE_DEVICES, or {INSTEAD}"


def _apples() -> int:
    import torch

    return int(torch.backends.mps.is_available())


KINDS: dict[str, DeviceKind] = {  # in the order in which `auto` asks for them
    "cuda": DeviceKind(_gpus, _without_gpu),
    "mps": DeviceKind(_apples, lambda: f"it is the GPU of Apple's own processors; {INSTEAD}"),
    "cpu": DeviceKind(lambda: 1, lambda: ""),
}


def device_name(text: str) -> str:
    """The name of a device as it is written. Raises ModelError for another one; whether it is there is not asked."""
    if text != "auto" and re.sub(r"^cuda:\d+$", "cuda", text) not in KINDS:
        raise ModelError(f"device {text!r} is not known; known are {DEVICES}")
    return text


def chosen_device(name: str = "auto") -> "torch.device":
    """The device of that name, its number stated; auto: a GPU where there is one.

    Under torchrun each process gets its own GPU. Raises ModelError, in one line, for a device that this machine lacks.
    """
    import torch

    kind, _, number = device_name(name).partition(":")
    if kind == "auto":
        kind = next(known for known, row in KINDS.items() if row.count())
    count = KINDS[kind].count()
    if not count:
        raise ModelError(f"device {name!r} is not there: {KINDS[kind].remedy()}")
    if kind != "cuda":
        return torch.device(kind)
    rank, processes = int(os.environ.get("LOCAL_RANK", 0)), int(os.environ.get("LOCAL_WORLD_SIZE", 1))
    if number and processes > 1:
        raise ModelError(
            f"device {name!r} is one for {processes} processes: use device cuda, of which each gets its own"
        )
    index = int(number or rank)
    if index >= count:
        asked = f"device {name!r}" if number else f"the GPU of process {rank + 1} of {processes}"
        raise ModelError(f"{asked} is not there: this machine shows {count}, the last is cuda:{count - 1}")
    return torch.device(kind, index)


def device_of_worker(name: str, number: int, workers: int) -> str:
    """What worker `number`, the first is 0, of several on this machine computes on: they take its GPUs in turn, unless
    one was named. A single worker has them all, for a model that is spread."""
    if workers < 2 or name not in ("auto", "cuda") or not KINDS["cuda"].count():
        return name
    return f"cuda:{number % KINDS['cuda'].count()}"


def may_spread(name: str) -> bool:
    """Whether a model may take more GPUs than the chosen one: its number is not stated, and no process has another."""
    return name in ("auto", "cuda") and int(os.environ.get("LOCAL_WORLD_SIZE", 1)) == 1


def chosen_dtype(name: str, device: "torch.device") -> "torch.dtype":
    """The floating-point type of that name; auto: bfloat16 on a GPU that has it, else float32, so that a draft made on a
    processor is the same on every one. Raises ModelError for another name."""
    import torch

    row_of(dict.fromkeys(DTYPES), "dtype", name)
    if name == "auto":
        name = "bfloat16" if device.type != "cpu" and has_bf16(device.type) else "float32"
    return getattr(torch, name)


@dataclass(frozen=True)
class Place:
    """Where something is trained, its weights in float32, and in which precision its layers multiply."""

    device: "torch.device"
    dtype: "torch.dtype"

    def autocast(self) -> "torch.autocast":
        import torch

        return torch.autocast(self.device.type, self.dtype, enabled=self.dtype != torch.float32)


def training_place(device: str = "auto", dtype: str = "auto") -> Place:
    """Device and precision by name, for training. Raises ModelError, also for float16: its gradients vanish."""
    place = chosen_device(device)
    if dtype == "float16":
        raise ModelError("dtype 'float16' is for drafting: its small gradients vanish; train in bfloat16 or float32")
    return Place(place, chosen_dtype(dtype, place))


def device_of(module: "nn.Module") -> "torch.device":
    """Where a module's first weight lies."""
    return next(module.parameters()).device
