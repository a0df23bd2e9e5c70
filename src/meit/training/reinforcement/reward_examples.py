"""The examples of the reward stage: recordings under the instruction that drafts are asked for with, and their reports."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from meit.data.batches import EcgSet
from meit.model.prompt import prompt_ids
from meit.training.examples import Collator, Example, Examples, View, ecg_examples
from meit.training.recipe import Recipe

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

REPORTS, NUMBERS = "reports", "numbers"  # what a batch of this stage holds besides


@dataclass(frozen=True)
class Rewarded(Example):
    """An example whose drafts are sampled. number: its place in this stage."""

    report: str
    number: int


@dataclass
class RewardExamples(Examples):
    """reports: of each recording, whole."""

    reports: Sequence[str] = ()

    def __getitem__(self, number: int) -> Rewarded:
        plain = super().__getitem__(number)
        report = self.reports[int(self.order[number])]
        return Rewarded(plain.prompt, plain.answer, plain.view, plain.sees_signal, report, number)


def reward_examples(
    recipe: Recipe, ecgs: EcgSet, view: Callable[[int], View], tokenizer: "PreTrainedTokenizerBase", instruction: str
) -> RewardExamples | None:
    """reward_steps batches of recordings. view: what encoders gave of each that had not seen it."""
    if not recipe.reward_steps:
        return None
    epochs = recipe.reward_steps / max(1, len(ecgs.texts) // recipe.batch_size)
    prompts = [prompt_ids(tokenizer, instruction, recipe.prompt)]
    fixed = replace(recipe, instructions="one")
    shown = ecg_examples(fixed, ecgs, view, tokenizer, prompts, epochs, 0.0)
    return RewardExamples(**vars(shown), reports=ecgs.texts)


class RewardCollator(Collator):
    """Examples of any stage -> a batch; those of the reward stage bring reports and numbers along."""

    def __call__(self, examples: Sequence[Example]) -> dict[str, Any]:
        batch: dict[str, Any] = super().__call__(examples)
        rewarded = [example for example in examples if isinstance(example, Rewarded)]
        if rewarded:
            batch |= {REPORTS: [one.report for one in rewarded], NUMBERS: [one.number for one in rewarded]}
        return batch
