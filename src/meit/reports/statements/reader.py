"""Reads a report sentence by sentence."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import lru_cache

from meit.reports.statements.abbreviations import spelled_out
from meit.reports.statements.asides import without_asides
from meit.reports.statements.coding import CERTAINTIES, Reading, SentenceReading, Statement
from meit.reports.statements.modifiers import ages, bounds_of, certainties, modifiers_in, past
from meit.reports.statements.patterns import Span, find, masked
from meit.reports.statements.walls import placed, places_in, territories

# A full stop ends no sentence within a number and after these.
_SENTENCE = re.compile(
    r"(?:[^.;!?\n]|\.(?=\d)|(?<=\bvs)\.|(?<=\bapprox)\.|(?<=\bvent)\.|(?<=\bposs)\.|(?<=\bprob)\.|(?<=\bincompl)\."
    r"|(?<=\b[aw])\.(?=\s?\w)|(?<=\bmin)\.(?= [a-z])|(?<=\bdeg)\.|\?(?!\s+[A-Z]|\s*$))+(?:\?(?=\s+[A-Z]|\s*$))?",
    re.IGNORECASE | re.MULTILINE,
)
_ASKED = re.compile(r"\s*(?:is|are|does|do|has|could|can|any|was|what|which)\b", re.IGNORECASE)
_WORD = re.compile(r"[^\W\d_](?:[^\W_]|-)+")


def read_statements(report: str) -> list[Statement]:
    """The statements of a report, in reading order; excluded ones too. Any text will do; most text says nothing."""
    return list(read(report).statements)


def read(report: str) -> Reading:
    """As read_statements, and the words that were not understood."""
    sentences = read_sentences(report)
    return Reading(
        tuple(statement for sentence in sentences for statement in sentence.statements),
        tuple(word for sentence in sentences for word in sentence.unread),
    )


def read_sentences(report: str) -> tuple[SentenceReading, ...]:
    """The sentences of a report in their order, each with what was read in it. A sentence ends at a full stop,
    a semicolon, an exclamation or question mark or the end of a line; blank ones are left out."""
    spans = list(_sentences(report))
    sentences: list[SentenceReading] = []
    for start, end in spans:
        text = report[start:end]
        reading = _read_sentence(text, len(spans) > 1 and not sentences)
        statements = tuple(replace(s, start=s.start + start, end=s.end + start) for s in reading.statements)
        sentences.append(SentenceReading(text, start, end, statements, reading.unread))
    return tuple(sentences)


def asserted(statements: Iterable[Statement]) -> set[str]:
    """The codes that are stated with whatever certainty, without those excluded."""
    return {statement.code for statement in statements if not statement.negated}


def _sentences(report: str) -> Iterator[tuple[int, int]]:
    for match in _SENTENCE.finditer(report):
        text = match.group()
        start = match.start() + len(text) - len(text.lstrip())
        if text.strip():
            yield start, start + len(text.strip())


@lru_cache(maxsize=262_144)  # sentences recur: PTB-XL's 21,500 reports consist of some 4,000
def _read_sentence(sentence: str, opening: bool) -> Reading:
    spelled = spelled_out(sentence)
    asked = spelled.text.endswith("?")
    if asked and _ASKED.match(spelled.text):
        return Reading((), ())
    text = without_asides(spelled.text, opening)
    findings, rest = find(text)
    places, rest = places_in(rest)
    modifiers, rest = modifiers_in(rest)
    statements = [finding for finding in findings if finding.code != "-"]
    bounds = bounds_of(masked(text, places))
    if asked:
        modifiers["certainty before"].append(Span(max(bounds, default=0), max(bounds, default=0), "possible"))
    told = past(statements, modifiers, bounds, text)
    statements_now = [one for index, one in enumerate(statements) if index not in told]
    read_as = []
    for one, certainty, names, age in zip(
        statements_now,
        certainties(statements_now, modifiers, bounds, text),
        territories(statements_now, places, text),
        ages(statements_now, modifiers),
        strict=True,
    ):
        start, end = spelled.original(one.start, one.end)
        least = min(certainty, one.at_most, key=CERTAINTIES.index)
        for code, place in placed(one.code, names):
            read_as.append(Statement(code, sentence[start:end], start, end, least, place, one.age or age))
    unread = [sentence[slice(*spelled.original(*match.span()))] for match in _WORD.finditer(rest)]
    return Reading(tuple(read_as), tuple(unread))
