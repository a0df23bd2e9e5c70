"""What an encoder makes of a whole set of recordings; batches are made ahead by other processes where that is slow."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from meit.data.batches import EcgSet
from meit.ecg.measure.measured_inputs import RECORDING, measured_inputs, measured_recordings
from meit.machine import cores
from meit.model.devices import device_of
from meit.model.encoders.encoder import EcgEncoder, Encoded, EncoderConfig
from meit.model.encoders.findings import Ensemble


class EncoderInputs(Protocol):
    """A set of recordings as the encoder takes them: a meit.data.batches.EcgSet, or what stands in for one."""

    @property
    def rate(self) -> float: ...

    @property
    def keeps_inputs(self) -> bool: ...

    def __len__(self) -> int: ...

    def inputs(self, indices: Sequence[int] | np.ndarray) -> tuple[np.ndarray, np.ndarray]: ...

    def signals(self, indices: Sequence[int] | np.ndarray) -> list[tuple[np.ndarray, float, str]]: ...


def recordings_for(
    config: EncoderConfig, folders: Sequence[Path | str], folds: Sequence[int], share: float = 1.0
) -> EcgSet:
    """The recordings of prepared folders as the encoder takes them. Raises NoRecordings and DataError."""
    return EcgSet(folders, folds, config.rate, config.seconds, share, config.normalisation)


@torch.inference_mode()
def encode_all(
    encoder: EcgEncoder | Ensemble,
    data: EncoderInputs,
    chosen: np.ndarray | None = None,
    batch_size: int = 64,
    by_signal: bool = False,
) -> Encoded:
    """What a single encoder, or a model's whole ensemble, gives for a set's recordings; in main memory, wherever the
    encoder computes.

    chosen: indices (N,) of some of them; by default all. by_signal: nothing is measured, which takes a tenth of a second
    a recording; the probabilities are then those of the signal alone.
    """
    encoder.eval()
    chosen = np.arange(len(data)) if chosen is None else chosen
    batches = [chosen[start : start + batch_size] for start in range(0, len(chosen), batch_size)]
    parts = []
    measuring = encoder.config if isinstance(encoder, Ensemble) and not by_signal else None
    device = device_of(encoder)
    for ecg, mask, measures in loaded(data, batches, measuring):
        given = measures.to(device) if measures.shape[1] else None
        found = encoder.encode(ecg.to(device), mask.to(device), given)
        parts.append([part.cpu() for part in found])
    return Encoded(*(torch.cat(part) for part in zip(*parts, strict=True)))


def loaded(
    data: EncoderInputs, batches: Sequence[np.ndarray], measuring: EncoderConfig | None = None
) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Inputs (B, n, 12), masks (B, n) and measurements (B, K), float32, of each batch of indices.

    measuring: whose measurements; by default nothing is measured, which takes a tenth of a second each.
    """
    ahead = cores() if measuring is not None and measuring.measures else workers(data)
    return iter(DataLoader(_Batches(data, batches, measuring), batch_size=None, num_workers=ahead))


def workers(data: EncoderInputs) -> int:
    """How many processes should make inputs ahead: none where they are kept in memory."""
    return 0 if data.keeps_inputs else cores()


class _Batches(Dataset):
    def __init__(self, data: EncoderInputs, batches: Sequence[np.ndarray], measuring: EncoderConfig | None):
        self.data, self.batches, self.measuring = data, batches, measuring

    def __len__(self) -> int:
        return len(self.batches)

    def __getitem__(self, number: int) -> tuple[Tensor, Tensor, Tensor]:
        ecgs, masks = self.data.inputs(self.batches[number].tolist())
        values = self._measured(self.batches[number], ecgs, masks)
        return torch.from_numpy(ecgs), torch.from_numpy(masks.astype(np.float32)), torch.from_numpy(values)

    def _measured(self, indices: np.ndarray, ecgs: np.ndarray, masks: np.ndarray) -> np.ndarray:
        if self.measuring is None:
            return np.zeros((len(indices), 0), np.float32)
        if self.measuring.measured_on == RECORDING:
            return measured_recordings(self.data.signals(indices.tolist()), self.measuring.measures)
        return measured_inputs(ecgs, masks, self.data.rate, self.measuring.measures)
