"""What a sampled draft is worth beside the report of its recording."""

import re
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache

from meit.reports.statements import asserted, read_sentences

_ORDERS = 4
_WORD = re.compile(r"\w+|[^\w\s]")


@dataclass(frozen=True)
class Prices:
    """A missed finding costs 1. invented: what an invented one costs; wording: what a draft gains whose words are all
    the report's; flaw: what each flaw of a draft costs that no reader of the two texts needs the ECG for."""

    invented: float
    wording: float
    flaw: float = 1.0


@dataclass(frozen=True)
class Worth:
    """Of one draft: findings that it shares with the report, that only it states, and that only the report does; its
    flaws; how far its words are the report's, 0..1."""

    shared: int
    invented: int
    missed: int
    flaws: int
    wording: float

    def reward(self, prices: Prices) -> float:
        """Linear in the findings, so that the mean over recordings rises with the corpus' F1 and not with that of short
        reports: micro F1 rises with shared - F / (2 - F) * invented, where F is the F1 that has been reached."""
        lost = self.missed + prices.invented * self.invented + prices.flaw * self.flaws
        return prices.wording * self.wording - lost


def worth_of(draft: str, report: str, finished: bool = True) -> Worth:
    """finished: whether the draft came to its end before the limit of its length."""
    said, flaws = _read(draft)
    there, _ = _read(report)
    return Worth(
        shared=len(said & there),
        invented=len(said - there),
        missed=len(there - said),
        flaws=flaws + (not finished) + (not draft.strip()),
        wording=likeness(draft, report),
    )


@lru_cache(maxsize=65_536)  # drafts and reports recur
def _read(text: str) -> tuple[frozenset[str], int]:
    """The findings that a text asserts; how many sentences it repeats, and how many findings it both asserts and excludes."""
    sentences = read_sentences(text)
    statements = [statement for sentence in sentences for statement in sentence.statements]
    said = asserted(statements)
    excluded = {statement.code for statement in statements if statement.negated}
    repeated = len(sentences) - len({" ".join(_words(sentence.text)) for sentence in sentences})
    return frozenset(said), repeated + len(said & excluded)


def likeness(draft: str, report: str) -> float:
    """GLEU (Wu et al., 2016, arXiv 1609.08144): n-grams of 1 to 4 words that both have, over those of the longer text;
    0..1, and 1 only of a text with itself. A single sentence has one, unlike BLEU and CIDEr-D, which need a corpus."""
    mine, theirs = _ngrams(draft), _ngrams(report)
    most = max(mine.total(), theirs.total())
    return (mine & theirs).total() / most if most else 1.0


@lru_cache(maxsize=65_536)
def _ngrams(text: str) -> Counter[tuple[str, ...]]:
    words = _words(text)
    return Counter(
        tuple(words[start : start + order])
        for order in range(1, _ORDERS + 1)
        for start in range(len(words) - order + 1)
    )


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower())
