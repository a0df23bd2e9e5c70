"""Pre-training of the ECG encoders: which findings (meit.training.targets) has this recording?"""

import math
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

from meit.data.batches import EcgSet
from meit.errors import ModelError
from meit.model.devices import Place
from meit.model.encoders.encoder import EcgEncoder, EncoderConfig
from meit.model.encoders.encoding import loaded
from meit.model.encoders.findings import BeatEncoder
from meit.model.encoders.layers import normal_noise, weights_side_by_side

LEAD_DROP, NOISE, GAIN = 0.1, 0.08, 0.15  # share of chest leads left out; SDs of noise, and share of gain, at most
LATE, NO_SCALE = 3, 0.2  # samples by which a median beat is shifted at most; share that is shown without its voltage
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

    Binary cross-entropy, AdamW, one cycle of the learning rate; mix-up keeps a few thousand recordings from being learnt
    by heart. The encoder stays on the device that it was trained on.
    """

    def read(batches: Sequence[np.ndarray]) -> Iterator[tuple[Tensor, Tensor]]:
        return ((ecg, mask) for ecg, mask, _ in loaded(data, [chosen[batch] for batch in batches]))

    torch.manual_seed(seed)
    encoder = EcgEncoder(config)
    _fit(encoder, read, augmented, targets, epochs, batch_size, learning_rate, seed, place, label)
    return encoder.eval()


def pretrain_beats(
    columns: np.ndarray,
    targets: np.ndarray,
    *,
    epochs: int,
    batch_size: int,
    learning_rate: float,
    seed: int,
    place: Place,
    label: str = "encoder of beats",
) -> BeatEncoder:
    """Median beats (N, BEAT_COLUMNS) of meit.ecg.measure.measured_inputs, and targets (N, F); otherwise as `pretrain`."""

    def read(batches: Sequence[np.ndarray]) -> Iterator[tuple[Tensor, Tensor]]:
        return (BeatEncoder.inputs(torch.from_numpy(np.ascontiguousarray(columns[batch]))) for batch in batches)

    torch.manual_seed(seed)
    encoder = BeatEncoder(targets.shape[1])
    _fit(encoder, read, augmented_beats, targets, epochs, batch_size, learning_rate, seed, place, label)
    return encoder.eval()


def _fit(
    encoder: EcgEncoder | BeatEncoder,
    read: Callable[[Sequence[np.ndarray]], Iterator[tuple[Tensor, Tensor]]],
    augment: Callable[[Tensor, Tensor, Tensor, float, torch.Generator], tuple[Tensor, Tensor]],
    targets: np.ndarray,
    epochs: int,
    batch_size: int,
    learning_rate: float,
    seed: int,
    place: Place,
    label: str,
) -> None:
    """read: both inputs of each batch of rows of targets. augment: both inputs, changed and mixed with another's."""
    device = place.device
    generator = torch.Generator(device).manual_seed(seed)
    rng = np.random.default_rng(seed)
    set_prior(encoder, targets)
    encoder.to(device)
    optimiser = torch.optim.AdamW(encoder.parameters(), lr=learning_rate, weight_decay=0.02, fused=True)
    steps = math.ceil(len(targets) / batch_size)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, learning_rate, total_steps=epochs * steps, pct_start=0.2)
    loss_of = nn.BCEWithLogitsLoss()
    wanted = torch.from_numpy(targets).to(device)
    with weights_side_by_side(encoder):
        bar = tqdm(range(epochs), desc=label, unit="epoch")
        for _ in bar:
            encoder.train()
            total = torch.zeros((), device=device)
            batches = np.array_split(rng.permutation(len(targets)), steps)
            for batch, (ecg, mask) in zip(batches, read(batches), strict=True):
                share = float(rng.beta(MIX_UP, MIX_UP))
                other = torch.from_numpy(rng.permutation(len(batch))).to(device)
                ecg, mask = ecg.to(device), mask.to(device)
                mixed = wanted[batch] * share + wanted[batch][other] * (1 - share)
                with place.autocast():
                    logits = encoder.find(*augment(ecg, mask, other, share, generator))
                loss = loss_of(logits.float(), mixed)
                optimiser.zero_grad()
                loss.backward()
                nn.utils.clip_grad_norm_(encoder.parameters(), 1.0, foreach=True)
                optimiser.step()
                schedule.step()
                total += loss.detach()
            bar.set_postfix(loss=f"{total.item() / steps:.4f}")


def set_prior(encoder: EcgEncoder | BeatEncoder, targets: np.ndarray) -> None:
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
    gain = _gains(batch, n_leads, generator, ecg.device)
    shifted = ecg.reshape(-1, n_leads).index_select(0, source.view(-1)).view(batch, n, n_leads)
    return shifted.mul_(share * gain), mask.reshape(-1)[source]


def augmented_beats(
    shapes: Tensor, scales: Tensor, other: Tensor, share: float, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Inputs of BeatEncoder, shapes (B, T, 12) and scales (B, 13), as `augmented`: shifted by a few samples, and some
    without their voltage."""
    first, second = (
        _varied_beats(shapes[rows], part, generator) for rows, part in ((slice(None), share), (other, 1 - share))
    )
    deviation = NOISE * torch.rand(len(shapes), 1, 1, generator=generator, device=shapes.device)
    noise = normal_noise(shapes.numel(), generator, shapes.device).view(shapes.shape)
    hidden = torch.rand(len(scales), 1, generator=generator, device=scales.device) < NO_SCALE
    shown = scales.masked_fill(hidden, 0)
    return first.add_(second).addcmul_(noise, deviation), share * shown + (1 - share) * shown[other]


def _varied_beats(shapes: Tensor, share: float, generator: torch.Generator) -> Tensor:
    batch, n, n_leads = shapes.shape
    device = shapes.device
    late = torch.randint(-LATE, LATE + 1, (batch, 1), generator=generator, device=device)
    source = (torch.arange(n, device=device) + late).clamp(0, n - 1)
    gain = _gains(batch, n_leads, generator, device)
    return shapes.gather(1, source[:, :, None].expand(-1, -1, n_leads)).mul_(share * gain)


def _gains(batch: int, n_leads: int, generator: torch.Generator, device: torch.device) -> Tensor:
    """(batch, 1, n_leads): one for all limb leads, one for each chest lead, 0 for those that are dropped."""
    gain = 1 + GAIN * (2 * torch.rand(batch, 1, n_leads, generator=generator, device=device) - 1)
    gain[:, :, :6] = gain[:, :, :1]
    dropped = torch.rand(batch, 1, n_leads, generator=generator, device=device) <= LEAD_DROP
    gain[:, :, 6:].masked_fill_(dropped[:, :, 6:], 0)
    return gain
