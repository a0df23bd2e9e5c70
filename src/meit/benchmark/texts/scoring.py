"""How texts are scored, as `meit evaluate` is asked for it."""

import importlib
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np

from meit.benchmark.texts.protocols import TextProtocol

FURTHER = {  # what is slow and asked for by name: METEOR, BERTScore
    "meteor": ("meit.benchmark.texts.meteor", "Meteor"),
    "bertscore": ("meit.benchmark.texts.bertscore", "BertScore"),
}


class Scorer(Protocol):
    """names: of its metrics; about: what they are made with, for results.json."""

    names: tuple[str, ...]
    about: dict

    def score(self, pairs: list[tuple[str, str]], protocol: TextProtocol) -> np.ndarray:
        """(pairs, names) of (hypothesis, reference) texts."""


@dataclass(frozen=True)
class Scoring:
    """The protocol's name, and which of FURTHER. encoder: BERTScore's, by default its own choice."""

    protocol: str = "corpus"
    further: tuple[str, ...] = ()
    encoder: str | None = None

    @cached_property
    def scorers(self) -> list[Scorer]:
        """Raises DataError, ModelError where what a metric needs is absent: ask before drafting, which takes long."""
        made = []
        for name in self.further:
            module, kind = FURTHER[name]
            options = [self.encoder] if name == "bertscore" and self.encoder else []
            made.append(getattr(importlib.import_module(module), kind)(*options))
        return made

    def check(self) -> None:
        """What is absent shall say so before drafting: raises as `scorers` does."""
        _ = self.scorers
