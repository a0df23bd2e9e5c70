"""The ECG encoder: a 1-D residual network that turns a normalised recording into tokens and finding probabilities.

Residual blocks after He et al. (2016) in one dimension, as is usual for ECGs (Ribeiro et al., Nature Communications
11, 1760, 2020). MEIT (arXiv 2403.04945, section 3) pools the recording into one embedding, S = 1; S > 1 keeps time.
"""

from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from meit.ecg.recording import LEADS
from meit.model.measured import MeasuredHead


@dataclass(frozen=True)
class EncoderConfig:
    """Everything that fixes the encoder's shape. n_tokens is the paper's S."""

    findings: tuple[str, ...]  # names of the outputs of the findings head
    rate: int = 100
    seconds: float = 10.0
    widths: tuple[int, ...] = (48, 64, 128, 192)
    blocks_per_stage: int = 2
    kernel: int = 7
    dropout: float = 0.2
    n_tokens: int = 1
    measures: tuple[str, ...] = ()  # of meit.model.measured, which the findings take into account
    measure_steps: int = 5
    targets: str = "codes"  # what the findings are: a key of meit.training.targets.TARGETS
    members: int = 1  # networks whose finding logits are averaged; tokens and features are the first one's

    @property
    def n_samples(self) -> int:
        return round(self.rate * self.seconds)

    @property
    def width(self) -> int:
        return self.widths[-1]


class ResidualBlock(nn.Module):
    """Two convolutions and a short cut; (B, C_in, T) -> (B, C_out, T / stride)."""

    def __init__(self, n_in: int, n_out: int, stride: int, kernel: int, dropout: float):
        super().__init__()
        same = kernel // 2
        self.body = nn.Sequential(
            nn.Conv1d(n_in, n_out, kernel, stride, same, bias=False),
            nn.BatchNorm1d(n_out),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Conv1d(n_out, n_out, kernel, 1, same, bias=False),
            nn.BatchNorm1d(n_out),
        )
        self.short_cut = nn.Identity()
        if stride > 1 or n_in != n_out:
            self.short_cut = nn.Sequential(
                nn.AvgPool1d(stride, stride, ceil_mode=True), nn.Conv1d(n_in, n_out, 1, bias=False)
            )

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(self.body(x) + self.short_cut(x))


class EcgEncoder(nn.Module):
    """(B, n_samples, 12) normalised ECG and (B, n_samples) mask -> tokens (B, S, width), finding logits (B, F)."""

    def __init__(self, config: EncoderConfig):
        super().__init__()
        self.config = config
        first, kernel = config.widths[0], config.kernel
        layers: list[nn.Module] = [
            nn.Conv1d(len(LEADS), first, 2 * kernel + 1, 2, kernel, bias=False),
            nn.BatchNorm1d(first),
            nn.ReLU(),
        ]
        n_in = first
        for width in config.widths:
            for block in range(config.blocks_per_stage):
                layers.append(ResidualBlock(n_in, width, 2 if block == 0 else 1, kernel, config.dropout))
                n_in = width
        self.body = nn.Sequential(*layers)
        self.findings = nn.Sequential(nn.Dropout(config.dropout), nn.Linear(2 * config.width, len(config.findings)))
        self.measured = None
        if config.measures:
            self.measured = MeasuredHead(len(config.measures), config.measure_steps, len(config.findings))
        alone = replace(config, members=1, measures=())
        self.others = nn.ModuleList(EcgEncoder(alone) for _ in range(config.members - 1))

    def frames(self, ecg: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Feature frames (B, width, T') and which of them saw any recorded sample (B, T')."""
        frames = self.body(ecg.transpose(1, 2) * mask[:, None])
        recorded = nn.functional.adaptive_max_pool1d(mask[:, None].to(frames.dtype), frames.shape[-1])[:, 0] > 0
        return frames, recorded

    def forward(self, ecg: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """By the signal alone; `probabilities` takes the measurements into account."""
        frames, recorded = self.frames(ecg, mask)
        return self.tokens(frames, recorded), self.logits(ecg, mask, self.features(frames, recorded))

    def logits(self, ecg: Tensor, mask: Tensor, features: Tensor) -> Tensor:
        """(B, F) by the signal alone, the mean over all members; features (B, 2 * width) are the first one's."""
        return torch.stack([self.findings(features), *(other(ecg, mask)[1] for other in self.others)]).mean(0)

    def probabilities(self, logits: Tensor, measures: Tensor) -> Tensor:
        """(B, F) logits by the signal and (B, K) measurements, NaN where there is none -> (B, F) in 0..1."""
        return torch.sigmoid(logits if self.measured is None else self.measured(measures, logits))

    def tokens(self, frames: Tensor, recorded: Tensor) -> Tensor:
        """(B, S, width): means over S equal stretches of time; S = 1 is the paper's pooled embedding."""
        weight = recorded[:, None].to(frames.dtype)
        total = nn.functional.adaptive_avg_pool1d(frames * weight, self.config.n_tokens)
        share = nn.functional.adaptive_avg_pool1d(weight, self.config.n_tokens)
        return (total / share.clamp_min(1e-6)).transpose(1, 2)

    @staticmethod
    def features(frames: Tensor, recorded: Tensor) -> Tensor:
        """(B, 2 * width): mean and maximum over the recorded time, what the findings head and retrieval look at."""
        weight = recorded[:, None].to(frames.dtype)
        mean = (frames * weight).sum(-1) / weight.sum(-1).clamp_min(1)
        peak = (frames * weight).amax(-1)  # frames are >= 0 (ReLU)
        return torch.cat([mean, peak], dim=1)
