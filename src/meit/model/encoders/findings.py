"""The findings of a recording: several encoders, what was measured, and the threshold that says what is written.

A convolutional encoder learns intervals and axes poorly from few recordings; meit.ecg.measure has them at once. Each
measurement becomes steps at its quantiles, and each finding gets a weight for every step: a generalised additive model
(Hastie and Tibshirani, 1986) on top of the encoders' logits. What is not measured is a step of its own.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from meit.ecg.measure.measured_inputs import n_numbers
from meit.ecg.recording import LEADS
from meit.ecg.signal.normalising import CLIP
from meit.model.encoders.encoder import FINDINGS, EcgEncoder, Encoded, EncoderConfig
from meit.model.encoders.layers import Convolution

LEAST_MV = 0.005  # of a lead's root mean square: a flat lead is not blown up
LOG_TYPICAL = -1.5  # logarithm of a usual lead's root mean square in mV
LOGIT_SCALE = 3.0  # a logit of this size counts as much as a step


class MeasuredHead(nn.Module):
    """Measurements (B, K), NaN where there is none, and finding logits (B, F) -> finding logits (B, F)."""

    edges: Tensor

    def __init__(self, n_measures: int, n_steps: int, n_findings: int, dropout: float = 0.3):
        super().__init__()
        self.register_buffer("edges", torch.full((n_measures, n_steps), torch.inf))
        self.dropout = nn.Dropout(dropout)
        self.weights = nn.Linear(n_measures * (n_steps + 1) + n_findings, n_findings)
        nn.init.zeros_(self.weights.weight)
        nn.init.zeros_(self.weights.bias)

    def set_edges(self, measures: np.ndarray) -> None:
        """Steps at the quantiles of measurements (N, K); those never measured get none."""
        n_steps = self.edges.shape[1]
        shares = np.linspace(0, 1, n_steps + 2)[1:-1]
        for row, column in enumerate(measures.T):
            known = column[np.isfinite(column)]
            edges = np.unique(np.quantile(known, shares)) if len(known) else np.zeros(0)
            self.edges[row] = torch.inf
            # rounded as they will be saved, so that a loaded model decides alike
            self.edges[row, : len(edges)] = torch.tensor(edges).to(torch.bfloat16).float()

    def inputs(self, measures: Tensor, logits: Tensor) -> Tensor:
        known = torch.isfinite(measures)
        steps = (measures[..., None] >= self.edges) & known[..., None]
        parts = (steps.flatten(1).to(logits.dtype), (~known).to(logits.dtype), logits / LOGIT_SCALE)
        return torch.cat(parts, dim=1)

    def forward(self, measures: Tensor, logits: Tensor) -> Tensor:
        return logits + self.weights(self.dropout(self.inputs(measures, logits)))


class BeatEncoder(nn.Module):
    """The median beat of all leads -> finding logits: three convolutions, and two layers over the places of a beat.

    Its input has no noise and stands still, so it learns shapes and voltages from few recordings; of the rhythm it sees
    nothing.
    """

    WIDTH, PLACES, HIDDEN = 48, 11, 128

    def __init__(self, n_findings: int):
        super().__init__()
        width, n_leads = self.WIDTH, len(LEADS)
        layers: list[nn.Module] = []
        for n_in, kernel, stride in ((n_leads, 9, 1), (width, 7, 2), (width, 5, 2)):
            layers += [
                Convolution(n_in, width, kernel, stride, kernel // 2, bias=False),
                nn.BatchNorm2d(width),
                nn.ReLU(),
            ]
        self.body = nn.Sequential(*layers, nn.AdaptiveAvgPool2d((1, self.PLACES)), nn.Flatten())
        self.findings = nn.Sequential(
            nn.Dropout(0.3),
            nn.Linear(width * self.PLACES + n_leads + 1, self.HIDDEN),
            nn.BatchNorm1d(self.HIDDEN),
            nn.ReLU(),
            nn.Dropout(0.3),
            nn.Linear(self.HIDDEN, n_findings),
        )

    @staticmethod
    def inputs(columns: Tensor) -> tuple[Tensor, Tensor]:
        """(B, BEAT_COLUMNS) of meit.ecg.measure.measured_inputs -> shapes (B, BEAT_SAMPLES, 12), scales (B, 13).

        Shapes: each chest lead over its own root mean square, the limb leads over that of I, II and III together, since
        their ratio is the axis; 0 where there is no beat. Scales: logarithms of what was divided by, in mV, and whether
        that is known, else all 0.
        """
        beats = columns[:, 1:].view(len(columns), -1, len(LEADS))
        known = columns[:, :1].nan_to_num() * torch.isfinite(beats).flatten(1).any(1)[:, None]
        beats = beats.nan_to_num()
        power = beats.square().mean(1)
        power[:, :6] = power[:, :3].mean(1, keepdim=True)
        scale = power.sqrt().clamp_min(LEAST_MV)
        shapes = (beats / scale[:, None]).clamp(-CLIP, CLIP)
        return shapes, torch.cat([(torch.log(scale) - LOG_TYPICAL) * known, known], dim=1)

    def find(self, shapes: Tensor, scales: Tensor) -> Tensor:
        """Finding logits (B, F)."""
        return self(shapes, scales)

    def forward(self, shapes: Tensor, scales: Tensor) -> Tensor:
        return self.findings(torch.cat([self.body(shapes.transpose(1, 2).unsqueeze(2)), scales], dim=1))


class Ensemble(nn.Module):
    """What reads an ECG: an encoder, `others` and `beats` whose logits are averaged with its own, and the measured head.

    The others are encoders that each left out a part of the training patients (bagging; Breiman, 1996), and so are
    those of the median beat, but one. Features are the first encoder's alone, and tokens where they are its frames.
    """

    def __init__(self, config: EncoderConfig):
        super().__init__()
        self.config = config
        self.encoder = EcgEncoder(config)
        self.measured: MeasuredHead | None = None
        if config.measures:
            count = n_numbers(config.measures)
            self.measured = MeasuredHead(count, config.measure_steps, len(config.findings))
        self.others = nn.ModuleList(EcgEncoder(config) for _ in range(config.members - 1))
        self.beats = nn.ModuleList(BeatEncoder(len(config.findings)) for _ in range(config.beats))

    def encode(self, ecg: Tensor, mask: Tensor, measures: Tensor | None = None) -> Encoded:
        """(B, n_samples, 12), (B, n_samples), and measurements (B, K), NaN where there is none; None: by the signal
        alone."""
        frames, recorded = self.encoder.frames(ecg, mask)
        features = self.encoder.features(frames, recorded)
        logits, tokens = [self.encoder.logits(features)], [self.encoder.tokens(frames, recorded)]
        for other in self.others:
            of_other = other(ecg, mask)
            tokens.append(of_other[0])
            logits.append(of_other[1])
        if self.config.tokens_of == FINDINGS:
            tokens = [torch.stack(tokens).mean(0)]
        return Encoded(self.probabilities(self.joined(logits, measures), measures), tokens[0], features)

    def joined(self, logits: Sequence[Tensor], measures: Tensor | None) -> Tensor:
        """(B, F) of each network of the signal -> (B, F), their mean with those of the median beat, where there is one."""
        total, count = torch.stack(list(logits)).sum(0), len(logits)
        if measures is None or not self.beats:
            return total / count
        columns = measures[:, n_numbers(self.config.measures) :]
        there = torch.isfinite(columns[:, 1:]).any(1)[:, None].to(total.dtype)
        of_beat = torch.stack([network(*BeatEncoder.inputs(columns)) for network in self.beats]).sum(0)
        return (total + of_beat * there) / (count + len(self.beats) * there)

    def probabilities(self, logits: Tensor, measures: Tensor | None = None) -> Tensor:
        """(B, F) logits by the networks and (B, K) measurements, NaN where there is none -> (B, F) in 0..1."""
        if self.measured is None or measures is None:
            return torch.sigmoid(logits)
        return torch.sigmoid(self.measured(measures[:, : n_numbers(self.config.measures)], logits))


def as_planned(probabilities: Tensor, plan: float) -> Tensor:
    """(B, F) in 0..1 -> 1 for what is to be written, else 0; the probabilities themselves where there is no plan (0)."""
    return (probabilities >= plan).to(probabilities.dtype) if plan else probabilities
