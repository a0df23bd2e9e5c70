"""The interface of a fusion, and what all of them need."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from meit.errors import ModelError
from meit.model.language.architectures import LanguageModel, decoder_layers, plain

if TYPE_CHECKING:
    from transformers import Cache

DRAWN = {"pick", "times"}  # options of meit.model.fusion.branching, which transformers does not know
GREEDY = {"do_sample", "max_new_tokens", "min_new_tokens", "num_beams", "num_return_sequences"} | DRAWN  # options


@dataclass(frozen=True)
class Text:
    """ids, mask (B, T): what the decoder reads. source_ids, source_mask (B, U): what the encoder reads, if there is one."""

    ids: Tensor
    mask: Tensor
    source_ids: Tensor | None = None
    source_mask: Tensor | None = None

    def to(self, device: torch.device) -> "Text":
        source = (None if part is None else part.to(device) for part in (self.source_ids, self.source_mask))
        return Text(self.ids.to(device), self.mask.to(device), *source)


class Fusion(nn.Module):
    """ECG tokens (B, S, hidden) and text -> hidden states of the text, in training; -> new tokens, in drafting.

    What a fusion adds to the backbone's weights (nothing, but for `cross`) are its own parameters. ecg_mask (B, S)
    is 0 for ECG tokens that the text must not see.
    """

    def __init__(self, backbone: LanguageModel, layers: str = "all"):
        super().__init__()
        self.layers = chosen_layers(layers, len(decoder_layers(backbone)))

    def without_cache(self) -> None:
        """Makes `hidden` do without a key-value cache, where training forbids one; most need none anyway."""

    def hidden(self, backbone: LanguageModel, text: Text, ecg: Tensor, ecg_mask: Tensor) -> Tensor:
        """Last hidden states (B, T, hidden) of the decoder. Raises ValueError where a mask does not fit."""
        raise NotImplementedError

    def generate(self, backbone: LanguageModel, text: Text, ecg: Tensor, ecg_mask: Tensor, **options) -> Tensor:
        """New tokens (B, up to max_new_tokens) by transformers' `generate`, which takes the options; with those of
        meit.model.fusion.branching, of B * times drafts that are drawn."""
        raise NotImplementedError

    @staticmethod
    def write(
        backbone: LanguageModel,
        inputs: dict[str, Any],
        options: dict[str, Any],
        cache: "Cache | None" = None,
        leave: Callable[[Tensor], object] = lambda kept: None,
    ) -> Tensor:
        """What `generate` gives. Written greedily, finished rows leave the batch: leave(kept) is told which go on."""
        from meit.model.fusion.branching import branching
        from meit.model.fusion.greedy import greedily

        if is_greedy(options):
            cache = empty_cache(backbone, roomy=True) if cache is None else cache
            drawn = {name: value for name, value in options.items() if name in DRAWN}
            options = {name: value for name, value in options.items() if name not in DRAWN}
            options["custom_generate"] = branching(leave=leave, **drawn) if drawn else greedily(leave)
        model: Any = plain(backbone)
        return model.generate(**inputs, past_key_values=cache, **options)


def chosen_layers(layers: str, count: int) -> tuple[int, ...]:
    """ "all", "every N" (the last of each N layers) or "0,5,11" -> indices. Raises ModelError."""
    try:
        if layers == "all":
            return tuple(range(count))
        if layers.startswith("every "):
            step = int(layers.removeprefix("every "))
            chosen = tuple(range(step - 1, count, step))
        else:
            chosen = tuple(sorted({int(part) for part in layers.split(",")}))
    except ValueError:
        raise ModelError(f"layers {layers!r}: write 'all', 'every 4', or indices such as '0,5,11'") from None
    if not chosen or chosen[0] < 0 or chosen[-1] >= count:
        raise ModelError(f"layers {layers!r} chooses none, or one that is not among the backbone's {count}")
    return chosen


def check_masks(text: Text, ecg: Tensor, ecg_mask: Tensor) -> None:
    """A mask of a wrong length is silently wrong in most models of transformers, so it is refused here."""
    pairs: list[tuple[str, torch.Size, Tensor | None]] = [
        ("text", text.ids.shape, text.mask),
        ("ECG", ecg.shape[:2], ecg_mask),
    ]
    if text.source_ids is not None:
        pairs.append(("source", text.source_ids.shape, text.source_mask))
    for name, shape, mask in pairs:
        if mask is None or mask.shape != shape:
            found = None if mask is None else tuple(mask.shape)
            raise ValueError(f"the {name} mask {found} does not fit its {tuple(shape)}")
    if len(text.ids) != len(ecg):
        raise ValueError(f"{len(text.ids)} texts for {len(ecg)} ECGs")


def positions(mask: Tensor) -> Tensor:
    """Positions 0, 1, ... of what the mask shows (B, T); padding gets 0."""
    return (mask.cumsum(1) - 1).clamp_min(0)


def encode_source(backbone: LanguageModel, **inputs) -> Tensor:
    """States (B, U, hidden) of an encoder-decoder's encoder, of ids or embeddings and their mask."""
    return plain(backbone).get_encoder()(**inputs).last_hidden_state


def source_states(backbone: LanguageModel, text: Text) -> dict:
    """What an encoder-decoder's decoder is told of the instruction; nothing for a decoder alone."""
    if text.source_ids is None:
        return {}
    states = encode_source(backbone, input_ids=text.source_ids, attention_mask=text.source_mask)
    return {"encoder_hidden_states": states, "encoder_attention_mask": text.source_mask}


def dummies(backbone: LanguageModel, batch: int, count: int, device) -> Tensor:
    """(B, count) ids that stand for ECG tokens where transformers counts ids; which ones does not matter."""
    config = plain(backbone).config
    start = getattr(config, "decoder_start_token_id", None) if config.is_encoder_decoder else config.eos_token_id
    start = start[0] if isinstance(start, list) else start
    return torch.full((batch, count), start or 0, device=device)


def copies(options: dict) -> int:
    """How many rows generate() makes of each input."""
    return max(options.get("num_beams", 1), options.get("num_return_sequences", 1))


def is_greedy(options: dict[str, Any]) -> bool:
    """Whether generate() would take the likeliest token each time, for one row of each input, and nothing else is asked."""
    return copies(options) == 1 and options.get("do_sample") is False and options.keys() <= GREEDY


def empty_cache(backbone: LanguageModel, roomy: bool) -> "Cache":
    """A cache of transformers'. roomy: for greedy writing; not for training, whose gradients would be overwritten."""
    from transformers import DynamicCache, EncoderDecoderCache

    from meit.model.fusion.roomy_cache import RoomyLayer

    cache = DynamicCache()
    if roomy:
        cache.layer_class_to_replicate = RoomyLayer
    return EncoderDecoderCache(cache, DynamicCache()) if plain(backbone).config.is_encoder_decoder else cache
