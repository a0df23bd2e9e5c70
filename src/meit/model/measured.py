"""What was measured on a recording, beside what the encoder sees: an additive model over both.

A convolutional encoder learns intervals and axes poorly from few recordings; meit.ecg.measure has them at once. Each
measurement becomes steps at its quantiles, and each finding gets a weight for every step: a generalised additive model
(Hastie and Tibshirani, 1986) on top of the encoder's logits. What is not measured is a step of its own.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from meit.ecg.measure import BY_LEAD, GLOBAL, measure
from meit.ecg.recording import LEADS, Recording

LOGIT_SCALE = 3.0  # a logit of this size counts as much as a step


def measure_names() -> tuple[str, ...]:
    """Every measurement by name; those of a lead as "V1 r_mv"."""
    return (*GLOBAL, *(f"{lead} {name}" for lead in LEADS for name in BY_LEAD))


def measured(ecgs: np.ndarray, masks: np.ndarray, rate: float, names: Sequence[str]) -> np.ndarray:
    """(B, n, 12) encoder inputs and masks (B, n) -> (B, K) float32, NaN where the signal does not bear it.

    The inputs are normalised, so that amplitudes are no millivolts; they are alike for recordings with and without
    an absolute scale.
    """
    values = np.full((len(ecgs), len(names)), np.nan, np.float32)
    for row, (ecg, mask) in enumerate(zip(ecgs, masks, strict=True) if names else ()):
        signal = np.where(np.asarray(mask, bool)[:, None], ecg, np.nan).astype(np.float32)
        found = measure(Recording("", signal, rate))
        for column, name in enumerate(names):
            lead, _, of_lead = name.rpartition(" ")
            value = (found.lead(lead, of_lead) if lead else found[name]).value
            if value is not None:
                values[row, column] = value
    return values


class MeasuredHead(nn.Module):
    """Measurements (B, K), NaN where there is none, and finding logits (B, F) -> finding logits (B, F)."""

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
