"""The backbones: the paper's fourteen (arXiv 2403.04945, table 1) and two small ones, one row each.

A row holds what cannot be had from its architecture: where it is, under which terms, and the numbers that fix its
shape, so that sizes are known before anything is downloaded. They are those of the models' own `config.json`.
"""

from dataclasses import dataclass, field
from functools import cache

from meit.model.language.architectures import ARCHITECTURES, decoder_layers, linear_layers, on_meta
from meit.model.language.spreading import BYTES
from meit.model.prompt import PROMPTS

DEFAULT = "smollm2-135m-instruct"
PAPER_RANK = 64


@dataclass(frozen=True)
class Backbone:
    """hub: its Hugging Face id; access: "open", or "gated" where the owner's terms must be accepted first.

    shape: what differs from the defaults of transformers' configuration of model_type. published: the number of
    parameters, in millions, that its paper or model card states. chat: whether it was tuned with a chat template.
    """

    name: str
    hub: str
    model_type: str
    licence: str
    access: str
    published: float
    shape: dict = field(hash=False)
    chat: bool = False


def _llama(hidden: int, between: int, layers: int, heads: int, kv_heads: int, vocabulary: int = 32000, **other) -> dict:
    return {
        "hidden_size": hidden,
        "intermediate_size": between,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "num_key_value_heads": kv_heads,
        "vocab_size": vocabulary,
        **other,
    }


_LLAMA_7B = _llama(4096, 11008, 32, 32, 32)
_MISTRAL_7B = _llama(4096, 14336, 32, 32, 8)
_SMOLLM2 = _llama(576, 1536, 30, 9, 3, 49152, tie_word_embeddings=True)
_GEMMA3 = _llama(640, 2048, 18, 4, 1, 262144, head_dim=256, sliding_window=512)
_GPT_NEO = {
    "hidden_size": 2560,
    "num_layers": 32,
    "num_heads": 20,
    "attention_types": [[["global", "local"], 16]],
}
_NEOX = {"hidden_size": 6144, "intermediate_size": 24576, "num_hidden_layers": 44, "num_attention_heads": 64}
_OPT = {
    "hidden_size": 4096,
    "word_embed_proj_dim": 4096,
    "ffn_dim": 16384,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
}
_T5 = {"d_model": 1024, "d_kv": 64, "d_ff": 4096, "num_layers": 24, "num_decoder_layers": 24, "num_heads": 16}

_META2 = "LLaMA 2 Community License"
BACKBONES: dict[str, Backbone] = {
    row.name: row
    for row in (
        Backbone(
            DEFAULT, "HuggingFaceTB/SmolLM2-135M-Instruct", "llama", "Apache-2.0", "open", 135, _SMOLLM2, chat=True
        ),
        Backbone("gemma-3-270m", "google/gemma-3-270m", "gemma3_text", "Gemma Terms", "gated", 268, _GEMMA3),
        Backbone(
            "gpt2-medium",
            "openai-community/gpt2-medium",
            "gpt2",
            "MIT",
            "open",
            355,
            {"n_embd": 1024, "n_layer": 24, "n_head": 16},
        ),
        Backbone(
            "gpt2-large",
            "openai-community/gpt2-large",
            "gpt2",
            "MIT",
            "open",
            774,
            {"n_embd": 1280, "n_layer": 36, "n_head": 20},
        ),
        Backbone("bart-large", "facebook/bart-large", "bart", "Apache-2.0", "open", 406, {}),
        Backbone("t5-large", "google-t5/t5-large", "t5", "Apache-2.0", "open", 737.7, _T5),
        Backbone("gpt-neo-2.7b", "EleutherAI/gpt-neo-2.7B", "gpt_neo", "MIT", "open", 2651, _GPT_NEO),
        Backbone("gpt-j-6b", "EleutherAI/gpt-j-6b", "gptj", "Apache-2.0", "open", 6053.4, {}),
        Backbone("gpt-neox-20b", "EleutherAI/gpt-neox-20b", "gpt_neox", "Apache-2.0", "open", 20554.6, _NEOX),
        Backbone("opt-6.7b", "facebook/opt-6.7b", "opt", "OPT-175B License (research)", "open", 6658, _OPT),
        Backbone(
            "bloom-7b1",
            "bigscience/bloom-7b1",
            "bloom",
            "BigScience RAIL 1.0",
            "open",
            7069.016064,
            {"hidden_size": 4096, "n_layer": 30, "n_head": 32},
        ),
        Backbone("llama-7b", "huggyllama/llama-7b", "llama", "LLaMA non-commercial", "open", 6738, _LLAMA_7B),
        Backbone(
            "llama-2-7b-instruct", "meta-llama/Llama-2-7b-chat-hf", "llama", _META2, "gated", 6738, _LLAMA_7B, chat=True
        ),
        Backbone(
            "llama-2-13b-instruct",
            "meta-llama/Llama-2-13b-chat-hf",
            "llama",
            _META2,
            "gated",
            13016,
            _llama(5120, 13824, 40, 40, 40),
            chat=True,
        ),
        Backbone(
            "llama-2-70b-instruct",
            "meta-llama/Llama-2-70b-chat-hf",
            "llama",
            _META2,
            "gated",
            68977,
            _llama(8192, 28672, 80, 64, 8),
            chat=True,
        ),
        Backbone(
            "llama-3-8b-instruct",
            "meta-llama/Meta-Llama-3-8B-Instruct",
            "llama",
            "LLaMA 3 Community License",
            "gated",
            8030,
            _llama(4096, 14336, 32, 32, 8, 128256),
            chat=True,
        ),
        Backbone("mistral-7b", "mistralai/Mistral-7B-v0.1", "mistral", "Apache-2.0", "gated", 7242, _MISTRAL_7B),
        Backbone(
            "mistral-7b-instruct",
            "mistralai/Mistral-7B-Instruct-v0.2",
            "mistral",
            "Apache-2.0",
            "gated",
            7242,
            _MISTRAL_7B,
            chat=True,
        ),
    )
}


