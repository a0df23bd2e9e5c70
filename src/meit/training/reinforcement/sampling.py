"""Drafts drawn from a language model, as it stands in training: temperature 1, its adapter beside the backbone."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from meit.model.fusion import Text
from meit.model.language.architectures import input_embeddings, plain
from meit.model.prompt import for_drafting
from meit.model.report_model import ReportModel


@dataclass(frozen=True)
class Drawn:
    """One sampled draft: its tokens, with the end of text where it came to that, and its words."""

    tokens: list[int]
    text: str
    finished: bool


def numbers(seed: int, examples: Sequence[int], samples: int, length: int) -> Tensor:
    """(len(examples) * samples, length) in 0..1: what the drafts of an example are drawn by. They depend on nothing but
    its number, so that a run that is resumed, or shared among processes, draws the same."""
    drawn = [np.random.default_rng([seed, number]).random((samples, length), np.float32) for number in examples]
    return torch.from_numpy(np.concatenate(drawn))


@torch.no_grad()
def draw(model: ReportModel, prompt: list[int], ecg: Tensor, drawn_by: Tensor) -> list[Drawn]:
    """Drafts of ECG tokens (B, S, hidden), one for each row of drawn_by (B * samples, length): B's first, and so on."""
    first = input_embeddings(model.backbone)
    samples = len(drawn_by) // len(ecg)
    text: Text = for_drafting(model.backbone, [prompt] * len(ecg)).to(first.device)
    drawn_by = drawn_by.to(first.device)

    def pick(logits: Tensor, rows: Tensor, step: int) -> Tensor:
        return picked(logits, drawn_by[rows, step])

    written = model.fusion.generate(
        model.backbone,
        text,
        ecg.to(first),
        text.mask.new_ones(ecg.shape[:2]),
        max_new_tokens=drawn_by.shape[1],
        do_sample=False,
        pick=pick,
        times=samples,
    )
    config: Any = plain(model.backbone).generation_config
    ends = set(config.eos_token_id if isinstance(config.eos_token_id, list) else [config.eos_token_id])
    rows = [_ended(row, ends) for row in written.tolist()]
    texts = model.tokenizer.batch_decode(rows, skip_special_tokens=True)
    return [Drawn(row, text.strip(), row[-1] in ends) for row, text in zip(rows, texts, strict=True)]


def picked(logits: Tensor, by: Tensor) -> Tensor:
    """The tokens (B,) at which the distribution of logits (B, V), summed up, passes `by` (B,), in 0..1."""
    below = logits.softmax(-1).cumsum_(-1)
    wanted = (by * below[:, -1])[:, None].contiguous()
    return torch.searchsorted(below, wanted, right=True)[:, 0].clamp_max(logits.shape[1] - 1)


def _ended(row: list[int], ends: set[int]) -> list[int]:
    """A row up to its end of text; what follows is padding."""
    return row[: next((place + 1 for place, token in enumerate(row) if token in ends), len(row))]
