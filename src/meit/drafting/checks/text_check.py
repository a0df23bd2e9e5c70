"""Any text, a reader's or a model's, held against what was measured."""

from dataclasses import dataclass

from meit.drafting.checks.grounding import CONTRADICTED, Grounded, Omission, check_statements, marked, omissions
from meit.drafting.checks.grounding_rules import SexAge
from meit.ecg.measure import Measurements
from meit.reports.statements import Statement, read, read_sentences


@dataclass(frozen=True)
class TextCheck:
    """statements: each with its support and the evidence in words. unmentioned: what was measured, is important, and is
    not in the text. unread: the words that were not understood."""

    statements: tuple[Grounded, ...]
    unmentioned: tuple[Omission, ...]
    unread: tuple[str, ...]

    @property
    def contradictions(self) -> tuple[str, ...]:
        """What has to be acknowledged before the text is signed: the evidence, each once."""
        return tuple(dict.fromkeys(one.evidence for one in self.statements if one.support == CONTRADICTED))


def hold_against(text: str, measurements: Measurements, sex: str | None, age: float | None) -> TextCheck:
    """sex: "F", "M" or None; age in years."""
    patient, reading = SexAge(sex, age), read(text)
    statements = list(reading.statements)
    grounded, unmentioned = (
        marked(text, check_statements(statements, measurements, patient)),
        omissions(statements, measurements, patient),
    )
    return TextCheck(tuple(grounded), tuple(unmentioned), reading.unread)


def read_whole(text: str) -> tuple[Statement, ...]:
    """The statements of sentences in which no word was left unread: what may be coded. A word that is not understood
    can turn the sentence around."""
    return tuple(one for sentence in read_sentences(text) if sentence.whole for one in sentence.statements)
