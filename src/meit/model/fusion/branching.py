"""Several drafts of each prompt, drawn by chance, in transformers' `generate`: as long as two are alike they are one row.

Drafts of one ECG begin alike, and many are the same to the end. A row of the batch is a beginning that drafts have in
common; it branches where they differ, and leaves when all of its drafts are finished.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from meit.model.fusion.greedy import kept_rows

Pick = Callable[[Tensor, Tensor, int], Tensor]


def branching(pick: Pick, times: int, leave: Callable[[Tensor], object] = lambda kept: None) -> Callable[..., Tensor]:
    """What generate(custom_generate=...) takes, to write `times` drafts of each prompt, those of the first one first.

    pick: logits (D, V), which drafts those are (D,), how many tokens they have -> the next token of each (D,).
    leave: told which rows the next ones come from, where something else is kept of each.
    """

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
        row = torch.arange(len(input_ids), device=input_ids.device).repeat_interleave(times)  # of each draft
        drafts = torch.arange(len(row), device=row.device)  # those that are not finished
        whole = torch.cat([input_ids[row], padding.expand(len(row), _room(input_ids, stopping_criteria))], dim=1)
        outputs = model._prefill(input_ids, generation_config, given)
        for step in range(whole.shape[1] - input_ids.shape[1]):
            given = model._update_model_kwargs_for_generation(outputs, given, model.config.is_encoder_decoder)
            logits = logits_processor(input_ids, outputs.logits[:, -1].float())
            tokens = pick(logits[row], drafts, step)
            length = input_ids.shape[1]
            whole[drafts, length] = tokens
            going = ~stopping_criteria(whole[drafts, : length + 1], None)
            drafts, row, tokens = drafts[going], row[going], tokens[going]
            if not len(drafts):
                return whole[:, : length + 1]
            branches, row_next = torch.unique(row * logits.shape[1] + tokens, return_inverse=True)
            origin = branches // logits.shape[1]
            if len(origin) != len(input_ids) or not torch.equal(
                origin, torch.arange(len(origin), device=origin.device)
            ):
                given = {name: kept_rows(value, origin, len(input_ids)) for name, value in given.items()}
                input_ids = input_ids[origin]
                leave(origin)
            row = row_next
            input_ids = torch.cat([input_ids, (branches % logits.shape[1])[:, None]], dim=1)
            outputs = model(
                **model.prepare_inputs_for_generation(input_ids, next_sequence_length=1, **given), return_dict=True
            )
        return whole

    return write


def _room(input_ids: Tensor, stopping_criteria: Any) -> int:
    """How many tokens may follow."""
    return int(stopping_criteria.max_length) - input_ids.shape[1]
