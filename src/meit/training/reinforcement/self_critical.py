"""A batch of recordings -> sampled drafts, what each is worth, and the batch whose loss is the policy gradient's."""

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from meit.model.prompt import for_training, prompt_ids
from meit.model.report_model import ReportModel
from meit.training.recipe import Recipe
from meit.training.reinforcement.reward_examples import NUMBERS, REPORTS
from meit.training.reinforcement.rewards import Prices, worth_of
from meit.training.reinforcement.sampling import Drawn, draw, numbers

LOGGED = ("reward", "sampled_f1", "sampled_said", "sampled_tokens")


@dataclass
class Tally:
    """Sums over the drafts of a step: drafts, rewards, tokens, and their shared, invented and missed findings."""

    sums: list[float] = field(default_factory=lambda: [0.0] * 6)

    def add(self, *values: float) -> None:
        self.sums = [one + other for one, other in zip(self.sums, values, strict=True)]

    def curves(self, sums: list[float]) -> dict[str, float]:
        """Mean reward, micro F1 of the statements, findings stated, and tokens, a draft."""
        drafts, reward, tokens, shared, invented, missed = sums
        f1 = 2 * shared / max(2 * shared + invented + missed, 1)
        return dict(zip(LOGGED, (reward / drafts, f1, (shared + invented) / drafts, tokens / drafts), strict=True))


class SelfCritical:
    """Self-critical sequence training with the other drafts of a recording as its critic (leave-one-out: Kool et al.,
    2019; Ahmadian et al., 2024, arXiv 2402.14740), in place of the greedy draft of Rennie et al."""

    def __init__(self, recipe: Recipe):
        self.recipe = recipe
        self.prices = Prices(recipe.invented_price, recipe.wording_weight)
        self.tally = Tally()

    def batch(self, model: ReportModel, inputs: dict[str, Any]) -> dict[str, Any]:
        """A batch of RewardCollator -> what ReportModel.forward takes: the drafts that are better or worse than their
        like, each with its weight; two that are the same are one."""
        recipe = self.recipe
        drafts = self.sample(model, inputs)
        rewards = torch.tensor(
            [
                self._worth(draft, report)
                for draft, report in zip(
                    drafts, (text for text in inputs[REPORTS] for _ in range(recipe.reward_samples)), strict=True
                )
            ]
        ).view(-1, recipe.reward_samples)
        weights: dict[tuple[int, tuple[int, ...]], float] = {}
        for number, (draft, weight) in enumerate(zip(drafts, advantages(rewards).flatten().tolist(), strict=True)):
            key = number // recipe.reward_samples, tuple(draft.tokens)
            weights[key] = weights.get(key, 0.0) + weight
        told = {key: weight for key, weight in weights.items() if abs(weight) > 1e-6}
        chosen = told or dict(list(weights.items())[:1])  # with none, other processes would wait for this one
        rows = torch.tensor([row for row, _ in chosen], device=inputs["tokens"].device)
        prompt = prompt_ids(model.tokenizer, model.spec.instruction, model.spec.prompt)
        text, labels = for_training(model.backbone, [prompt] * len(chosen), [list(tokens) for _, tokens in chosen])
        batch: dict[str, Tensor | None] = {
            "ids": text.ids,
            "mask": text.mask,
            "labels": labels,
            "source_ids": text.source_ids,
            "source_mask": text.source_mask,
            "weights": torch.tensor(list(chosen.values())),
        }
        moved = {name: value.to(rows.device) for name, value in batch.items() if value is not None}
        return moved | {name: inputs[name][rows] for name in ("probabilities", "tokens", "signal_mask")}

    def sample(self, model: ReportModel, inputs: dict[str, Any]) -> list[Drawn]:
        """reward_samples drafts of each recording, written as drafts are: without dropout."""
        recipe = self.recipe
        prompt = prompt_ids(model.tokenizer, model.spec.instruction, model.spec.prompt)
        by = numbers(recipe.seed, inputs[NUMBERS], recipe.reward_samples, recipe.max_answer_tokens)
        training = model.training
        model.eval()
        with torch.no_grad():
            ecg = model.ecg_tokens(inputs["probabilities"], inputs["tokens"])
        drafts = draw(model, prompt, ecg, by)
        model.train(training)
        return drafts

    def _worth(self, draft: Drawn, report: str) -> float:
        found = worth_of(draft.text, report, draft.finished)
        reward = found.reward(self.prices)
        self.tally.add(1, reward, len(draft.tokens), found.shared, found.invented, found.missed)
        return reward

    def curves(self, accelerator: Any) -> dict[str, float]:
        """What the step's drafts were like, over all processes; nothing where none were sampled. Starts anew."""
        sums = accelerator.reduce(torch.tensor(self.tally.sums, device=accelerator.device), "sum").tolist()
        self.tally = Tally()
        return self.tally.curves(sums) if sums[0] else {}


def advantages(rewards: Tensor) -> Tensor:
    """(B, samples) -> the same: each draft's reward without the mean of the other drafts of its recording."""
    samples = rewards.shape[1]
    return (rewards - rewards.mean(1, keepdim=True)) * (samples / (samples - 1))
