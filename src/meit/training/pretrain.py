"""Pre-training of the ECG encoder: which findings (meit.training.targets) has this recording?"""

import math

import numpy as np
import torch
from torch import nn
from tqdm import tqdm

from meit.data.batches import EcgSet
from meit.model.encoder import EcgEncoder, EncoderConfig
from meit.training.augment import augment
from meit.training.loader import loaded


def pretrain(
    config: EncoderConfig,
    data: EcgSet,
    chosen: np.ndarray,
    targets: np.ndarray,
    *,
    epochs: int,
    batch_size: int,
    learning_rate: float,
    seed: int,
    label: str = "encoder",
) -> EcgEncoder:
    """Those recordings of a set whose indices are chosen (N,), targets (N, F) -> a trained encoder.

    Binary cross-entropy, AdamW, one cycle of the learning rate;

    mix-up (Zhang et al., 2018) with a Beta(0.3, 0.3) share keeps 1,800 recordings from being learned by heart.
    """
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    rng = np.random.default_rng(seed)
    encoder = EcgEncoder(config)
    prior = np.clip(targets.mean(0), 1e-3, 0.95)
    nn.init.constant_(encoder.findings[-1].bias, 0.0)
    encoder.findings[-1].bias.data.copy_(torch.tensor(np.log(prior / (1 - prior)), dtype=torch.float32))
    optimiser = torch.optim.AdamW(encoder.parameters(), lr=learning_rate, weight_decay=0.02)
    steps = math.ceil(len(chosen) / batch_size)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, learning_rate, total_steps=epochs * steps, pct_start=0.2)
    loss_of = nn.BCEWithLogitsLoss()
    y = torch.from_numpy(targets)
    bar = tqdm(range(epochs), desc=label, unit="epoch")
    for _ in bar:
        encoder.train()
        total = 0.0
        batches = np.array_split(rng.permutation(len(chosen)), steps)
        for batch, (x, m, _) in zip(batches, loaded(data, [chosen[batch] for batch in batches]), strict=True):
            share = float(rng.beta(0.3, 0.3))
            other = torch.from_numpy(rng.permutation(len(batch)))
            inputs = augment(x, generator) * share + augment(x[other], generator) * (1 - share)
            wanted = y[batch] * share + y[batch][other] * (1 - share)
            _, logits = encoder(inputs, torch.maximum(m, m[other]))
            loss = loss_of(logits, wanted)
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(encoder.parameters(), 1.0)
            optimiser.step()
            schedule.step()
            total += loss.item()
        bar.set_postfix(loss=f"{total / steps:.4f}")
    return encoder.eval()
