"""What fusion must know of each language model architecture: one row each, keyed by transformers' `model_type`.

A row says where the decoder's layers and their self-attention are, and how keys and values come out of them. Nothing
of an architecture's code is repeated here: the model itself is always transformers' own.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import torch
from torch import Tensor, nn

from meit.errors import ModelError

if TYPE_CHECKING:
    from peft import PeftModel
    from transformers import PreTrainedConfig, PreTrainedModel

KeysValues = tuple[Tensor, Tensor]
LanguageModel: TypeAlias = "PreTrainedModel | PeftModel"  # a backbone, alone or with its adapter


@dataclass(frozen=True)
class Architecture:
    """layers: path of the decoder's layers in the model with its head; attention: path of the self-attention in one.

    projections: in the attention, the modules whose input becomes K and V. keys_values(attention, rows (B, S, hidden))
    -> K, V (B, heads, S, head_dim), unrotated. short: configuration entries that let a layer see only the last tokens,
    with the value that lets it see all (None) or the entry that says how many all are.
    """

    layers: str
    attention: str
    projections: tuple[str, ...]
    keys_values: Callable[[nn.Module, Tensor], KeysValues]
    mask: str = "attention_mask"  # the attention's argument
    encoder_decoder: bool = False
    positions: bool = True  # whether its decoder takes position_ids; the others count for themselves
    sdpa: bool = True
    short: tuple[tuple[str, str | None], ...] = ()


def _projected(projection: nn.Module, rows: Tensor) -> Tensor:
    """Of rows on whatever device: a large backbone's layers lie on several."""
    return projection(rows.to(cast(Tensor, projection.weight).device))


def _heads(rows: Tensor, head_dim: int) -> Tensor:
    return rows.unflatten(-1, (-1, head_dim)).transpose(1, 2)


def _separate(key: str, value: str, head_dim: str = "head_dim") -> Callable:
    """One projection each, as most have it; a norm on the keys (Gemma 3) belongs to the layer's projection."""

    def keys_values(attention: nn.Module, rows: Tensor) -> KeysValues:
        size = getattr(attention, head_dim)
        keys = _heads(_projected(getattr(attention, key), rows), size)
        norm = getattr(attention, "k_norm", None)
        return keys if norm is None else norm(keys), _heads(_projected(getattr(attention, value), rows), size)

    return keys_values


def _fused_by_head(head_dim: str) -> Callable:
    """query_key_value gives q, k, v of the first head, then of the second, ... (GPT-NeoX, BLOOM)."""

    def keys_values(attention: Any, rows: Tensor) -> KeysValues:
        fused = _projected(attention.query_key_value, rows).unflatten(-1, (-1, 3, getattr(attention, head_dim)))
        return fused[..., 1, :].transpose(1, 2), fused[..., 2, :].transpose(1, 2)

    return keys_values


def _fused_by_kind(attention: Any, rows: Tensor) -> KeysValues:
    """c_attn gives all queries, then all keys, then all values (GPT-2)."""
    _, keys, values = _projected(attention.c_attn, rows).chunk(3, dim=-1)
    return _heads(keys, attention.head_dim), _heads(values, attention.head_dim)


_LLAMA = Architecture("model.layers", "self_attn", ("k_proj", "v_proj"), _separate("k_proj", "v_proj"))
_WINDOWED = replace(_LLAMA, short=(("sliding_window", None),))

ARCHITECTURES: dict[str, Architecture] = {
    "llama": _LLAMA,
    "mistral": _WINDOWED,
    "qwen2": _WINDOWED,
    "gemma3_text": replace(_LLAMA, short=(("sliding_window", "max_position_embeddings"),)),
    "gpt_neox": Architecture("gpt_neox.layers", "attention", ("query_key_value",), _fused_by_head("head_size")),
    "gpt2": Architecture("transformer.h", "attn", ("c_attn",), _fused_by_kind),
    "gpt_neo": Architecture(
        "transformer.h",
        "attn.attention",
        ("k_proj", "v_proj"),
        _separate("k_proj", "v_proj"),
        sdpa=False,
        short=(("window_size", "max_position_embeddings"),),
    ),
    "gptj": Architecture("transformer.h", "attn", ("k_proj", "v_proj"), _separate("k_proj", "v_proj"), sdpa=False),
    "bloom": Architecture(
        "transformer.h", "self_attention", ("query_key_value",), _fused_by_head("head_dim"), positions=False, sdpa=False
    ),
    "opt": Architecture("model.decoder.layers", "self_attn", ("k_proj", "v_proj"), _separate("k_proj", "v_proj")),
    "bart": Architecture(
        "model.decoder.layers",
        "self_attn",
        ("k_proj", "v_proj"),
        _separate("k_proj", "v_proj"),
        encoder_decoder=True,
        positions=False,
    ),
    "t5": Architecture(
        "decoder.block",
        "layer.0.SelfAttention",
        ("k", "v"),
        _separate("k", "v", "key_value_proj_dim"),
        mask="mask",
        encoder_decoder=True,
        positions=False,
    ),
}


