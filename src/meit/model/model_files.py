"""The files of a saved model: their names, how they are read, and the checksum of all that its drafts depend on."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from meit.errors import ModelError
from meit.model.configuration import CONFIG

WEIGHTS, ADAPTER, MERGED = "ecg.safetensors", "adapter", "backbone"
TRAINING = "training.json"  # recipe, seconds, machine, versions
CALIBRATION = "calibration.json"  # meit.drafting.calibration.confidence; of the model whose sha256 it names
ADAPTER_WEIGHTS = f"{ADAPTER}/adapter_model.safetensors"
PARTS = ("ensemble", "projector", "fusion")  # what is saved besides the adapter


def checksum(folder: Path) -> str:
    """SHA-256 of what a draft's words depend on: configuration and all weights, a merged backbone's among them.

    Calibration and familiarity only speak about the words, and are not part of it. A backbone that does not lie in the
    folder is held against its fingerprint in the configuration.
    """
    digest = hashlib.sha256()
    merged = (path for path in (folder / MERGED).glob("*") if path.suffix in (".safetensors", ".json"))
    for path in (folder / CONFIG, folder / WEIGHTS, folder / ADAPTER_WEIGHTS, *sorted(merged)):
        if path.exists():  # a merged model has no adapter
            with path.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


def read_json(path: Path) -> dict[str, Any]:
    """{} where there is no such file."""
    try:
        value = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    except (OSError, ValueError) as error:
        raise ModelError(f"{path} cannot be read: {error}") from None
    if not isinstance(value, dict):
        raise ModelError(f"{path} cannot be understood: it holds no JSON object")
    return value


def read_tensors(path: Path) -> dict[str, Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except (OSError, SafetensorError) as error:
        raise ModelError(f"{path} cannot be read: {error}; copy the model anew") from None


def part_of(state: Mapping[str, Tensor], part: str) -> dict[str, Tensor]:
    """A module's own state out of a whole one."""
    return {key.removeprefix(f"{part}."): value for key, value in state.items() if key.startswith(f"{part}.")}


def own_weights(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """What is saved besides the adapter, out of a whole model's state."""
    return {key: halved(value) for key, value in state.items() if key.split(".")[0] in PARTS}


def halved(value: Tensor) -> Tensor:
    """As it is saved."""
    return (value.to(torch.bfloat16) if value.is_floating_point() else value).cpu().contiguous()


def singled(value: Tensor) -> Tensor:
    """As it computes."""
    return value.float() if value.is_floating_point() else value
