"""The findings of a recording: several encoders, what was measured, and the threshold that says what is written.

A convolutional encoder learns intervals and axes poorly from few recordings; meit.ecg.measure has them at once. Each
measurement becomes steps at its quantiles, and each finding gets a weight for every step: a generalised additive model
(Hastie and Tibshirani, 1986) on top of the encoders' logits. What is not measured is a step of its own.
"""

import numpy as np
import torch
from torch import Tensor, nn

from meit.model.encoder import EcgEncoder, Encoded, EncoderConfig

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


class Ensemble(nn.Module):
    """What reads an ECG: an encoder, `others` whose logits are averaged with its own, and the measured head.

    The others are encoders that each left out a part of the training patients (bagging; Breiman, 1996). Tokens and
    features are the first encoder's alone.
    """

    def __init__(self, config: EncoderConfig):
        super().__init__()
        self.config = config
        self.encoder = EcgEncoder(config)
        self.measured: MeasuredHead | None = None
        if config.measures:
            self.measured = MeasuredHead(len(config.measures), config.measure_steps, len(config.findings))
        self.others = nn.ModuleList(EcgEncoder(config) for _ in range(config.members - 1))

    def encode(self, ecg: Tensor, mask: Tensor, measures: Tensor | None = None) -> Encoded:
        """(B, n_samples, 12), (B, n_samples), and measurements (B, K), NaN where there is none; None: by the signal
        alone."""
        frames, recorded = self.encoder.frames(ecg, mask)
        features = self.encoder.features(frames, recorded)
        logits = self.logits(ecg, mask, features)
        return Encoded(self.probabilities(logits, measures), self.encoder.tokens(frames, recorded), features)

    def logits(self, ecg: Tensor, mask: Tensor, features: Tensor) -> Tensor:
        """(B, F) by the signal alone, the mean over all members; features (B, 2 * width) are the first one's."""
        return torch.stack([self.encoder.logits(features), *(other(ecg, mask)[1] for other in self.others)]).mean(0)

    def probabilities(self, logits: Tensor, measures: Tensor | None = None) -> Tensor:
        """(B, F) logits by the signal and (B, K) measurements, NaN where there is none -> (B, F) in 0..1."""
        return torch.sigmoid(logits if self.measured is None or measures is None else self.measured(measures, logits))


def as_planned(probabilities: Tensor, plan: float) -> Tensor:
    """(B, F) in 0..1 -> 1 for what is to be written, else 0; the probabilities themselves where there is no plan (0)."""
    return (probabilities >= plan).to(probabilities.dtype) if plan else probabilities
