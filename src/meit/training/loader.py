"""Batches of encoder inputs, made ahead in other processes where a set is too large to keep them."""

import os
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from meit.data.batches import EcgSet
from meit.model.measured import measured


class _Batches(Dataset):
    def __init__(self, data: EcgSet, batches: Sequence[np.ndarray], measures: Sequence[str]):
        self.data, self.batches, self.measures = data, batches, measures

    def __len__(self) -> int:
        return len(self.batches)

    def __getitem__(self, number: int) -> tuple[Tensor, Tensor, Tensor]:
        ecgs, masks = self.data.inputs(self.batches[number])
        found = measured(ecgs, masks, self.data.rate, self.measures)
        return torch.from_numpy(ecgs), torch.from_numpy(masks.astype(np.float32)), torch.from_numpy(found)


def workers(data: EcgSet) -> int:
    """How many processes should make inputs ahead: none where they are kept in memory."""
    return 0 if data.keeps_inputs else len(os.sched_getaffinity(0))


def loaded(
    data: EcgSet, batches: Sequence[np.ndarray], measures: Sequence[str] = ()
) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Inputs (B, n, 12), masks (B, n) and measurements (B, K), float32, of each batch of indices."""
    ahead = len(os.sched_getaffinity(0)) if measures else workers(data)  # measuring takes a tenth of a second each
    return iter(DataLoader(_Batches(data, batches, measures), batch_size=None, num_workers=ahead))
