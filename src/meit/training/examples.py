"""What the language model is tuned on, in the order in which it is shown: text alone first, then recordings."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from meit.data.batches import EcgSet
from meit.data.shards import Report, read_all_reports
from meit.data.splits import SPLITS
from meit.model.encoder import EncoderConfig
from meit.model.prompt import answer_ids, for_training
from meit.training.features import as_if_recorded
from meit.training.pretrain import finding_targets
from meit.training.recipe import Recipe


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
    """One step's item. shown: whether the language model sees the encoder's tokens, or the findings alone."""

    answer: list[int]
    view: View
    shown: bool


def text_examples(recipe: Recipe, config: EncoderConfig, ecgs: EcgSet, held_out: np.ndarray, tokenizer) -> list[Example]:
    """text_steps batches of reports of the training folds; their codes stand for the ECG, the signal is hidden."""
    if not recipe.text_steps:
        return []
    reports = read_all_reports(recipe.data, SPLITS["train"])
    rng = np.random.default_rng(recipe.seed)
    # drawn as often as they occur: decoding follows the commonest wording, so it must be the true one
    count = min(recipe.text_steps, len(reports) // recipe.batch_size) * recipe.batch_size
    chosen = [reports[i] for i in rng.permutation(len(reports))[:count]]
    targets = _targets(chosen, config)
    given = torch.from_numpy(as_if_recorded(targets, _targets(ecgs.reports, config), held_out, rng))
    unseen = torch.zeros(config.n_tokens, config.width)
    answers = [answer_ids(tokenizer, report.text, recipe.max_answer_tokens) for report in chosen]
    examples = [Example(answer, View(row, unseen), False) for answer, row in zip(answers, given, strict=True)]
    return _in_batches(examples, recipe.batch_size, rng)


def ecg_examples(
    recipe: Recipe, ecgs: EcgSet, probabilities: np.ndarray, tokens: Tensor, tokenizer, epochs: float, hide: float
) -> list[Example]:
    """`epochs` passes over the recordings; a share `hide` of them without the encoder's tokens."""
    rng = np.random.default_rng(recipe.seed + 1)
    answers = [answer_ids(tokenizer, text, recipe.max_answer_tokens) for text in ecgs.texts]
    views = [View(*pair) for pair in zip(torch.from_numpy(probabilities), tokens, strict=True)]
    if recipe.tune_encoder:
        masks = ecgs.masks.astype(np.float32)
        views = [
            View(view.probabilities, view.tokens, torch.from_numpy(ecg), torch.from_numpy(mask))
            for view, ecg, mask in zip(views, ecgs.ecgs, masks, strict=True)
        ]
    examples: list[Example] = []
    per_epoch = max(1, len(answers) // recipe.batch_size)
    wanted = round(epochs * per_epoch) * recipe.batch_size
    while len(examples) < wanted:
        order = rng.permutation(len(answers))[: per_epoch * recipe.batch_size]  # another remainder is left out each time
        shown = rng.random(len(order)) >= hide
        epoch = [Example(answers[i], views[i], bool(show)) for i, show in zip(order, shown, strict=True)]
        examples += _in_batches(epoch, recipe.batch_size, rng)
    return examples[:wanted]


class Collator:
    """Examples -> the arguments of ReportModel.forward."""

    def __init__(self, backbone, prompt: Sequence[int]):
        self.backbone, self.prompt = backbone, list(prompt)

    def __call__(self, examples: Sequence[Example]) -> dict[str, Tensor]:
        text, labels = for_training(self.backbone, [self.prompt] * len(examples), [e.answer for e in examples])
        views = [example.view for example in examples]
        batch = {
            "ids": text.ids,
            "mask": text.mask,
            "labels": labels,
            "probabilities": torch.stack([view.probabilities for view in views]),
            "tokens": torch.stack([view.tokens for view in views]),
            "signal_mask": torch.tensor([example.shown for example in examples]),
        }
        if text.source_ids is not None:
            batch |= {"source_ids": text.source_ids, "source_mask": text.source_mask}
        if all(view.ecg is not None for view in views):
            batch |= {"ecg": torch.stack([v.ecg for v in views]), "ecg_mask": torch.stack([v.mask for v in views])}
        return batch


def _targets(reports: Sequence[Report], config: EncoderConfig) -> np.ndarray:
    return np.stack([finding_targets(report, config.findings) for report in reports])


def _in_batches(examples: list[Example], batch_size: int, rng) -> list[Example]:
    """The same examples, those of one batch of like length, so that little is padding; batches in random order."""
    order = sorted(range(len(examples)), key=lambda i: (len(examples[i].answer), rng.random()))
    batches = [order[start : start + batch_size] for start in range(0, len(order), batch_size)]
    rng.shuffle(batches)
    return [examples[i] for batch in batches for i in batch]
