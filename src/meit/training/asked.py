"""Questions in place of the instruction to write the report: of each example its kind, its wording and its answer.

All of it follows from a seed and the example's number, so that memory holds one small number for each example.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from meit.model.prompt import instructions
from meit.reports.questions import FINDING, KINDS, REPORT, Askable, answer_of, askable_findings, wordings
from meit.reports.statements import asserted, read_statements

FULL_SHARE = 0.6  # share of the examples that ask for the full report; the other kinds share the rest equally
BRIEF = ("rhythm", FINDING)  # kinds whose answers are a sentence, however long the report
HERE = 0.6  # of two reports that both have a finding of their own, how often this one's is asked for
OTHERS = 8  # reports that are looked through for a finding that tells them from this one

_T = TypeVar("_T")


@dataclass(frozen=True)
class Asked:
    """What is asked of examples. texts: the reports. encode: an instruction and its answer -> the tokens of both.
    kinds: of each example, its place in KINDS."""

    texts: Sequence[str]
    encode: Callable[[str, str], tuple[list[int], list[int]]]
    seed: int
    kinds: np.ndarray

    def __call__(self, number: int, index: int) -> tuple[list[int], list[int]]:
        """Prompt and answer of example `number`, which shows the recording of report `index`."""
        return self.encode(*self.words(number, index))

    def words(self, number: int, index: int) -> tuple[str, str]:
        """The same in words."""
        rng = np.random.default_rng([self.seed, number])
        return question_and_answer(tuple(KINDS)[self.kinds[number]], self.texts, index, rng)


def draw_kinds(count: int, rng: np.random.Generator) -> np.ndarray:
    """(count,) places in KINDS, of which FULL_SHARE are full reports."""
    rest = (1 - FULL_SHARE) / (len(KINDS) - 1)
    return rng.choice(len(KINDS), count, p=[FULL_SHARE if kind == REPORT else rest for kind in KINDS])


def brief(kinds: np.ndarray) -> np.ndarray:
    """Which of them have answers of a sentence."""
    return np.isin(kinds, [place for place, kind in enumerate(KINDS) if kind in BRIEF])


def question_and_answer(kind: str, texts: Sequence[str], index: int, rng: np.random.Generator) -> tuple[str, str]:
    """A question of a kind about the recording of texts[index], worded by chance, and what that report answers."""
    name = _one_of(finding_to_ask(texts, index, rng).names, rng) if kind == FINDING else ""
    return question_about(kind, rng, name), answer_of(kind, texts[index], name)


def question_about(kind: str, rng: np.random.Generator, finding: str = "") -> str:
    """A question of a kind, worded by chance. finding: the name of what FINDING asks for."""
    question = _one_of(wordings(kind) or instructions(), rng).format(finding=finding)
    return question[:1].upper() + question[1:]


def finding_to_ask(texts: Sequence[str], index: int, rng: np.random.Generator) -> Askable:
    """A finding that texts[index] states and another report lacks, or the reverse.

    So yes and no are about equally frequent for every single finding, whatever its prevalence, because either report is
    drawn as often as the other; and what is not there is what another patient has. Reports that differ in no finding that
    can be asked for are passed over, which normal ones do more often: HERE makes up for that. Where all those drawn are,
    any finding is asked for that this report denies.
    """
    mine = asserted(read_statements(texts[index]))
    for other in rng.integers(len(texts), size=OTHERS):
        theirs = asserted(read_statements(texts[int(other)]))
        here = [one for one in askable_findings() if one.stated(mine) and one.denied(theirs)]
        there = [one for one in askable_findings() if one.denied(mine) and one.stated(theirs)]
        if here or there:
            first, second = (here, there) if rng.random() < HERE else (there, here)
            return _one_of(first or second, rng)
    return _one_of([one for one in askable_findings() if one.denied(mine)] or askable_findings(), rng)


def _one_of(given: Sequence[_T], rng: np.random.Generator) -> _T:
    return given[int(rng.integers(len(given)))]
