"""Concatenated fusion (MEIT, arXiv 2403.04945, section 3.2): the text attends to [K_e; K_t], [V_e; V_t].

K_e and V_e are the ECG tokens seen through each layer's own key and value projections, no new backbone weights.
They are handed to the language model as the beginning of its key-value cache. Rotary position: the ECG keys stay
unrotated, i.e. all at position 0; the text begins after the recorded ECG tokens.
"""

import torch
from torch import Tensor


def decoder_layers(model) -> torch.nn.ModuleList:
    """The self-attention layers of a LLaMA-architecture model, wrapped by peft or not."""
    return _decoder(model).layers


def _decoder(model):
    """The transformer below the output head."""
    base = model.get_base_model() if hasattr(model, "get_base_model") else model
    return base.model


def ecg_cache(model, tokens: Tensor):
    """ECG tokens (B, S, hidden) -> a fresh cache with K_e, V_e of every layer. Make one per forward: it grows."""
    from transformers import DynamicCache

    cache = DynamicCache()
    batch, count, _ = tokens.shape
    for index, layer in enumerate(decoder_layers(model)):
        attention = layer.self_attn
        shape = (batch, count, -1, attention.head_dim)
        keys = attention.k_proj(tokens).view(shape).transpose(1, 2)
        values = attention.v_proj(tokens).view(shape).transpose(1, 2)
        cache.update(keys, values, index)
    return cache


def fused_mask(ecg_mask: Tensor, text_mask: Tensor) -> Tensor:
    """(B, S) and (B, T) -> (B, S + T); a text-only mask would be silently wrong, so nobody else builds it."""
    return torch.cat([ecg_mask.to(text_mask.dtype), text_mask], dim=1)


def fused_forward(model, ids: Tensor, text_mask: Tensor, tokens: Tensor, ecg_mask: Tensor) -> Tensor:
    """ids, text_mask (B, T), ECG tokens (B, S, hidden), ecg_mask (B, S) -> last hidden states (B, T, hidden).

    Raises ValueError where a mask does not fit what it masks.
    """
    if text_mask.shape != ids.shape or ecg_mask.shape != tokens.shape[:2]:
        raise ValueError(
            f"masks {tuple(text_mask.shape)}, {tuple(ecg_mask.shape)} do not fit text {tuple(ids.shape)} "
            f"and ECG tokens {tuple(tokens.shape[:2])}"
        )
    mask = fused_mask(ecg_mask, text_mask)
    positions = (mask.cumsum(1) - 1).clamp_min(0)[:, tokens.shape[1] :]
    out = _decoder(model)(
        input_ids=ids,
        attention_mask=mask,
        position_ids=positions,
        past_key_values=ecg_cache(model, tokens),
        use_cache=True,
    )
    return out.last_hidden_state
