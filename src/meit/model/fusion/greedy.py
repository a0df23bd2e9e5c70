"""Greedy writing by transformers' `generate`, whose loop is replaced here: reports that are finished leave the batch.

`generate` decodes all rows until the longest report is finished. It still prepares everything (positions, masks, cache,
processors, criteria of stopping), and takes this loop as its `custom_generate`.
"""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor
from transformers.cache_utils import Cache

FEWER = 7 / 8  # of the rows are unfinished: the others leave, which costs as much as a step's copy of the cache
LOOK = 8  # steps between two looks at what is finished, on an accelerator, which would have to wait for each


def greedily(leave: Callable[[Tensor], object] = lambda kept: None) -> Callable[..., Tensor]:
    """What generate(custom_generate=...) takes. leave: told which rows (kept,) go on, where something else is kept of each."""

    def write(
        model: Any,
        input_ids: Tensor,
        logits_processor: Any,
        stopping_criteria: Any,
        generation_config: Any,
        **given: Any,
    ) -> Tensor:
        given.pop("synced_gpus", None)
        padding = generation_config._pad_token_tensor.to(input_ids.device)
        rows = torch.arange(len(input_ids), device=input_ids.device)
        unfinished = torch.ones_like(rows, dtype=torch.bool)
        written: list[Tensor] = []
        outputs = model._prefill(input_ids, generation_config, given)
        before, whole = input_ids, len(input_ids)
        look = looks_each(input_ids.device)
        while True:
            given = model._update_model_kwargs_for_generation(outputs, given, model.config.is_encoder_decoder)
            logits = outputs.logits[:, -1].to(torch.float32, copy=len(logits_processor) > 0)
            tokens = torch.where(unfinished, logits_processor(input_ids, logits).argmax(-1), padding)
            input_ids = torch.cat([input_ids, tokens[:, None]], dim=1)
            written.append(padding.expand(whole).index_copy(0, rows, tokens))
            unfinished = unfinished & ~stopping_criteria(input_ids, None)
            if len(written) % look == 0 or input_ids.shape[1] == stopping_criteria.max_length:
                left = int(unfinished.sum())
                if left == 0:
                    return torch.cat([before, torch.stack(written, dim=1)], dim=1)
                if left <= FEWER * len(rows):
                    kept = unfinished.nonzero()[:, 0]
                    rows, input_ids, unfinished = rows[kept], input_ids[kept], unfinished[kept]
                    given = {name: kept_rows(value, kept, len(tokens)) for name, value in given.items()}
                    leave(kept)
            outputs = model(
                **model.prepare_inputs_for_generation(input_ids, next_sequence_length=1, **given), return_dict=True
            )

    return write


def looks_each(device: torch.device) -> int:
    """Steps from one look at what is finished to the next."""
    return 1 if device.type == "cpu" else LOOK


def kept_rows(value: Any, kept: Tensor, count: int) -> Any:
    """What generate() keeps of `count` rows, of some of them."""
    if isinstance(value, Cache):
        value.batch_select_indices(kept)
    elif isinstance(value, Tensor) and value.ndim and len(value) == count:
        return value[kept]
    elif isinstance(value, Mapping):  # an encoder's output
        return type(value)(**{name: kept_rows(part, kept, count) for name, part in value.items()})
    return value
