"""The ECG encoder: one 1-D residual network that turns a normalised recording into tokens and finding logits.

Residual blocks after He et al. (2016) in one dimension, as is usual for ECGs (Ribeiro et al., Nature Communications
11, 1760, 2020). MEIT (arXiv 2403.04945, section 3) pools the recording into one embedding, S = 1; S > 1 keeps time.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor, nn

from meit.ecg.measure.measured_inputs import INPUT
from meit.ecg.recording import LEADS
from meit.ecg.signal.normalising import CLIP, HIGH_HZ, LOW_HZ
from meit.model import row_of
from meit.model.encoders.layers import Convolution, RectifiedDropout


class BasicBlock(nn.Module):
    """Two convolutions and a short cut; (B, C_in, 1, T) -> (B, C_out, 1, T / stride)."""

    def __init__(self, n_in: int, n_out: int, stride: int, kernel: int, dropout: float):
        super().__init__()
        same = kernel // 2
        self.body = nn.Sequential(
            Convolution(n_in, n_out, kernel, stride, same, bias=False),
            nn.BatchNorm2d(n_out),
            nn.Identity(),  # keeps the numbers by which weights are named
            RectifiedDropout(dropout),
            Convolution(n_out, n_out, kernel, 1, same, bias=False),
            nn.BatchNorm2d(n_out),
        )
        self.short_cut: nn.Module = nn.Identity()
        if stride > 1 or n_in != n_out:
            self.short_cut = nn.Sequential(
                nn.AvgPool2d((1, stride), ceil_mode=True), Convolution(n_in, n_out, 1, bias=False)
            )

    def forward(self, x: Tensor) -> Tensor:
        return self.body(x).add_(self.short_cut(x)).relu_()


class Bottleneck(nn.Module):
    """Convolutions of width 1, `kernel` and 1 through a quarter of the channels; (B, C_in, 1, T) -> as BasicBlock."""

    def __init__(self, n_in: int, n_out: int, stride: int, kernel: int, dropout: float):
        super().__init__()
        narrow = n_out // 4
        self.body = nn.Sequential(
            Convolution(n_in, narrow, 1, bias=False),
            nn.BatchNorm2d(narrow),
            nn.ReLU(inplace=True),
            Convolution(narrow, narrow, kernel, stride, kernel // 2, bias=False),
            nn.BatchNorm2d(narrow),
            nn.Identity(),  # keeps the numbers by which weights are named
            RectifiedDropout(dropout),
            Convolution(narrow, n_out, 1, bias=False),
            nn.BatchNorm2d(n_out),
        )
        self.short_cut: nn.Module = nn.Identity()
        if stride > 1 or n_in != n_out:
            self.short_cut = nn.Sequential(Convolution(n_in, n_out, 1, stride, bias=False), nn.BatchNorm2d(n_out))

    def forward(self, x: Tensor) -> Tensor:
        return self.body(x).add_(self.short_cut(x)).relu_()


class PlainBlock(nn.Sequential):
    """One convolution that strides by 2, and a mean over what is left of the stride; (B, C_in, 1, T) -> as BasicBlock."""

    def __init__(self, n_in: int, n_out: int, stride: int, kernel: int, dropout: float):
        super().__init__(
            Convolution(n_in, n_out, kernel, 2, kernel // 2, bias=False),
            nn.BatchNorm2d(n_out),
            nn.ReLU(inplace=True),
            nn.AvgPool2d((1, stride // 2)),
        )


@dataclass(frozen=True)
class EncoderShape:
    """One row of ENCODERS. widths, blocks, strides, kernels: of its stages; stem: the first convolution's kernel, 0 where
    the stages begin at once.

    rate (Hz) and seconds: of the input that it was made for. dropout: in its blocks and before the findings.
    """

    block: Callable[[int, int, int, int, float], nn.Module]
    widths: tuple[int, ...]
    blocks: tuple[int, ...]
    strides: tuple[int, ...]
    stem: int
    pooled_stem: bool  # whether a maximum over 3 samples, stride 2, follows the stem
    kernels: tuple[int, ...]
    dropout: float
    rate: float
    seconds: float


ENCODERS: dict[str, EncoderShape] = {
    # 140,000 weights: three convolutions, which learn from few recordings what deeper ones need many for
    "plain": EncoderShape(PlainBlock, (48, 96, 128), (1, 1, 1), (4, 4, 2), 0, False, (15, 9, 7), 0.2, 100.0, 10.0),
    # 1.6 million
    "small": EncoderShape(
        BasicBlock, (48, 64, 128, 192), (2, 2, 2, 2), (2, 2, 2, 2), 15, False, (7,) * 4, 0.2, 100.0, 10.0
    ),
    # the paper's: ResNet-50 (He et al., 2016, table 1) with every 3 x 3 convolution one of 3 samples, on 12 x 5000
    "resnet50": EncoderShape(
        Bottleneck, (256, 512, 1024, 2048), (3, 4, 6, 3), (1, 2, 2, 2), 7, True, (3,) * 4, 0.0, 500.0, 10.0
    ),
}


FRAMES, FINDINGS = "frames", "findings"  # what ECG tokens are made of
NORMALISED = {  # what each normalisation (meit.ecg.signal.normalising) does; kept with a model, compared on loading
    "band": f"{LOW_HZ:g}-{HIGH_HZ:g} Hz; chest leads by own deviation; limb leads by one common deviation; at most {CLIP:g}",
    "min-max": "the recording's least value to 0, its greatest to 1",
}


@dataclass(frozen=True)
class EncoderConfig:
    """Everything that fixes what reads the ECG. shape: a row of ENCODERS, which also says what stands here as 0 or ().

    findings: names of the outputs of the findings head; none where nobody trains it to find. rate, seconds: of the
    input. normalisation: its row of meit.ecg.signal.normalising. n_tokens: the paper's S. widths: of the four stages.
    Raises ModelError for a shape or normalisation that is not known.
    """

    findings: tuple[str, ...]
    shape: str = "small"
    rate: float = 0.0
    seconds: float = 0.0
    normalisation: str = "band"
    widths: tuple[int, ...] = ()
    n_tokens: int = 1
    measures: tuple[str, ...] = ()  # of measured_inputs.measure_names, which the findings take into account
    measured_on: str = INPUT  # or RECORDING, which has millivolts, and may give the median beat too
    measure_steps: int = 5
    targets: str = "codes"  # what the findings are: a key of meit.training.targets.TARGETS
    members: int = 1  # networks whose finding logits are averaged; features are the first one's
    beats: int = 0  # networks of the median beat, whose logits join
    tokens_of: str = FRAMES  # of the first network; or FINDINGS: the members' logits in each stretch of time

    def __post_init__(self) -> None:
        row = row_of(ENCODERS, "encoder", self.shape)
        row_of(NORMALISED, "normalisation", self.normalisation)
        for name in ("rate", "seconds", "widths"):
            object.__setattr__(self, name, getattr(self, name) or getattr(row, name))

    @property
    def n_samples(self) -> int:
        return round(self.rate * self.seconds)

    @property
    def width(self) -> int:
        return self.widths[-1]

    @property
    def token_width(self) -> int:
        return len(self.findings) if self.tokens_of == FINDINGS else self.width


class Encoded(NamedTuple):
    """Of N recordings: finding probabilities (N, F), tokens (N, S, token_width), retrieval features (N, 2 * width)."""

    probabilities: Tensor
    tokens: Tensor
    features: Tensor


class EcgEncoder(nn.Module):
    """(B, n_samples, 12) normalised ECG and (B, n_samples) mask -> tokens (B, S, width), finding logits (B, F).

    What a config says of measurements and further members is meit.model.encoders.findings.Ensemble's, whose parts these are.
    """

    def __init__(self, config: EncoderConfig):
        super().__init__()
        self.config = config
        row = ENCODERS[config.shape]
        layers: list[nn.Module] = []
        n_in = len(LEADS)
        if row.stem:
            first = config.widths[0] // 4 if row.pooled_stem else config.widths[0]
            layers += [
                Convolution(n_in, first, row.stem, 2, row.stem // 2, bias=False),
                nn.BatchNorm2d(first),
                nn.ReLU(inplace=True),
            ]
            n_in = first
        if row.pooled_stem:
            layers.append(nn.MaxPool2d((1, 3), (1, 2), (0, 1)))
        for width, blocks, stride, kernel in zip(config.widths, row.blocks, row.strides, row.kernels, strict=True):
            for block in range(blocks):
                layers.append(row.block(n_in, width, stride if block == 0 else 1, kernel, row.dropout))
                n_in = width
        self.body = nn.Sequential(*layers)
        self.findings: nn.Sequential | None = None
        if config.findings:
            self.findings = nn.Sequential(nn.Dropout(row.dropout), nn.Linear(2 * config.width, len(config.findings)))

    def forward(self, ecg: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        frames, recorded = self.frames(ecg, mask)
        return self.tokens(frames, recorded), self.logits(self.features(frames, recorded))

    def encode(self, ecg: Tensor, mask: Tensor, measures: Tensor | None = None) -> Encoded:
        """All that one network gives; it knows of no measurements."""
        frames, recorded = self.frames(ecg, mask)
        features = self.features(frames, recorded)
        return Encoded(torch.sigmoid(self.logits(features)), self.tokens(frames, recorded), features)

    def frames(self, ecg: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Feature frames (B, width, T') and which of them saw any recorded sample (B, T')."""
        shown = ecg.masked_fill(~mask.bool()[:, :, None], 0.0)  # whatever stands there, NaN too
        frames = self.body(shown.transpose(1, 2).unsqueeze(2)).squeeze(2)
        recorded = nn.functional.adaptive_max_pool1d(mask[:, None].to(frames.dtype), frames.shape[-1])[:, 0] > 0
        return frames, recorded

    def find(self, ecg: Tensor, mask: Tensor) -> Tensor:
        """Finding logits (B, F)."""
        return self.logits(self.features(*self.frames(ecg, mask)))

    def logits(self, features: Tensor) -> Tensor:
        """Features (B, 2 * width) -> (B, F); (B, 0) where nobody trains it to find."""
        return features[:, :0] if self.findings is None else self.findings(features)

    def tokens(self, frames: Tensor, recorded: Tensor) -> Tensor:
        """(B, S, token_width), of S equal stretches of time: means of the frames, of which S = 1 is the paper's pooled
        embedding, or finding logits."""
        if self.config.tokens_of == FINDINGS:
            return self._stretches(frames, recorded)
        weight = recorded[:, None].to(frames.dtype)
        total = nn.functional.adaptive_avg_pool1d(frames * weight, self.config.n_tokens)
        share = nn.functional.adaptive_avg_pool1d(weight, self.config.n_tokens)
        return (total / share.clamp_min(1e-6)).transpose(1, 2)

    def _stretches(self, frames: Tensor, recorded: Tensor) -> Tensor:
        """(B, S, F): what the findings head says of each stretch by itself; 0 where nothing of it is recorded."""
        edges = torch.linspace(0, frames.shape[-1], self.config.n_tokens + 1).round().int().tolist()
        logits = []
        for start, stop in pairwise(edges):
            seen = recorded[:, start:stop]
            part = self.logits(self.features(frames[..., start:stop], seen))
            logits.append(part * seen.any(1)[:, None])
        return torch.stack(logits, dim=1)

    @staticmethod
    def features(frames: Tensor, recorded: Tensor) -> Tensor:
        """(B, 2 * width): mean and maximum over the recorded time, what the findings head and retrieval look at."""
        weight = recorded[:, None].to(frames.dtype)
        mean = (frames * weight).sum(-1) / weight.sum(-1).clamp_min(1)
        peak = (frames * weight).amax(-1)  # frames are >= 0 (ReLU)
        return torch.cat([mean, peak], dim=1)