@dataclass(frozen=True)
class Sizes:
    """Parameters of the backbone, of its linear layers (which quantisation shrinks and LoRA adapts), of the adapter."""

    parameters: int
    linear: int
    adapter: int
    heads: int
    layers: int
    hidden: int
    targets: tuple[str, ...]

    def run_gb(self, weights: str) -> float:
        """Memory of the weights alone, 10^9 bytes: linear layers as a row of BYTES, all else in bf16."""
        return (self.linear * BYTES[weights] + (self.parameters - self.linear) * 2 + self.adapter * 2) / 1e9

    def train_gb(self, weights: str) -> float:
        """Weights as in run_gb, and for each adapter weight 16 bytes: itself, gradient and Adam's two, in float32.

        Activations come on top: they grow with batch and text, and gradient checkpointing makes them small.
        """
        return self.run_gb(weights) + self.adapter * 14 / 1e9


@cache
def sizes(name: str, rank: int = PAPER_RANK) -> Sizes:
    """Sizes of a backbone, its full-size model built on the meta device: no weights, no memory."""
    from transformers import AutoConfig

    row = BACKBONES[name]
    config = AutoConfig.for_model(row.model_type, **row.shape)
    model = on_meta(config)
    linear = linear_layers(model)
    return Sizes(
        parameters=sum(parameter.numel() for parameter in model.parameters()),
        linear=sum(module.weight.numel() for module in linear.values()),
        adapter=sum(rank * sum(module.weight.shape) for module in linear.values()),
        heads=config.num_attention_heads,
        layers=len(decoder_layers(model)),
        hidden=config.hidden_size,
        targets=tuple(dict.fromkeys(path.rpartition(".")[2] for path in linear)),
    )


def table() -> str:
    """What `meit models` prints."""
    lines = [
        "| backbone | Hugging Face id | architecture | parameters (M) | layers | hidden | heads | LoRA targets | prompts | "
        f"LoRA r={PAPER_RANK} (M) | run, GB: bf16 / int8 / nf4 | train, GB: bf16 / int8 / nf4 | licence | access |",
        "|" + "---|" * 14,
    ]
    for name, row in BACKBONES.items():
        size = sizes(name)
        kind = (
            f"{row.model_type} (encoder-decoder)" if ARCHITECTURES[row.model_type].encoder_decoder else row.model_type
        )
        memory = (
            " / ".join(f"{of(weights):.1f}" for weights in ("bfloat16", "int8", "nf4"))
            for of in (size.run_gb, size.train_gb)
        )
        cells = [
            name,
            row.hub,
            kind,
            f"{size.parameters / 1e6:,.0f}",
            size.layers,
            size.hidden,
            size.heads,
            ", ".join(size.targets),
            ", ".join(style for style in PROMPTS if row.chat or style != "chat"),
            f"{size.adapter / 1e6:.1f}",
            *memory,
            row.licence,
            row.access,
        ]
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(lines)
