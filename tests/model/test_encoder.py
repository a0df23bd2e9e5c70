"""The encoders: the paper's ResNet-50, what is not recorded, and configurations that there are not."""

import numpy as np
import pytest
import torch
from torch import nn

from meit.ecg.signal.normalising import NORMALISATIONS
from meit.errors import ModelError
from meit.model.encoders.encoder import ENCODERS, NORMALISED, EcgEncoder, EncoderConfig


def small(**changes) -> EncoderConfig:
    return EncoderConfig(**{"findings": ("NORM", "AFIB"), "widths": (8, 8, 8, 8)} | changes)


@pytest.fixture(scope="module")
def resnet50() -> EcgEncoder:
    torch.manual_seed(0)
    return EcgEncoder(EncoderConfig(findings=(), shape="resnet50")).eval()


def resnet50_parameters() -> int:
    """Of He et al. (2016), table 1, column 50, reckoned: 3 samples instead of 3 x 3, 12 leads instead of 3 colours."""
    total, n_in = 12 * 64 * 7 + 2 * 64, 64
    for narrow, blocks in ((64, 3), (128, 4), (256, 6), (512, 3)):
        wide = 4 * narrow
        total += n_in * wide + 2 * wide  # the short cut of the stage's first block
        for _ in range(blocks):
            total += n_in * narrow + 3 * narrow * narrow + narrow * wide + 2 * (narrow + narrow + wide)
            n_in = wide
    return total


@torch.no_grad()
def test_resnet50_has_the_paper_s_shape(resnet50):
    config = resnet50.config
    assert (config.n_samples, config.rate, config.width, config.n_tokens) == (5000, 500, 2048, 1)
    parameters = sum(parameter.numel() for parameter in resnet50.parameters())
    assert parameters == resnet50_parameters() == 15_959_168
    assert sum(isinstance(module, nn.Conv1d) for module in resnet50.modules()) == 49 + 4  # and the linear layer is 50
    tokens, logits = resnet50(torch.randn(2, 5000, 12), torch.ones(2, 5000))
    assert tokens.shape == (2, 1, 2048) and logits.shape == (2, 0)
    frames, recorded = resnet50.frames(torch.randn(1, 5000, 12), torch.ones(1, 5000))
    assert frames.shape == (1, 2048, 157) and recorded.all()


@pytest.mark.parametrize("shape", ENCODERS)
@torch.no_grad()
def test_what_is_not_recorded_does_not_matter_not_even_nan(shape):
    torch.manual_seed(1)
    encoder = EcgEncoder(small(shape=shape, widths=(16,) * len(ENCODERS[shape].widths))).eval()
    ecg, mask = torch.randn(2, encoder.config.n_samples, 12), torch.ones(2, encoder.config.n_samples)
    mask[:, encoder.config.n_samples // 2 :] = 0
    silent, torn = ecg * mask[:, :, None], ecg.masked_fill(mask[:, :, None] == 0, torch.nan)
    for whole, other in zip(encoder(silent, mask), encoder(torn, mask.bool()), strict=True):
        assert whole.isfinite().all() and torch.equal(whole, other)


@torch.no_grad()
def test_nothing_recorded_is_no_nan():
    encoder = EcgEncoder(small(n_tokens=3)).eval()
    tokens, logits = encoder(torch.full((1, 1000, 12), torch.nan), torch.zeros(1, 1000))
    assert torch.equal(tokens, torch.zeros(1, 3, 8)) and logits.isfinite().all()


@torch.no_grad()
def test_one_token_is_the_mean_over_what_is_recorded():
    torch.manual_seed(2)
    encoder = EcgEncoder(small()).eval()
    ecg, mask = torch.randn(1, 1000, 12), torch.ones(1, 1000)
    mask[:, 600:] = 0
    frames, recorded = encoder.frames(ecg, mask)
    assert 0 < recorded.sum() < frames.shape[-1]
    assert torch.allclose(encoder.tokens(frames, recorded)[0, 0], frames[0, :, recorded[0]].mean(1), atol=1e-6)


def test_a_configuration_says_everything_and_keeps_what_it_is_told():
    config = EncoderConfig(findings=(), shape="resnet50", rate=250)
    assert (config.rate, config.seconds, config.widths) == (250, 10, (256, 512, 1024, 2048))
    assert EncoderConfig(findings=()).n_samples == 1000


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"shape": "resnet18"}, "encoder 'resnet18' is not known; known are plain, small, resnet50"),
        ({"normalisation": "z"}, "normalisation 'z' is not known; known are " + ", ".join(NORMALISED)),
    ],
)
def test_an_unknown_name_is_refused(changes, says):
    with pytest.raises(ModelError, match=says):
        small(**changes)


def test_the_words_of_a_normalisation_belong_to_its_numbers():
    """Who changes what a normalisation does changes NORMALISED with it, or models are fed what they were not trained on."""
    time = np.arange(1000) / 100
    signal = np.stack([np.sin((lead + 1) * time) + 0.1 * lead * np.cos(9 * time) for lead in range(12)], axis=1)
    numbers = {
        name: [float(f(signal, 100.0, "mV")[n, 6]) for n in (100, 500, 900)] for name, f in NORMALISATIONS.items()
    }
    assert numbers.keys() == NORMALISED.keys()
    assert numbers["band"] == pytest.approx([0.17552, -0.14369, 0.7739], abs=1e-4)
    assert numbers["min-max"] == pytest.approx([0.52693, 0.47241, 0.65464], abs=1e-4)
