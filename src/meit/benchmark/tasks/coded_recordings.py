"""Recordings whose files tell diagnoses that others gave them, as codes or in words, beside what a draft of ours states.

The files are read as any recording is; what they tell is their cart's statements (meit.ecg.stated.Cart): the SNOMED CT codes
of the PhysioNet/CinC Challenges' Dx lines, and the lines of LUDB's diagnoses. coded_statements.tsv says what they are.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from meit.errors import DataError
from meit.tables import named_rows_of

CHALLENGE_HOSPITALS = {  # by the letters that a challenge's file names begin with
    "A": "CPSC",
    "Q": "CPSC",
    "E": "Georgia",
    "JS": "Chapman",
    "S": "PTB",
    "I": "INCART",
}
PTB_XL = "HR"  # PTB-XL's own recordings, among which are those that models here were trained on: left out
_SNOMED = re.compile(r"\b\d{6,18}\b")


@dataclass(frozen=True)
class CodedStatement:
    """A row of coded_statements.tsv. stated_as: codes of a draft that state it, its own among them."""

    code: str
    stated_as: frozenset[str]
    snomed: frozenset[str]
    words: tuple[str, ...]

    def given(self, snomed: Iterable[str], lines: Sequence[str]) -> bool:
        """Whether a recording was given this diagnosis, by codes or by lines of words."""
        return not self.snomed.isdisjoint(snomed) or bool(self.words and any(x.startswith(self.words) for x in lines))


@cache
def coded_statements() -> tuple[CodedStatement, ...]:
    return tuple(
        CodedStatement(
            row["code"],
            frozenset((row["code"], *row["alike"].split())),
            frozenset(row["snomed"].split()),
            tuple(filter(None, row["ludb"].split("; "))),
        )
        for row in named_rows_of("meit.benchmark.tasks", "coded_statements.tsv")
    )


def diagnoses(statements: Sequence[str]) -> frozenset[str]:
    """The codes of coded_statements.tsv that a file's own statements give its recording."""
    lines = [line.strip() for line in statements]
    snomed = {code for line in lines for code in _SNOMED.findall(line)}
    return frozenset(row.code for row in coded_statements() if row.given(snomed, lines))


def restated(asserted: Iterable[str]) -> frozenset[str]:
    """The rows of coded_statements.tsv that a draft states which asserts these codes."""
    asserted = set(asserted)
    return frozenset(row.code for row in coded_statements() if row.stated_as & asserted)


def coded_files(folders: Sequence[Path]) -> list[tuple[Path, str]]:
    """The headers below folders of recordings as published, in the order of their names, and the hospital of each: by a
    challenge's letters, else the folder's name. Raises DataError where a folder holds none."""
    found = []
    for folder in map(Path, folders):
        files = sorted(folder.rglob("*.hea"))
        if not files:
            raise DataError(f"{folder}: no recording (.hea) lies there: give CinC 2021's or LUDB's as published")
        for file in files:
            letters = re.match("[A-Z]*", file.stem)[0]  # type: ignore[index]  # it matches nothing, at least
            if letters != PTB_XL:
                found.append((file, CHALLENGE_HOSPITALS.get(letters, folder.name)))
    return found
