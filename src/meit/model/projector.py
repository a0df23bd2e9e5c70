"""From what the encoder saw to ECG tokens of the language model's width: one small class a projector."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from meit.errors import ModelError
from meit.model import row_of

START_SCALE = 0.1  # ECG tokens as large as text ones blind an untrained model: the loss starts at 18 instead of 6
BETWEEN_FINDINGS = 192
QUIET = 0.3  # how loud a finding's name is where it is not there, beside where it is
BETWEEN_PAPER = 2048  # the paper's hidden layer


@dataclass(frozen=True)
class ProjectorSizes:
    """n_findings (F) and finding_tokens; n_tokens (S) and width of the encoder's; hidden and heads of the backbone."""

    n_findings: int
    finding_tokens: int
    n_tokens: int
    width: int
    hidden: int
    heads: int


class Projector(nn.Module):
    """Finding probabilities (B, F) and encoder tokens (B, S, width) -> ECG tokens (B, finding_tokens + S, hidden)."""

    def __init__(self, sizes: ProjectorSizes):
        super().__init__()
        self.sizes = sizes

    def forward(self, probabilities: Tensor, tokens: Tensor) -> Tensor:
        raise NotImplementedError


class _Placed(Projector):
    """A linear layer for encoder tokens, a learned vector for each place, and a norm that starts small."""

    def add_places(self) -> None:
        """Ends the building of a child: after its own weights, since weights are drawn in the order of their making."""
        sizes = self.sizes
        self.signal = nn.Linear(sizes.width, sizes.hidden)
        self.place = nn.Parameter(torch.randn(sizes.finding_tokens + sizes.n_tokens, sizes.hidden) * 0.02)
        self.norm = nn.LayerNorm(sizes.hidden)
        nn.init.constant_(self.norm.weight, START_SCALE)

    def placed(self, findings: list[Tensor], tokens: Tensor) -> Tensor:
        return self.norm(torch.cat([*findings, self.signal(tokens)], dim=1) + self.place)


def quarter_logits(probabilities: Tensor) -> Tensor:
    """Where rare findings differ; bounded."""
    return torch.logit(probabilities.clamp(0.003, 0.997)) / 4


class PlacedProjector(_Placed):
    """Findings through a layer more."""

    def __init__(self, sizes: ProjectorSizes):
        super().__init__(sizes)
        if sizes.finding_tokens:
            if not sizes.n_findings:
                raise ModelError("finding tokens need findings: set finding_tokens=0, or train the encoder to find")
            self.findings = nn.Sequential(
                nn.Linear(2 * sizes.n_findings, BETWEEN_FINDINGS),
                nn.GELU(),
                nn.Linear(BETWEEN_FINDINGS, sizes.finding_tokens * sizes.hidden),
            )
        self.add_places()

    def forward(self, probabilities: Tensor, tokens: Tensor) -> Tensor:
        if not self.sizes.finding_tokens:
            return self.placed([], tokens)
        flat = self.findings(torch.cat([probabilities, quarter_logits(probabilities)], dim=1))  # both scales
        return self.placed([flat.view(len(flat), self.sizes.finding_tokens, -1)], tokens)


class NamedProjector(_Placed):
    """A token for each of the most probable findings, the likeliest first; then one for each encoder token.

    Finding f of probability p in place k: the norm of p * there[f] + (1 - p) * absent[f] + logit(p) / 4 * level[f] +
    place[k]. `name` starts `there` with the backbone's own words for the finding, so that what is attended to can be
    written at once. Raises ModelError for more finding_tokens than findings, or none.
    """

    def __init__(self, sizes: ProjectorSizes):
        super().__init__(sizes)
        if not 0 < sizes.finding_tokens <= sizes.n_findings:
            raise ModelError(
                f"projector 'named' has a token for each of the most probable findings: finding_tokens must be from 1 to "
                f"the number of findings ({sizes.n_findings}), not {sizes.finding_tokens}"
            )
        self.there = nn.Parameter(torch.randn(sizes.n_findings, sizes.hidden))
        self.absent = nn.Parameter(QUIET * self.there.detach())
        self.level = nn.Parameter(QUIET * torch.randn(sizes.hidden).repeat(sizes.n_findings, 1))
        self.add_places()

    @torch.no_grad()
    def name(self, words: Tensor) -> None:
        """words (F, hidden): a vector of the backbone's for each finding, of any length. What all share is left out."""
        words = words - words.mean(0)
        self.there.copy_(words / words.pow(2).mean(1, keepdim=True).sqrt())
        self.absent.copy_(QUIET * self.there)

    def forward(self, probabilities: Tensor, tokens: Tensor) -> Tensor:
        p, found = probabilities.topk(self.sizes.finding_tokens, dim=1)
        logits, p = quarter_logits(p)[..., None], p[..., None]
        return self.placed([p * self.there[found] + (1 - p) * self.absent[found] + logits * self.level[found]], tokens)


class PaperProjector(Projector):
    """MEIT's (arXiv 2403.04945): one head's vector, of unit length, repeated over the heads.

    Linear, batch norm, ReLU, linear, batch norm; each encoder token by itself. hidden / heads is the vector's length.
    The batch norms use the batch's own statistics in training, and the running ones in eval mode, so that a draft
    does not depend on what else is drafted with it: draft in eval mode. Raises ModelError for finding tokens, which
    the paper does not have, for heads that do not divide hidden, and in training for a batch of one token.
    """

    def __init__(self, sizes: ProjectorSizes):
        super().__init__(sizes)
        if sizes.finding_tokens:
            raise ModelError("projector 'paper' has no finding tokens: set finding_tokens=0, or use projector 'placed'")
        if sizes.hidden % sizes.heads:
            raise ModelError(
                f"projector 'paper' repeats a vector over the heads, but {sizes.heads} heads do not divide "
                f"{sizes.hidden}: use projector 'placed'"
            )
        head_dim = sizes.hidden // sizes.heads
        self.head = nn.Sequential(
            nn.Linear(sizes.width, BETWEEN_PAPER),
            nn.BatchNorm1d(BETWEEN_PAPER),
            nn.ReLU(),
            nn.Linear(BETWEEN_PAPER, head_dim),
            nn.BatchNorm1d(head_dim),
        )

    def forward(self, probabilities: Tensor, tokens: Tensor) -> Tensor:
        rows = tokens.flatten(0, 1)
        if self.training and len(rows) < 2:
            raise ModelError(
                "projector 'paper' normalises over the batch, and one recording is none: raise batch_size, or lower "
                "accumulate or the number of processes"
            )
        vectors = nn.functional.normalize(self.head(rows), dim=-1)
        return vectors.repeat(1, self.sizes.heads).view(*tokens.shape[:2], -1)


PROJECTORS: dict[str, type[Projector]] = {
    "placed": PlacedProjector,
    "named": NamedProjector,
    "paper": PaperProjector,
}


def build_projector(name: str, sizes: ProjectorSizes) -> Projector:
    """The projector of that name, untrained. Raises ModelError for a name or sizes that there are not."""
    return row_of(PROJECTORS, "projector", name)(sizes)
