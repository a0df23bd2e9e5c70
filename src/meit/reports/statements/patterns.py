"""Wordings of findings, and how patterns of all the tables are compiled."""

import re
from collections.abc import Iterable
from functools import cache
from typing import NamedTuple

from meit.tables import rows_of

TAKEN = "\0"  # stands for what was read already
# What patterns of the tables may name in angle brackets.
SHORTHANDS = {
    "<is>": r"(?: ?:| (?:is|are|was|were|appears?|remains?|looks?|seems?|has become|have become|became))?"
    r"(?: (?:not|no longer|now|again|still|also|all|quite|rather|somewhat|very|more|less|only|just|noted to be|to be"
    r"|un\w*questionably|clearly|slightly|mildly|moderately|markedly|grossly|severely|minimally|significantly"
    r"|abnormally|borderline))*",
    "<record>": r"(?:ecg|ekg|electrocardiogram|tracing|trace|recording|cardiogram|graph|study)",
}
_INNER_NEGATION = re.compile(r"\b(?:not|no longer)\b", re.IGNORECASE)


class Span(NamedTuple):
    """A modifier, a place or an aside within a sentence."""

    start: int
    end: int
    value: str


class Finding(NamedTuple):
    """at_most: how certain its wording can be at best. age: where the wording itself tells it."""

    start: int
    end: int
    code: str
    at_most: str
    age: str


class _Wording(NamedTuple):
    codes: list[str]
    pattern: re.Pattern[str]
    at_most: str
    age: str
    has_verb: bool  # so that a "not" within it excludes


def compiled(pattern: str) -> re.Pattern[str]:
    """A pattern of a table: a space stands for any white space, and letters for both cases."""
    for name, meaning in SHORTHANDS.items():
        pattern = pattern.replace(name, meaning)
    return re.compile(pattern.replace(" ?", r"\s*").replace(" ", r"\s+"), re.IGNORECASE)


def masked(text: str, spans: Iterable[tuple[int, int, str]]) -> str:
    for start, end, _ in spans:
        text = text[:start] + TAKEN * (end - start) + text[end:]
    return text


def take(pattern: re.Pattern[str], text: str, value: str) -> tuple[list[Span], str]:
    """Where a pattern stands, and the text without it."""
    spans = [Span(*match.span(), value) for match in pattern.finditer(text) if match.group()]
    return spans, masked(text, spans) if spans else text


def find(sentence: str) -> tuple[list[Finding], str]:
    """Findings in reading order ("-" those of no code), and the sentence without their words."""
    findings = []
    for wording in _wordings():
        spans, sentence = _taken(wording, sentence)
        for span in spans:
            findings += [Finding(span.start, span.end, code, span.value, wording.age) for code in wording.codes]
    return sorted(findings, key=lambda one: (one.start, one.end)), sentence


def _taken(wording: _Wording, sentence: str) -> tuple[list[Span], str]:
    spans, rest = take(wording.pattern, sentence, wording.at_most)
    if wording.has_verb:
        spans = [
            span._replace(value="excluded") if _INNER_NEGATION.search(sentence, span.start, span.end) else span
            for span in spans
        ]
    return spans, rest


@cache
def _wordings() -> list[_Wording]:
    return [
        _Wording(
            names.split(), compiled(rf"(?<![\w-])(?:{pattern})(?!\w)"), at_most or "definite", age, "<is>" in pattern
        )
        for names, pattern, at_most, age, _note in rows_of("meit.reports", "statement_patterns.tsv")
    ]
