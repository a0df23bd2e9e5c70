"""Pre-training of the ECG encoder: which findings (meit.training.targets) has this recording?"""

import math

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

from meit.data.batches import EcgSet
from meit.errors import ModelError
from meit.model.devices import Place
from meit.model.encoder import EcgEncoder, EncoderConfig
from meit.model.encoding import loaded
from meit.model.layers import normal_noise, weights_side_by_side

LEAD_DROP, NOISE, GAIN = 0.1, 0.08, 0.15  # share of chest leads left out; SDs of noise, and share of gain, at most
MIX_UP = 0.3  # of the Beta distribution of shares (Zhang et al., 2018)


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
    place: Place,
    label: str = "encoder",
) -> EcgEncoder:
    """Those recordings of a set whose indices are chosen (N,), and their targets (N, F) in 0..1 -> a trained encoder.

    Binary cross-entropy, AdamW, one cycle of the learning rate; mix-up keeps 1,800 recordings from being learnt by
    heart. The encoder stays on the device that it was trained on.
    """
    device = place.device
    torch.manual_seed(seed)
    generator = torch.Generator(device).manual_seed(seed)
    rng = np.random.default_rng(seed)
    encoder = EcgEncoder(config)
    set_prior(encoder, targets)
    encoder.to(device)
    optimiser = torch.optim.AdamW(encoder.parameters(), lr=learning_rate, weight_decay=0.02, fused=True)
    steps = math.ceil(len(chosen) / batch_size)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, learning_rate, total_steps=epochs * steps, pct_start=0.2)
    loss_of = nn.BCEWithLogitsLoss()
    wanted = torch.from_numpy(targets).to(device)
    with weights_side_by_side(encoder):
        bar = tqdm(range(epochs), desc=label, unit="epoch")
        for _ in bar:
            encoder.train()
            total = torch.zeros((), device=device)
            batches = np.array_split(rng.permutation(len(chosen)), steps)
            for batch, (ecg, mask, _) in zip(batches, loaded(data, [chosen[batch] for batch in batches]), strict=True):
                share = float(rng.beta(MIX_UP, MIX_UP))
                other = torch.from_numpy(rng.permutation(len(batch))).to(device)
                ecg, mask = ecg.to(device), mask.to(device)
                mixed = wanted[batch] * share + wanted[batch][other] * (1 - share)
                with place.autocast():
                    frames, recorded = encoder.frames(*augmented(ecg, mask, other, share, generator))
                    logits = encoder.logits(encoder.features(frames, recorded))
                loss = loss_of(logits.float(), mixed)
                optimiser.zero_grad()
                loss.backward()
                nn.utils.clip_grad_norm_(encoder.parameters(), 1.0, foreach=True)
                optimiser.step()
                schedule.step()
                total += loss.detach()
            bar.set_postfix(loss=f"{total.item() / steps:.4f}")
    return encoder.eval()


def set_prior(encoder: EcgEncoder, targets: np.ndarray) -> None:
    """The findings begin as frequent as they are among targets (N, F). Raises ModelError for an encoder that has none."""
    last = None if encoder.findings is None else encoder.findings[-1]
    if not isinstance(last, nn.Linear):
        raise ModelError("an encoder without findings cannot be trained to find")
    prior = np.clip(targets.mean(0), 1e-3, 0.95)
    last.bias.data.copy_(torch.tensor(np.log(prior / (1 - prior)), dtype=torch.float32))


def augmented(
    ecg: Tensor, mask: Tensor, other: Tensor, share: float, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Normalised ECGs (B, n, 12) and what is recorded of them (B, n) -> the same, mixed with those at `other` (B,), both
    changed so that reports stay true.

    Shifted in time, where what leaves at the end comes in at the beginning; single chest leads dropped; gain and noise
    varied. The limb leads share one gain, since their ratio is the frontal axis. The generator is of their device.
    """
    first, first_mask = varied(ecg, mask, torch.arange(len(ecg), device=ecg.device), share, generator)
    second, second_mask = varied(ecg, mask, other, 1 - share, generator)
    # the sum of both noises is one noise, whose variance is the sum of theirs
    deviations = torch.rand(2, len(ecg), 1, 1, generator=generator, device=ecg.device)
    deviation = NOISE * ((share * deviations[0]).square() + ((1 - share) * deviations[1]).square()).sqrt()
    mixed = first.add_(second).addcmul_(normal_noise(ecg.numel(), generator, ecg.device).view(ecg.shape), deviation)
    return mixed, torch.maximum(first_mask, second_mask)


def varied(
    ecg: Tensor, mask: Tensor, chosen: Tensor, share: float, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Of those chosen (B,): (B, n, 12) shifted, times the share and gains, and masks (B, n)."""
    batch, n, n_leads = ecg.shape
    shift = torch.randint(0, n, (batch, 1), generator=generator, device=ecg.device)
    source = (torch.arange(n, device=ecg.device) + shift) % n + n * chosen[:, None]
    gain = 1 + GAIN * (2 * torch.rand(batch, 1, n_leads, generator=generator, device=ecg.device) - 1)
    gain[:, :, :6] = gain[:, :, :1]
    dropped = torch.rand(batch, 1, n_leads, generator=generator, device=ecg.device) <= LEAD_DROP
    gain[:, :, 6:].masked_fill_(dropped[:, :, 6:], 0)
    shifted = ecg.reshape(-1, n_leads).index_select(0, source.view(-1)).view(batch, n, n_leads)
    return shifted.mul_(share * gain), mask.reshape(-1)[source]
