"""Batches of encoder inputs, made ahead in other processes where a set is too large to keep them."""

import os
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from meit.data.batches import EcgSet


class _Batches(Dataset):
    def __init__(self, data: EcgSet, batches: Sequence[np.ndarray]):
        self.data, self.batches = data, batches

    def __len__(self) -> int:
        return len(self.batches)

    def __getitem__(self, number: int) -> tuple[Tensor, Tensor]:
        ecgs, masks = self.data.inputs(self.batches[number])
        return torch.from_numpy(ecgs), torch.from_numpy(masks.astype(np.float32))


def workers(data: EcgSet) -> int:
    """How many processes should make inputs ahead: none where they are kept in memory."""
    return 0 if data.keeps_inputs else len(os.sched_getaffinity(0))


def loaded(data: EcgSet, batches: Sequence[np.ndarray]) -> Iterator[tuple[Tensor, Tensor]]:
    """Inputs (B, n, 12) and masks (B, n), float32, of each batch of indices."""
    return iter(DataLoader(_Batches(data, batches), batch_size=None, num_workers=workers(data)))
