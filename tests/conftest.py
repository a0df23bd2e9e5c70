"""Shared by the tests: where real data lie, and a tiny model over a tiny LLaMA with random weights."""

from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
SHARED = REPOSITORY.parent / "shared" / "data"


@pytest.fixture(scope="session")
def shared() -> Path:
    if not SHARED.is_dir():
        pytest.skip("the shared real recordings are not on this machine")
    return SHARED


@pytest.fixture(scope="session")
def example() -> Path:
    return REPOSITORY / "examples" / "ptb-xl" / "00195_hr"


@pytest.fixture(scope="session")
def tiny_backbone(tmp_path_factory) -> Path:
    """A LLaMA of two layers with random weights, and a byte-level tokenizer, saved as transformers saves them."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    folder = tmp_path_factory.mktemp("backbone")
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    words = Tokenizer(models.BPE(vocab={"<eos>": 0, **{c: i + 1 for i, c in enumerate(alphabet)}}, merges=[]))
    words.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    words.decoder = decoders.ByteLevel()
    PreTrainedTokenizerFast(tokenizer_object=words, eos_token="<eos>").save_pretrained(folder)
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=257,
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        bos_token_id=None,
        eos_token_id=0,
        pad_token_id=0,
        initializer_range=0.2,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def simulated(tmp_path_factory):
    """Thirty simulated recordings of two kinds, fast and slow, whose reports say which; three of each fold."""
    from collections import Counter

    import numpy as np

    from meit.data.shards import Example, Report, write_shards

    folder = tmp_path_factory.mktemp("simulated")
    rng = np.random.default_rng(0)
    examples = []
    for number in range(30):
        fast = number % 2
        time = np.arange(1000) / 100
        beat = np.exp(-(((time * (2.5 if fast else 1.0)) % 1 - 0.5) ** 2) / 0.002)
        signal = (beat[:, None] * rng.uniform(0.5, 1.5, 12) + rng.normal(0, 0.02, (1000, 12))).astype(np.float32)
        report = Report(
            str(number), str(number), 1 + number // 3, "fast" if fast else "slow", "", "en", 1.0,
            {"STACH" if fast else "SBRAD": 100.0},
        )  # fmt: skip
        examples.append(Example(report, signal, 100.0, "mV"))
    write_shards(folder, examples, [example.report for example in examples], Counter(), {"source": "simulated"})
    return folder


@pytest.fixture
def tiny_model(tiny_backbone):
    """An untrained ReportModel in evaluation mode, its adapter filled with noise so that it matters."""
    import torch

    from meit.model import backbones
    from meit.model.encoder import EncoderConfig
    from meit.model.report_model import ModelConfig, ReportModel, lora_backbone

    torch.manual_seed(1)
    backbone, tokenizer = backbones.load(str(tiny_backbone), torch.float32)
    config = ModelConfig(
        name="tiny",
        version="0",
        encoder=EncoderConfig(findings=("NORM", "AFIB"), widths=(8, 8, 8, 8), n_tokens=3),
        hidden=32,
        finding_tokens=2,
        lora_rank=4,
        lora_alpha=8,
        backbone=str(tiny_backbone),
        backbone_sha256=backbones.fingerprint(backbone),
    )
    model = ReportModel(config, lora_backbone(backbone, 4, 8, 0.0), tokenizer)
    for name, value in model.named_parameters():
        if "lora_B" in name:
            value.data.normal_(0, 0.3)
    model.projector.norm.weight.data.fill_(1.0)  # ECG tokens as large as text: their effect is plain to see
    return model.eval()
