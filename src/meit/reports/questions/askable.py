"""What can be asked: findings by their plain names, and the wordings of each kind of question."""

import re
from collections.abc import Iterable
from functools import cache
from typing import NamedTuple

from meit.reports.statements import asserted, read_statements
from meit.tables import rows_of

_ARTICLE = re.compile(r"^(?:an?|any) ")


class Askable(NamedTuple):
    """A row of askable_findings.tsv. codes: of the statements that mean yes. unclear: of those beside which silence is
    no answer. names: as they stand in a question, the usual one first."""

    codes: frozenset[str]
    unclear: frozenset[str]
    names: tuple[str, ...]

    def stated(self, stated: Iterable[str]) -> bool:
        """Whether codes that a report asserts mean yes."""
        return not self.codes.isdisjoint(stated)

    def denied(self, stated: Iterable[str]) -> bool:
        """Whether a report that asserts these codes, and none of the finding's own, means no."""
        return (self.codes | self.unclear).isdisjoint(stated)


def bare(name: str) -> str:
    """A finding's name without its article, as in "No paced rhythm."."""
    return _ARTICLE.sub("", name)


@cache
def askable_findings() -> tuple[Askable, ...]:
    """The rows of askable_findings.tsv."""
    return tuple(
        Askable(frozenset(codes.split()), frozenset(unclear.split()), tuple(names.split("; ")))
        for codes, unclear, names in rows_of("meit.reports", "askable_findings.tsv")
    )


@cache
def wordings(kind: str) -> tuple[str, ...]:
    """How a kind of question is worded (question_wordings.tsv); "{finding}" stands for the name of what is asked for.
    None of "report", whose wordings are the instructions of meit.model.prompt."""
    return tuple(wording for name, wording in rows_of("meit.reports", "question_wordings.tsv") if name == kind)


def named(name: str) -> Askable:
    """The finding that a name means; one that is in no row is known by what meit.reports.statements reads in it. Raises
    ValueError where it reads nothing."""
    for row in askable_findings():
        if name in row.names:
            return row
    codes = asserted(read_statements(name))
    if not codes:
        raise ValueError(f"{name!r} names no finding that is known")
    return Askable(frozenset(codes), frozenset(), (name,))
