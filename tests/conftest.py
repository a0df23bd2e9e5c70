"""Shared by the tests: where real data lie, and a tiny random model of every architecture."""

from pathlib import Path

import pytest
import torch
from support import FEW_WORDS, write_prepared

REPOSITORY = Path(__file__).parents[1]
SHARED = REPOSITORY.parent / "shared" / "data"


FIRST = (  # files that take long; one begun last would leave the other processes without work
    "training/test_processes.py",
    "model/test_other_device.py",
    "benchmark/test_shared_work.py",
    "bulk/test_workers.py",
    "benchmark/test_gpu_benchmark.py",
    "training/test_run.py",
    "bulk/test_killed.py",
    "data/test_engines.py",
)


def pytest_configure(config):
    config.option.loadscopereorder = False  # pytest-xdist's own order puts files of few tests last, and these are few


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: not str(item.path).endswith(FIRST))


@pytest.fixture(scope="session")
def shared() -> Path:
    if not SHARED.is_dir():
        pytest.skip("the shared real recordings are not on this machine")
    return SHARED


@pytest.fixture(scope="session")
def example() -> Path:
    return REPOSITORY / "examples" / "ptb-xl" / "00195_hr"


SMALL = {"vocab_size": 257, "bos_token_id": None, "eos_token_id": 0, "pad_token_id": 0}
LLAMA = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4}
UNDROPPED = {"attn_pdrop": 0.0, "resid_pdrop": 0.0, "embd_pdrop": 0.0}
TINY: dict[str, dict] = {
    "llama": {**LLAMA, "num_key_value_heads": 2, "initializer_range": 0.2},
    "mistral": {**LLAMA, "num_key_value_heads": 2, "sliding_window": 4, "initializer_range": 0.2},
    "qwen2": {**LLAMA, "vocab_size": 260, "num_key_value_heads": 2, "initializer_range": 0.2},
    "gemma3_text": {
        **LLAMA,
        "num_key_value_heads": 2,
        "head_dim": 8,
        "sliding_window": 4,
        "initializer_range": 0.2,
        "layer_types": ["sliding_attention", "full_attention"],
        "max_position_embeddings": 256,
    },
    "gpt_neox": {**LLAMA, "max_position_embeddings": 256, "initializer_range": 0.2},
    "gpt2": {"n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 256, "initializer_range": 0.2, **UNDROPPED},
    "gpt_neo": {
        "hidden_size": 32,
        "num_layers": 2,
        "num_heads": 4,
        "attention_types": [[["global", "local"], 1]],
        "window_size": 4,
        "max_position_embeddings": 256,
        "initializer_range": 0.2,
    },
    "gptj": {"n_embd": 32, "n_layer": 2, "n_head": 4, "rotary_dim": 4, "n_positions": 256, "initializer_range": 0.2},
    "bloom": {"hidden_size": 32, "n_layer": 2, "n_head": 4, "initializer_range": 0.2},
    "opt": {
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "ffn_dim": 48,
        "init_std": 0.2,
        "max_position_embeddings": 256,
        "word_embed_proj_dim": 32,
        "dropout": 0.0,
    },
    "bart": {
        "d_model": 32,
        "encoder_layers": 2,
        "decoder_layers": 2,
        "encoder_attention_heads": 4,
        "init_std": 0.2,
        "decoder_attention_heads": 4,
        "encoder_ffn_dim": 48,
        "decoder_ffn_dim": 48,
        "max_position_embeddings": 256,
        "decoder_start_token_id": 2,
        "forced_eos_token_id": None,
        "dropout": 0.0,
    },
    "t5": {
        "d_model": 32,
        "d_kv": 8,
        "d_ff": 48,
        "num_layers": 2,
        "num_decoder_layers": 2,
        "num_heads": 4,
        "decoder_start_token_id": 0,
        "initializer_factor": 1.0,
        "dropout_rate": 0.0,
    },
}


@pytest.fixture(scope="session")
def simulated(tmp_path_factory):
    """Thirty simulated recordings of two kinds, fast and slow, whose reports say which; three of each fold."""
    import numpy as np

    from meit.data.shards import Example, Report

    folder = tmp_path_factory.mktemp("simulated")
    rng = np.random.default_rng(0)
    examples = []
    for number in range(30):
        fast = number % 2
        time = np.arange(1000) / 100
        beat = np.exp(-(((time * (2.5 if fast else 1.0)) % 1 - 0.5) ** 2) / 0.002)
        signal = (beat[:, None] * rng.uniform(0.5, 1.5, 12) + rng.normal(0, 0.02, (1000, 12))).astype(np.float32)
        report = Report(
            str(number),
            str(number),
            1 + number // 3,
            "fast" if fast else "slow",
            "",
            "en",
            1.0,
            {"STACH" if fast else "SBRAD": 100.0},
        )
        examples.append(Example(report, signal, 100.0, "mV"))
    return write_prepared(folder, examples)


@pytest.fixture(scope="session")
def byte_tokenizer():
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    words = Tokenizer(models.BPE(vocab={"<eos>": 0, **{c: i + 1 for i, c in enumerate(alphabet)}}, merges=[]))
    words.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    words.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(tokenizer_object=words, eos_token="<eos>")


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory, byte_tokenizer):
    """kind -> folder of its tiny backbone."""
    made = {}

    def make(kind: str):
        if kind not in made:
            from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForSeq2SeqLM

            made[kind] = tmp_path_factory.mktemp(kind)
            byte_tokenizer.save_pretrained(made[kind])
            torch.manual_seed(0)
            config = AutoConfig.for_model(kind, **{**SMALL, **TINY[kind]})
            auto = AutoModelForSeq2SeqLM if config.is_encoder_decoder else AutoModelForCausalLM
            model = auto.from_config(config)
            for name, value in model.named_parameters():
                if (
                    value.ndim == 1 and "bias" not in name
                ):  # a norm that is one throughout lets each token follow itself
                    value.data = torch.randn_like(value).sign() - int(kind.startswith("gemma"))  # which adds one to it
            model.save_pretrained(made[kind])
        return made[kind]

    return make


