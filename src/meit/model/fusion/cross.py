"""Cross fusion, as Flamingo has it (Alayrac et al., NeurIPS 2022): gated cross-attention before decoder layers.

x + tanh(a) * attention(x, ECG), then x + tanh(b) * feed-forward(x); a and b begin at 0, where the backbone is itself.
"""

from typing import Any

import torch
from torch import Tensor, nn

from meit.model.fusion.base import Fusion, Text, check_masks, copies, source_states
from meit.model.language.architectures import LanguageModel, body, decoder_layers, plain

HEAD_DIM = 64  # at most; small backbones get one head


class GatedCrossAttention(nn.Module):
    """One inserted layer. (B, T, hidden) and the ECG's keys and values (B, heads, S, d) -> (B, T, hidden)."""

    def __init__(self, hidden: int):
        super().__init__()
        self.heads = max(1, hidden // HEAD_DIM)
        self.norm, self.ff_norm = nn.LayerNorm(hidden), nn.LayerNorm(hidden)
        self.query, self.key, self.value, self.out = (nn.Linear(hidden, hidden, bias=False) for _ in range(4))
        self.feed_forward = nn.Sequential(nn.Linear(hidden, 4 * hidden), nn.GELU(), nn.Linear(4 * hidden, hidden))
        self.gate, self.ff_gate = nn.Parameter(torch.zeros(1)), nn.Parameter(torch.zeros(1))

    def keys_values(self, ecg: Tensor) -> tuple[Tensor, Tensor]:
        return self._split(self.key(ecg)), self._split(self.value(ecg))

    def forward(self, x: Tensor, keys: Tensor, values: Tensor, mask: Tensor) -> Tensor:
        queries = self._split(self.query(self.norm(x)))
        mixed = nn.functional.scaled_dot_product_attention(queries, keys, values, attn_mask=mask[:, None, None].bool())
        x = x + self.gate.tanh() * self.out(mixed.transpose(1, 2).flatten(2))
        return x + self.ff_gate.tanh() * self.feed_forward(self.ff_norm(x))

    def _split(self, rows: Tensor) -> Tensor:
        return rows.unflatten(-1, (self.heads, -1)).transpose(1, 2)


class CrossFusion(Fusion):
    """ECG tokens that are all hidden leave the text without the ECG: its mask must show at least one."""

    def __init__(self, backbone: LanguageModel, layers: str = "all"):
        super().__init__(backbone, layers)
        hidden = plain(backbone).config.hidden_size
        self.blocks = nn.ModuleList(GatedCrossAttention(hidden) for _ in self.layers)
        self._seen: list[tuple[Tensor, Tensor, Tensor]] = []  # keys, values, mask of each block, for this call
        for place, index in enumerate(self.layers):
            decoder_layers(backbone)[index].register_forward_pre_hook(self._insert(place), with_kwargs=True)

    def hidden(self, backbone: LanguageModel, text: Text, ecg: Tensor, ecg_mask: Tensor) -> Tensor:
        check_masks(text, ecg, ecg_mask)
        self._look(ecg, ecg_mask)
        extra = source_states(backbone, text)
        return body(backbone)(input_ids=text.ids, attention_mask=text.mask, use_cache=False, **extra).last_hidden_state

    def generate(self, backbone: LanguageModel, text: Text, ecg: Tensor, ecg_mask: Tensor, **options) -> Tensor:
        check_masks(text, ecg, ecg_mask)
        times = copies(options)
        self._look(ecg.repeat_interleave(times, dim=0), ecg_mask.repeat_interleave(times, dim=0))
        if text.source_ids is None:
            inputs: dict[str, Tensor | None] = {"input_ids": text.ids, "attention_mask": text.mask}
        else:
            inputs = {"input_ids": text.source_ids, "attention_mask": text.source_mask}
            inputs["decoder_input_ids"] = text.ids
        return self.write(backbone, inputs, options, leave=self._leave)[:, text.ids.shape[1] :]

    def _leave(self, kept: Tensor) -> None:
        self._seen = [(keys[kept], values[kept], mask[kept]) for keys, values, mask in self._seen]

    def _look(self, ecg: Tensor, ecg_mask: Tensor) -> None:
        """The ECG's keys and values, once for all tokens that will be written; kept until the next call, since
        gradient checkpointing asks for them again in the backward pass."""
        blocks: list[Any] = list(self.blocks)
        self._seen = [(*block.keys_values(ecg), ecg_mask) for block in blocks]

    def _insert(self, place: int):
        def hook(_module, inputs: tuple, arguments: dict):
            if not self._seen:
                return None
            keys, values, mask = self._seen[place]
            x = inputs[0] if inputs else arguments["hidden_states"]
            y = self.blocks[place](x.to(keys.dtype), keys, values, mask).to(x.dtype)
            return ((y, *inputs[1:]), arguments) if inputs else (inputs, {**arguments, "hidden_states": y})

        return hook
