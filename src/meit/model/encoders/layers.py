"""Layers of the ECG encoder that are fast on a processor, and name their weights as PyTorch's one-dimensional ones do.

They work on (B, C, 1, T) whose channels lie side by side in memory, as the leads of a recording do. oneDNN's convolutions
then reach 110 to 130 GFLOPS on a core that reaches 80 to 100 with the time side by side, and a third of that at the
stem and at strides.

PyTorch draws random numbers on one core, a normal one in 20 ns and one for dropout in 8, which together is a fifth of a
step of pre-training. On a processor they are therefore read from tables, which are drawn once and always alike, at a
place that is drawn each time; so the state of the generator, which a checkpoint keeps, is all that a run goes on from.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

import torch
from torch import Tensor, nn

TABLE = 1 << 22  # numbers; a layer's of a batch of 32 are a tenth of them


class Convolution(nn.Conv1d):
    """Over time: (B, C_in, 1, T) -> (B, C_out, 1, T / stride)."""

    def forward(self, x: Tensor) -> Tensor:
        weight = self.weight.unsqueeze(2)
        stride, padding = (1, *self.stride), (0, int(self.padding[0]))
        return nn.functional.conv2d(x, weight, self.bias, stride, padding)


class RectifiedDropout(nn.Dropout):
    """nn.ReLU, then nn.Dropout; (B, C, 1, T) -> the same. On a processor what is dropped is read from a table."""

    def forward(self, x: Tensor) -> Tensor:
        dense = x.is_contiguous(memory_format=torch.channels_last) or x.is_contiguous()
        if self.training and self.p > 0 and x.device.type == "cpu" and dense and 2 * x.numel() <= TABLE:
            # a stand-in without numbers (meit.training.memory) gets a stand-in
            drawn = dropout_factors(x.numel(), self.p).as_strided(x.shape, x.stride()) if type(x) is Tensor else x
            return _RectifiedDropout.apply(x, drawn, 1 / (1 - self.p))
        return super().forward(torch.relu(x))


class _RectifiedDropout(torch.autograd.Function):
    """What is dropped need not be remembered: it is 0, as what the rectifier stops, and lets no gradient through."""

    @staticmethod
    def forward(context, x: Tensor, factors: Tensor, scale: float) -> Tensor:  # type: ignore[override]
        out = x.clamp_min(0).mul_(factors)
        context.save_for_backward(out)
        context.scale = scale
        return out

    @staticmethod
    def backward(context, gradient: Tensor):  # type: ignore[override]
        (out,) = context.saved_tensors
        return torch.ops.aten.threshold_backward(gradient, out, 0).mul_(context.scale), None, None


@contextmanager
def weights_side_by_side(network: nn.Module) -> Iterator[None]:
    """Lays the convolutions' weights in memory as their layers read them, which otherwise happens at every step."""
    convolutions = [module for module in network.modules() if isinstance(module, Convolution)]
    for convolution in convolutions:
        weight = convolution.weight.data
        convolution.weight.data = weight.transpose(1, 2).contiguous().transpose(1, 2)
    try:
        yield
    finally:
        for convolution in convolutions:
            convolution.weight.data = convolution.weight.data.contiguous()


def dropout_factors(count: int, dropped: float) -> Tensor:
    """(count,) factors of dropout, 0 for the share that is dropped; from the table, which is to hold many more."""
    return _from(_factors(dropped), count, None)


def normal_noise(count: int, generator: torch.Generator, device: torch.device) -> Tensor:
    """(count,) of mean 0 and standard deviation 1, on the generator's device; of the processor, from the table."""
    if device.type != "cpu" or 2 * count > TABLE:
        return torch.randn(count, generator=generator, device=device)
    return _from(_normal(), count, generator)


def _from(table: Tensor, count: int, generator: torch.Generator | None) -> Tensor:
    start = int(torch.randint(len(table) - count, (), generator=generator))
    return table[start : start + count]


@lru_cache(maxsize=4)
def _factors(dropped: float) -> Tensor:
    drawn = torch.rand(TABLE, generator=torch.Generator().manual_seed(0))
    return (drawn >= dropped).float() / (1 - dropped)


@lru_cache(maxsize=1)
def _normal() -> Tensor:
    return torch.randn(TABLE, generator=torch.Generator().manual_seed(1))