@pytest.fixture(scope="session")
def build(tiny_folder):
    """(kind, attention, fusion, layers, dropout) -> an untrained ReportModel over a tiny backbone, all of it at work."""

    def make(kind, attention=None, fusion="concat", layers="all", adapter=True):
        from meit.model.configuration import ModelConfig
        from meit.model.encoders.encoder import EncoderConfig
        from meit.model.language import loading
        from meit.model.language.adapter import lora_backbone
        from meit.model.report_model import ReportModel

        backbone, tokenizer = loading.load(str(tiny_folder(kind)), "float32")
        if attention is not None:
            backbone.set_attn_implementation(attention)
        config = ModelConfig(
            name="tiny",
            version="0",
            encoder=EncoderConfig(findings=("NORM", "AFIB"), widths=(8, 8, 8, 8), n_tokens=3),
            hidden=32,
            finding_tokens=2,
            lora_rank=4,
            lora_alpha=8,
            backbone=str(tiny_folder(kind)),
            backbone_sha256=loading.fingerprint(backbone),
            backbone_matrices_sha256=loading.matrices_sha256(backbone),
            fusion=fusion,
            fusion_layers=layers,
        )
        torch.manual_seed(1)
        if adapter:
            backbone = lora_backbone(backbone, 4, 8, 0.0)
        model = ReportModel(config, backbone, tokenizer)
        for name, value in model.named_parameters():
            if "lora_B" in name:
                value.data.normal_(0, 0.3)
            if name.endswith("gate"):
                value.data.fill_(1.0)  # zero would switch cross-attention off
        model.projector.norm.weight.data.fill_(1.0)  # ECG tokens as large as text: their effect is plain to see
        return model.eval()

    return make


@pytest.fixture(scope="session")
def shipped():
    """The model that comes with the package."""
    from meit.model import default_model
    from meit.model.report_model import load_model

    return load_model(default_model())


@pytest.fixture
def few_words(monkeypatch):
    """Where what a random model writes does not matter."""
    monkeypatch.setattr("meit.drafting.report_writing.MAX_NEW_TOKENS", FEW_WORDS)


@pytest.fixture(scope="session")
def tiny_backbone(tiny_folder) -> Path:
    return tiny_folder("llama")


@pytest.fixture
def tiny_model(build):
    return build("llama")


@pytest.fixture(scope="session")
def make_small_recipe(simulated, tiny_backbone):
    """The smallest recipe that goes the whole way: folder of its run -> recipe."""
    from meit.training.recipe import Recipe

    def make(out) -> Recipe:
        return Recipe(out=str(out), data=(str(simulated),), backbone=str(tiny_backbone), batch_size=8, cross_fits=2)

    return make
