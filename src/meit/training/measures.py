"""Fits the encoder's measured head (meit.model.measured) to what encoders gave for recordings they had not seen."""

import math
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

from meit.atomic import atomic_path
from meit.data.batches import EcgSet
from meit.model.encoder import EcgEncoder
from meit.model.measured import MeasuredHead
from meit.training.loader import loaded

MEASURES = "measures.npy"
EPOCHS, BATCH, RATE, DECAY = 60, 64, 6e-3, 0.1  # chosen on fold 9 among a few (docs/results.md)
MIX_UP = 0.3


def measures_of(data: EcgSet, names: tuple[str, ...], kept: Path) -> np.ndarray:
    """(N, K) of every recording of a set; read back from a file once it is there."""
    if kept.exists():
        return np.load(kept)
    batches = np.array_split(np.arange(len(data)), math.ceil(len(data) / BATCH))
    bar = tqdm(loaded(data, batches, names), total=len(batches), desc="measuring", unit="batch")
    found = np.concatenate([measures.numpy() for _, _, measures in bar])
    with atomic_path(kept) as temporary:
        np.save(temporary, found)
    return found


def fit_measured(
    encoder: EcgEncoder, held_out: np.ndarray, measures: np.ndarray, targets: np.ndarray, parts: np.ndarray, seed: int
) -> np.ndarray:
    """Fits encoder.measured; returns the held-out probabilities (N, F) with measurements taken into account.

    held_out, targets: (N, F) probabilities in 0..1; measures: (N, K). parts: (N,) which part each recording belongs
    to; for each part another head is fitted to the others and predicts it.
    """
    logits = torch.logit(torch.from_numpy(held_out).float(), eps=1e-4)
    found, wanted = torch.from_numpy(measures), torch.from_numpy(targets)
    _fit(encoder.measured, found, logits, wanted, seed)
    better = np.array(held_out, np.float32)
    for part in np.unique(parts):
        inside = torch.from_numpy(parts == part)
        if inside.all():
            better[:] = encoder.probabilities(logits, found).detach().numpy()
            break
        other = MeasuredHead(measures.shape[1], encoder.config.measure_steps, targets.shape[1])
        _fit(other, found[~inside], logits[~inside], wanted[~inside], seed + 1)
        with torch.no_grad():
            better[inside.numpy()] = torch.sigmoid(other(found[inside], logits[inside])).numpy()
    return better


def _fit(head: MeasuredHead, measures: Tensor, logits: Tensor, targets: Tensor, seed: int) -> None:
    """Binary cross-entropy with mix-up, AdamW, one cycle of the learning rate."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    head.set_edges(measures.numpy())
    inputs = head.inputs(measures, logits)
    steps = math.ceil(len(inputs) / BATCH)
    optimiser = torch.optim.AdamW(head.weights.parameters(), lr=RATE / 3, weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=EPOCHS * steps)
    head.train()
    for _ in range(EPOCHS):
        for batch in np.array_split(rng.permutation(len(inputs)), steps):
            one, other = torch.from_numpy(batch), torch.from_numpy(rng.permutation(batch))
            share = float(rng.beta(MIX_UP, MIX_UP))
            seen, before, wanted = (share * of[one] + (1 - share) * of[other] for of in (inputs, logits, targets))
            given = before + head.weights(head.dropout(seen))
            loss = nn.functional.binary_cross_entropy_with_logits(given, wanted)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
    head.eval()
