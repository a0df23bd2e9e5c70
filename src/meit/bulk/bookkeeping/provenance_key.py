"""What a draft depends on besides its recording, in one short key: another key means that it is drafted again."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from meit import __version__
from meit.bulk.outcome import DraftTask
from meit.drafting.calibration.confidence import CALIBRATION_FILE, VALIDATION_FILE
from meit.model.configuration import read_config
from meit.model.devices import chosen_device, chosen_dtype
from meit.model.encoders.familiarity import FILE as FAMILIARITY_FILE
from meit.model.model_files import checksum


def made_by(task: DraftTask, cluster: Mapping[str, float] | None) -> tuple[int, str, dict[str, Any]]:
    """GPUs to draft on; the key; and what it stands for, as the journal and the manifest have it. cluster: what it has,
    by Ray's names; None on this machine alone.

    Raises ModelError for a model that cannot be read and for a device that is not there.
    """
    config = read_config(task.model)
    gpus, dtype = _computes(task, cluster)
    stands_for = {
        "model": {
            "name": config.name,
            "version": config.version,
            "sha256": checksum(task.model),
            "said_of_it": [
                _sha256(task.model / name) for name in (CALIBRATION_FILE, VALIDATION_FILE, FAMILIARITY_FILE)
            ],
        },
        "options": {
            "strict": task.strict,
            "quantised": task.quantised,
            "dtype": dtype,
            "plot": task.plot,
            "operating_point": task.operating_point,
        },
        "meit": __version__,
    }
    key = hashlib.sha256(json.dumps(stands_for, sort_keys=True).encode()).hexdigest()[:16]
    return gpus, key, stands_for


def _computes(task: DraftTask, cluster: Mapping[str, float] | None) -> tuple[int, str | None]:
    """GPUs, and the backbone's precision; on a cluster, whose GPUs nobody asks here, as it was named."""
    if cluster is not None:
        gpus = 0 if task.device == "cpu" else int(cluster.get("GPU", 0))
        dtype = task.dtype if gpus or task.dtype != "auto" else "float32"
    else:
        import torch

        device = chosen_device(task.device)
        gpus = torch.cuda.device_count() if device.type == "cuda" and ":" not in task.device else 0
        dtype = str(chosen_dtype(task.dtype, device)).removeprefix("torch.")
    return gpus, None if task.quantised else dtype


def _sha256(file: Path) -> str | None:
    return hashlib.sha256(file.read_bytes()).hexdigest() if file.exists() else None
