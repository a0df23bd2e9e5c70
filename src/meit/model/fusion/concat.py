"""Concatenated fusion (MEIT, arXiv 2403.04945, section 3.2): the text attends to [K_e; K_t], [V_e; V_t].

K_e and V_e are the ECG tokens seen through each layer's own key and value projections: no new backbone weights. Two
routes lead to the same numbers:

cache   K_e and V_e are computed once and handed over as the beginning of the key-value cache. Used in drafting, and
        in training where nothing forbids it.
prefix  S dummy tokens stand before the text, and hooks put the ECG tokens in place of what they would send into the
        key and value projections. Gradient checkpointing drops caches, and sharded training (FSDP, ZeRO-3) gathers a
        layer's weights only for that layer's own call: there this route is used. It costs S rows more in each layer.

Positions: ECG keys are not rotated, i.e. all stand at position 0; the text begins at position S. BLOOM's and T5's
distances count the ECG tokens as S places before the text, BART's learned ones likewise.
"""

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from meit.model.fusion.base import (
    Fusion,
    Text,
    check_masks,
    copies,
    dummies,
    empty_cache,
    is_greedy,
    positions,
    source_states,
)
from meit.model.language.architectures import LanguageModel, architecture_of, attentions, body, plain

if TYPE_CHECKING:
    from transformers import Cache


class ConcatFusion(Fusion):
    def __init__(self, backbone: LanguageModel, layers: str = "all"):
        super().__init__(backbone, layers)
        self.route = "cache"
        self._rows: Tensor | None = None  # the ECG tokens while the prefix route runs
        self._blind = 0  # how many first columns the other layers must not see
        row = architecture_of(plain(backbone).config)
        for index, attention in enumerate(attentions(backbone)):
            if index in self.layers:
                for name in row.projections:
                    attention.get_submodule(name).register_forward_pre_hook(self._replace_rows)
            else:
                attention.register_forward_pre_hook(self._hide_columns(row.mask), with_kwargs=True)
        self._all = len(self.layers) == len(attentions(backbone))

    def without_cache(self) -> None:
        self.route = "prefix"

    def hidden(self, backbone: LanguageModel, text: Text, ecg: Tensor, ecg_mask: Tensor) -> Tensor:
        check_masks(text, ecg, ecg_mask)
        count = ecg.shape[1]
        mask = torch.cat([ecg_mask.to(text.mask.dtype), text.mask], dim=1)  # of text alone it would be silently wrong
        extra = source_states(backbone, text)
        self._blind = 0 if self._all else count
        if self.route == "prefix":
            ids = torch.cat([dummies(backbone, len(ecg), count, ecg.device), text.ids], dim=1)
            # kept until the next call: gradient checkpointing runs the layers again in the backward pass
            self._rows = ecg
            extra["use_cache"] = False
            place = torch.cat([torch.zeros_like(ecg_mask), positions(mask)[:, count:]], dim=1)
        else:
            self._rows = None
            ids, place = text.ids, positions(mask)[:, count:]
            extra |= {"past_key_values": self.cache(backbone, ecg), "use_cache": True}
        if architecture_of(plain(backbone).config).positions:
            extra["position_ids"] = place
        out = body(backbone)(input_ids=ids, attention_mask=mask, **extra).last_hidden_state
        if not torch.is_grad_enabled():
            self._rows = None
        return out[:, -text.ids.shape[1] :]

    def generate(self, backbone: LanguageModel, text: Text, ecg: Tensor, ecg_mask: Tensor, **options) -> Tensor:
        check_masks(text, ecg, ecg_mask)
        batch, count, _ = ecg.shape
        self._rows, self._blind = None, 0 if self._all else count
        # generate() cuts from the ids what the cache already holds: as many dummies stand for the ECG tokens
        ids = torch.cat([dummies(backbone, batch, count, ecg.device), text.ids], dim=1)
        mask = torch.cat([ecg_mask.to(text.mask.dtype), text.mask], dim=1)
        inputs: dict[str, Tensor | None] = {"input_ids": ids, "attention_mask": mask}
        if text.source_ids is not None:
            inputs = {"input_ids": text.source_ids, "attention_mask": text.source_mask}
            inputs |= {"decoder_input_ids": ids, "decoder_attention_mask": mask}
        cache = self.cache(backbone, ecg.repeat_interleave(copies(options), dim=0), roomy=is_greedy(options))
        return self.write(backbone, inputs, options, cache)[:, ids.shape[1] :]

    def cache(self, backbone: LanguageModel, ecg: Tensor, roomy: bool = False) -> "Cache":
        """A fresh cache with K_e, V_e of every layer; roomy: as of `empty_cache`. Make one for each forward: it grows."""
        from transformers import EncoderDecoderCache

        cache = empty_cache(backbone, roomy)
        own = cache.self_attention_cache if isinstance(cache, EncoderDecoderCache) else cache
        keys_values = architecture_of(plain(backbone).config).keys_values
        for index, attention in enumerate(attentions(backbone)):
            own.update(*keys_values(attention, ecg), index)
        return cache

    def _replace_rows(self, _module, inputs: tuple):
        if self._rows is None:
            return None
        rows = inputs[0]
        return (torch.cat([self._rows.to(rows), rows[:, self._rows.shape[1] :]], dim=1), *inputs[1:])

    def _hide_columns(self, argument: str):
        """A hook for layers that take no part: the ECG's columns leave their attention mask."""

        def hook(_module, inputs: tuple, arguments: dict):
            if not self._blind:
                return None
            rows = inputs[0] if inputs else arguments["hidden_states"]
            cache = next(
                (arguments[n] for n in ("past_key_values", "layer_past") if arguments.get(n) is not None), None
            )
            mask = without_columns(arguments.get(argument), self._blind, rows, cache, _module)
            return inputs, {**arguments, argument: mask}

        return hook


def without_columns(mask: Tensor | None, count: int, rows: Tensor, cache, attention) -> Tensor:
    """The attention mask (B or 1, 1, Q, K), boolean or added, without the first `count` columns.

    Dummy rows of the prefix route go on seeing themselves, since a row that sees nothing gives NaN; nobody reads them.
    """
    queries = rows.shape[1]
    if mask is None:
        index = next((getattr(attention, n) for n in ("layer_idx", "layer_id") if hasattr(attention, n)), 0)
        past = 0 if cache is None else cache.get_seq_length(index)
        mask = torch.ones(queries, past + queries, dtype=torch.bool, device=rows.device).tril(past)[None, None]
    columns = torch.arange(mask.shape[-1], device=mask.device)
    last = mask.shape[-1] - queries + torch.arange(queries, device=mask.device)[:, None]
    seen = (columns >= count) | (last < count)
    return mask & seen if mask.dtype == torch.bool else mask.masked_fill(~seen, torch.finfo(mask.dtype).min)