def architecture_of(config: "PreTrainedConfig") -> Architecture:
    """The row of a transformers configuration. Raises ModelError, naming what is known, where there is none."""
    found = ARCHITECTURES.get(config.model_type)
    if found is None:
        raise ModelError(
            f"architecture {config.model_type!r} is not known to meit; known are {', '.join(sorted(ARCHITECTURES))}. "
            "CONTRIBUTING.md shows how one row adds another"
        )
    return found


def model_class(config: "PreTrainedConfig") -> Any:
    """The class of transformers that loads a backbone with its head."""
    from transformers import AutoModelForCausalLM, AutoModelForSeq2SeqLM

    return AutoModelForSeq2SeqLM if architecture_of(config).encoder_decoder else AutoModelForCausalLM


def on_meta(config: "PreTrainedConfig", **options: Any) -> "PreTrainedModel":
    """A backbone's shapes, without weights or memory. options: of from_config, such as dtype."""
    with torch.device("meta"):
        model = model_class(config).from_config(config, **options)
    model.tie_weights()
    return model


def linear_layers(backbone: "PreTrainedModel") -> dict[str, Any]:
    """By their paths: what LoRA adapts and quantisation makes small, all linear layers but the head."""
    from transformers.pytorch_utils import Conv1D

    top = backbone.get_output_embeddings()
    layers = backbone.named_modules()
    return {path: layer for path, layer in layers if isinstance(layer, nn.Linear | Conv1D) and layer is not top}


def see_everything(config: "PreTrainedConfig") -> "PreTrainedConfig":
    """Lifts the limits that would let late tokens lose sight of the ECG, which stands first. Returns the config."""
    for entry, other in architecture_of(config).short:
        if getattr(config, entry, None) is not None:
            setattr(config, entry, None if other is None else getattr(config, other))
    return config


def plain(backbone: LanguageModel) -> "PreTrainedModel":
    """The transformers model below peft's wrapper, if there is one."""
    wrapped: Any = backbone
    return wrapped.get_base_model() if hasattr(wrapped, "get_base_model") else wrapped


def decoder_layers(backbone: LanguageModel) -> nn.ModuleList:
    model = plain(backbone)
    return cast(nn.ModuleList, model.get_submodule(architecture_of(model.config).layers))


def attentions(backbone: LanguageModel) -> list[nn.Module]:
    """The self-attention of every decoder layer."""
    path = architecture_of(plain(backbone).config).attention
    return [layer.get_submodule(path) for layer in decoder_layers(backbone)]


def head(backbone: LanguageModel, hidden: Tensor) -> Tensor:
    """Last hidden states (..., hidden) -> logits, with what BART and T5 do before or after their output layer."""
    model = plain(backbone)
    if getattr(model.config, "scale_decoder_outputs", False):
        hidden = hidden * model.config.d_model**-0.5
    logits = model.get_output_embeddings()(hidden)
    bias = getattr(model, "final_logits_bias", None)
    return logits if bias is None else logits + bias.to(logits.dtype)


def body(backbone: LanguageModel) -> nn.Module:
    """The decoder below the output head."""
    model = plain(backbone)
    return model.get_decoder() if model.config.is_encoder_decoder else getattr(model, model.base_model_prefix)


def input_embeddings(backbone: LanguageModel) -> Tensor:
    """(vocabulary, hidden): where the text enters, in what type and on which device."""
    return cast(Tensor, plain(backbone).get_input_embeddings().weight)
