"""The encoder's own layers beside PyTorch's, whose weights and results are theirs."""

import pytest
import torch
from torch import nn

from meit.model.encoders.layers import TABLE, Convolution, RectifiedDropout, normal_noise, weights_side_by_side


def channels_last(batch: int, channels: int, n: int) -> torch.Tensor:
    return torch.randn(batch, n, channels).transpose(1, 2).unsqueeze(2)


@pytest.mark.parametrize(("kernel", "stride", "n"), [(7, 1, 63), (7, 2, 125), (15, 2, 100), (1, 1, 20)])
def test_a_convolution_is_pytorch_s(kernel, stride, n):
    ours = Convolution(12, 16, kernel, stride, kernel // 2, bias=False)
    theirs = nn.Conv1d(12, 16, kernel, stride, kernel // 2, bias=False)
    theirs.load_state_dict(ours.state_dict())
    x = channels_last(3, 12, n)
    assert torch.allclose(ours(x).squeeze(2), theirs(x.squeeze(2)), atol=1e-5)
    with weights_side_by_side(nn.Sequential(ours)):
        assert not ours.weight.is_contiguous() or kernel == 1
        y = ours(x)
        y.square().sum().backward()
    theirs(x.squeeze(2)).square().sum().backward()
    assert ours.weight.is_contiguous() and torch.equal(ours.weight, theirs.weight)
    assert torch.allclose(ours.weight.grad, theirs.weight.grad, rtol=1e-3, atol=1e-3)


def test_dropout_drops_its_share_and_lets_no_gradient_through_there():
    layer, x = RectifiedDropout(0.2), channels_last(8, 48, 250).requires_grad_()
    y = layer(x)
    y.sum().backward()
    passed = x > 0
    share = (y[passed] == 0).float().mean().item()
    assert share == pytest.approx(0.2, abs=0.01)
    assert torch.allclose(y[y > 0], x[y > 0] / 0.8) and not y[~passed].any()
    assert torch.allclose(x.grad, (y > 0) / 0.8)
    assert torch.equal(layer.eval()(x), torch.relu(x))


def test_dropout_differs_from_step_to_step_and_follows_the_seed():
    layer, x = RectifiedDropout(0.5), channels_last(2, 16, 50).abs()
    torch.manual_seed(7)
    first, second = layer(x), layer(x)
    torch.manual_seed(7)
    assert torch.equal(layer(x), first) and not torch.equal(first, second)


def test_more_than_the_table_holds_is_drawn_anew():
    drawn = normal_noise(TABLE, torch.Generator().manual_seed(0), torch.device("cpu"))
    assert drawn.shape == (TABLE,)
    assert not torch.equal(drawn[:1000], normal_noise(1000, torch.Generator().manual_seed(0), torch.device("cpu")))
    dropped = RectifiedDropout(0.5)(torch.ones(1, 1, 1, TABLE)) == 0
    assert dropped.float().mean().item() == pytest.approx(0.5, abs=0.01)
