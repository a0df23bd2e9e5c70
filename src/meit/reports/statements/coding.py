"""What a reading consists of: statements with their codes."""

from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

from meit.reports.word_tables import scp_codes
from meit.tables import rows_of

CERTAINTIES = ("excluded", "possible", "probable", "definite")  # from the least to the most


@dataclass(frozen=True, slots=True)
class Statement:
    """One finding of a report.

    code: of statement_codes.tsv. text: the words that name it, at report[start:end]. certainty: one of CERTAINTIES.
    territory: the wall of the heart, or leads ("II, III, aVF"), several with "; " between; "" where none is given.
    age: "acute", "recent", "old", "undetermined" or "".
    """

    code: str
    text: str
    start: int
    end: int
    certainty: str = "definite"
    territory: str = ""
    age: str = ""

    @property
    def negated(self) -> bool:
        return self.certainty == "excluded"


@dataclass(frozen=True, slots=True)
class SentenceReading:
    """A sentence and what was read in it; `text` is report[start:end], without the full stop.

    statements: in reading order, their start and end counted in the report. unread: its words that no table knows.
    """

    text: str
    start: int
    end: int
    statements: tuple[Statement, ...]
    unread: tuple[str, ...]

    @property
    def whole(self) -> bool:
        """Whether no word was left unread."""
        return not self.unread


class Reading(NamedTuple):
    """statements, and the words of the text that no pattern knows."""

    statements: tuple[Statement, ...]
    unread: tuple[str, ...]


class Code(NamedTuple):
    """A row of statement_codes.tsv. kind: diagnostic, form, rhythm (PTB-XL's), axis (PTB-XL's heart_axis) or other."""

    code: str
    description: str
    kind: str
    superclass: str
    subclass: str
    aha: str
    aecg_refid: str
    cdisc: str
    dicom: str

    @property
    def is_scp(self) -> bool:
        return self.kind not in ("axis", "other")


@cache
def codes() -> dict[str, Code]:
    """code -> its row of statement_codes.tsv."""
    return {row[0]: Code(*row) for row in rows_of("meit.reports", "statement_codes.tsv")}


def report_words(code: str) -> str:
    """The words that our reports use for a code of codes(); its description where they have none of their own."""
    return scp_codes().get(code, codes()[code].description)
