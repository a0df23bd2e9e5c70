"""What the language model is tuned on, in the order in which it is shown: text alone first, then recordings.

An example is made when it is asked for: memory holds tokens of the answers, and the order, not the examples.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import ConcatDataset, Dataset

from meit.data.batches import EcgSet
from meit.data.shards import read_all_reports
from meit.data.splits import SPLITS, in_share
from meit.errors import ModelError
from meit.model.encoders.encoder import EncoderConfig
from meit.model.language.architectures import LanguageModel
from meit.model.prompt import answer_ids, for_training, prompt_ids
from meit.training.asked import Asked, brief, draw_kinds
from meit.training.recipe import ASKED, INSTRUCTIONS, Recipe
from meit.training.targets import as_if_recorded, plans, targets_of

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


@dataclass(frozen=True)
class View:
    """What the encoder made of a recording: finding probabilities (F,), tokens (S, width); or, where the encoder is
    tuned along, the recording itself: ecg (n, 12), mask (n,)."""

    probabilities: Tensor
    tokens: Tensor
    ecg: Tensor | None = None
    mask: Tensor | None = None


@dataclass(frozen=True)
class Example:
    """One step's item. sees_signal: whether the language model sees the encoder's tokens, or the findings alone."""

    prompt: list[int]
    answer: list[int]
    view: View
    sees_signal: bool


class Answers:
    """Tokens of many reports, one after the other in one array."""

    def __init__(self, tokenizer: "PreTrainedTokenizerBase", texts: Iterable[str], max_tokens: int):
        rows = [np.array(answer_ids(tokenizer, text, max_tokens), dtype=np.int32) for text in texts]
        self.lengths = np.array([len(row) for row in rows])
        self._ends = np.cumsum(self.lengths)
        self._tokens = np.concatenate(rows) if rows else np.zeros(0, np.int32)

    def __len__(self) -> int:
        return len(self.lengths)

    def __getitem__(self, index: int) -> list[int]:
        return self._tokens[self._ends[index] - self.lengths[index] : self._ends[index]].tolist()


@dataclass
class Examples(Dataset):
    """order, sees_signal, prompt: of each example, which report, whether the signal is seen, which of the prompts. asked:
    what gives prompts and answers in place of these, where not all ask for the report; the longest are here even then."""

    answers: Answers
    view: Callable[[int], View]
    prompts: Sequence[list[int]]
    order: np.ndarray
    sees_signal: np.ndarray
    prompt: np.ndarray
    asked: Asked | None = None

    def __len__(self) -> int:
        return len(self.order)

    def __getitem__(self, number: int) -> Example:
        index = int(self.order[number])
        if self.asked is None:
            prompt, answer = self.prompts[int(self.prompt[number])], self.answers[index]
        else:
            prompt, answer = self.asked(number, index)
        return Example(prompt, answer, self.view(index), bool(self.sees_signal[number]))


class EncodedView:
    """What the encoder made of each recording, beforehand: probabilities (N, F), tokens (N, S, width)."""

    def __init__(self, probabilities: Tensor, tokens: Tensor):
        self.probabilities, self.tokens = probabilities, tokens

    def __call__(self, index: int) -> View:
        return View(self.probabilities[index], self.tokens[index])


class RecordedView:
    """The recordings themselves, for an encoder that is tuned along."""

    def __init__(self, data: EcgSet, config: EncoderConfig):
        self.data = data
        self.nothing = torch.zeros(len(config.findings)), torch.zeros(config.n_tokens, config.token_width)

    def __call__(self, index: int) -> View:
        ecgs, masks = self.data.inputs([index])
        return View(*self.nothing, torch.from_numpy(ecgs[0]), torch.from_numpy(masks[0].astype(np.float32)))


def text_examples(
    recipe: Recipe,
    config: EncoderConfig,
    known: np.ndarray,
    held_out: np.ndarray,
    tokenizer: "PreTrainedTokenizerBase",
    prompts: Sequence[list[int]],
) -> Examples | None:
    """text_steps batches of reports of the training folds; their findings stand for the ECG, the signal is hidden.

    The first half is told what each report states, and learns what the finding tokens mean; the second half what an
    encoder might have given, and learns how far to trust it. With a plan all of it is told what each report states.

    known, held_out: targets and held-out probabilities (N, F) of the training recordings.
    """
    if not recipe.text_steps:
        return None
    reports = [r for r in read_all_reports(recipe.data, SPLITS["train"]) if in_share(r.patient_id, recipe.share)]
    rng = np.random.default_rng(recipe.seed)
    # drawn as often as they occur: decoding follows the commonest wording, so it must be the true one
    count = min(recipe.text_steps, len(reports) // recipe.batch_size) * recipe.batch_size
    chosen = [reports[i] for i in rng.permutation(len(reports))[:count]]
    wanted = targets_of(chosen, config)
    told = plans(wanted)
    answers = Answers(tokenizer, [report.text for report in chosen], recipe.max_answer_tokens)
    kinds = _drawn_kinds(recipe, count, recipe.seed)
    order = _in_batches(_lengths(answers.lengths, kinds), recipe.batch_size, rng)
    asked = _asked(recipe, tokenizer, [report.text for report in chosen], recipe.seed, kinds, order)
    if not recipe.plan:
        later = order[count // 2 :]
        told[later] = as_if_recorded(wanted[later], known, held_out, rng)
    no_signal = torch.zeros(1, config.n_tokens, config.token_width).expand(count, -1, -1)
    view = EncodedView(torch.from_numpy(told), no_signal)
    return Examples(answers, view, prompts, order, np.zeros(count, bool), _drawn(prompts, count, recipe.seed), asked)


def ecg_examples(
    recipe: Recipe,
    ecgs: EcgSet,
    view: Callable[[int], View],
    tokenizer: "PreTrainedTokenizerBase",
    prompts: Sequence[list[int]],
    epochs: float,
    hide: float,
) -> Examples:
    """`epochs` passes over the recordings; a share `hide` of them without the encoder's tokens."""
    rng = np.random.default_rng(recipe.seed + 1)
    answers = Answers(tokenizer, ecgs.texts, recipe.max_answer_tokens)
    per_epoch = max(1, len(answers) // recipe.batch_size)
    wanted = round(epochs * per_epoch) * recipe.batch_size
    kinds = _drawn_kinds(recipe, wanted + per_epoch * recipe.batch_size, recipe.seed + 1)
    orders, seen, places = [np.zeros(0, int)], [np.zeros(0, bool)], [np.zeros(0, int)]
    while (shown := sum(map(len, orders))) < wanted:
        order = rng.permutation(len(answers))[: per_epoch * recipe.batch_size]  # each time without another remainder
        at = _in_batches(_lengths(answers.lengths[order], kinds[shown:][: len(order)]), recipe.batch_size, rng)
        orders.append(order[at])
        places.append(shown + at)
        seen.append(rng.random(len(order)) >= hide)
    order, sees_signal, place = (np.concatenate(parts)[:wanted] for parts in (orders, seen, places))
    asked = _asked(recipe, tokenizer, ecgs.texts, recipe.seed + 1, kinds, place)
    return Examples(answers, view, prompts, order, sees_signal, _drawn(prompts, wanted, recipe.seed + 1), asked)


def all_prompts(recipe: Recipe, tokenizer: "PreTrainedTokenizerBase") -> list[list[int]]:
    """The prompts of the recipe's instructions."""
    return [prompt_ids(tokenizer, text, recipe.prompt) for text in INSTRUCTIONS[recipe.instructions]()]


def joined(parts: Sequence[Examples | None]) -> ConcatDataset:
    """One after the other. Raises ModelError where nothing is left to tune on."""
    filled = [part for part in parts if part is not None and len(part)]
    if not filled:
        raise ModelError("nothing to tune on: raise tune_epochs or text_steps, or lower batch_size")
    return ConcatDataset(filled)


class Collator:
    """Examples -> the arguments of ReportModel.forward."""

    def __init__(self, backbone: LanguageModel):
        self.backbone = backbone

    def __call__(self, examples: Sequence[Example]) -> dict[str, Tensor]:
        text, labels = for_training(self.backbone, [e.prompt for e in examples], [e.answer for e in examples])
        views = [example.view for example in examples]
        batch = {
            "ids": text.ids,
            "mask": text.mask,
            "labels": labels,
            "probabilities": torch.stack([view.probabilities for view in views]),
            "tokens": torch.stack([view.tokens for view in views]),
            "signal_mask": torch.tensor([example.sees_signal for example in examples]),
        }
        if text.source_ids is not None and text.source_mask is not None:
            batch |= {"source_ids": text.source_ids, "source_mask": text.source_mask}
        ecgs = [view.ecg for view in views if view.ecg is not None]
        masks = [view.mask for view in views if view.mask is not None]
        if len(ecgs) == len(masks) == len(views):
            batch |= {"ecg": torch.stack(ecgs), "ecg_mask": torch.stack(masks)}
        return batch


def _drawn(prompts: Sequence[list[int]], count: int, seed: int) -> np.ndarray:
    return np.random.default_rng([seed, len(prompts)]).integers(len(prompts), size=count)


def _drawn_kinds(recipe: Recipe, count: int, seed: int) -> np.ndarray:
    """Of each example, what it asks for; empty where all ask for the report."""
    return draw_kinds(count, np.random.default_rng([seed, count])) if recipe.instructions == ASKED else np.zeros(0, int)


def _asked(
    recipe: Recipe,
    tokenizer: "PreTrainedTokenizerBase",
    texts: Sequence[str],
    seed: int,
    kinds: np.ndarray,
    order: np.ndarray,
) -> Asked | None:
    """What gives examples their questions. order: of the kinds that were drawn."""
    if not len(kinds):
        return None
    encode = partial(_tokens, tokenizer, recipe.prompt, recipe.max_answer_tokens)
    return Asked(texts, encode, seed, kinds[order].astype(np.int8))


def _tokens(
    tokenizer: "PreTrainedTokenizerBase", style: str, most: int, instruction: str, answer: str
) -> tuple[list[int], list[int]]:
    return prompt_ids(tokenizer, instruction, style), answer_ids(tokenizer, answer, most)


def _lengths(reports: np.ndarray, kinds: np.ndarray) -> np.ndarray:
    """How long answers are, for batches of like length: as the report, or a sentence."""
    return np.where(brief(kinds), 0, reports) if len(kinds) else reports


def _in_batches(lengths: np.ndarray, batch_size: int, rng: np.random.Generator) -> np.ndarray:
    """The order in which examples of one batch are of like length, so that little is padding; batches at random."""
    by_length = np.lexsort((rng.random(len(lengths)), lengths))
    batches = [by_length[start : start + batch_size] for start in range(0, len(lengths), batch_size)]
    rng.shuffle(batches)
    return np.concatenate(batches)
