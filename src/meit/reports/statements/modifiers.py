"""How certain a finding is, how old, and whether it is told as past.

A scope of a modifier is a part of the sentence, as in NegEx (Chapman et al., J Biomed Inform 2001,
doi:10.1006/jbin.2001.1029).
"""

import re
from collections.abc import Sequence
from functools import cache

from meit.reports.statements.coding import CERTAINTIES
from meit.reports.statements.patterns import Finding, Span, compiled, take
from meit.reports.statements.walls import BY_TERRITORY
from meit.tables import rows_of

Modifiers = dict[str, list[Span]]  # kind -> where they stand

# Where the reach of "possible" or "no" ends; a comma does not end it within "no Q waves, ST elevation or ...".
_BOUNDARY = re.compile(
    r":|\(|\)|\bbut\b|\bhowever\b|\b(?:al)?though\b|\bwhereas\b|\bapart from\b|\bexcept\b|\bwith\b"
    r"|\band (?:the|there|it)\b|,(?![^:(]*\bn?or\b)",
    re.IGNORECASE,
)
_JOINT = re.compile(r"[\s,/]*(?:\b(?:and|or|nor)\b)?[\s,/]*", re.IGNORECASE)
_PLURAL = re.compile(r"\s*(?:are|were|have|absent|excluded|not|no longer|resolved)\b", re.IGNORECASE)
_OTHER_SUBJECT = re.compile(
    r"(?:\b(?:[pqrstu]|qrs|st|pr|qtc?)[- ]?(?:waves?|segments?|intervals?|complex(?:es)?)?|\bcapture|\bresponse)\b",
    re.IGNORECASE,
)
_TURNS_INTO = re.compile(r"\s*(?:back )?(?:in)?(?:to|by)\b", re.IGNORECASE)
_LASTS = re.compile(r"\b(?:persist\w*|unchanged|still|remain\w*|again)\b", re.IGNORECASE)


def modifiers_in(text: str) -> tuple[Modifiers, str]:
    """The modifiers of a text by kind, and the text without them."""
    modifiers: Modifiers = {}
    for kind, pattern, value in _table():
        spans, text = take(pattern, text, value)
        modifiers.setdefault(kind, []).extend(spans)
    return modifiers, text


def bounds_of(text: str) -> list[int]:
    """Where the parts of a sentence end."""
    return [match.start() for match in _BOUNDARY.finditer(text)]


def certainties(statements: Sequence[Finding], modifiers: Modifiers, bounds: Sequence[int], sentence: str) -> list[str]:
    """Of each finding, what the least certain of the modifiers says that reach it."""
    reaching: list[list[str]] = [[] for _ in statements]
    after = modifiers["certainty after"]
    forward = [modifier for modifier in after if _leads(modifier, statements, bounds, sentence)]
    for modifier in [*modifiers["certainty before"], *forward]:
        for index, one in enumerate(statements):
            if modifier.end <= one.start and not _between(bounds, modifier.end, one.start):
                reaching[index].append(modifier.value)
    for modifier in after:
        if modifier not in forward:
            for index in _reached_before(modifier, statements, bounds, sentence):
                reaching[index].append(modifier.value)
    for modifier in modifiers["either"]:
        ahead = max((one.end for one in statements if one.end <= modifier.start), default=-1)
        behind = min((one.start for one in statements if one.start >= modifier.end), default=-1)
        for index, one in enumerate(statements):
            if ahead == one.end or behind == one.start:
                reaching[index].append(modifier.value)
    return [min(values, key=CERTAINTIES.index, default="definite") for values in reaching]


def _between(bounds: Sequence[int], start: int, end: int) -> bool:
    return any(start <= bound < end for bound in bounds)


def _leads(modifier: Span, statements: Sequence[Finding], bounds: Sequence[int], sentence: str) -> bool:
    """Whether a word that mostly follows its finding goes before it here: "Unlikely ischemia"."""
    part = max((bound + 1 for bound in bounds if bound < modifier.start), default=0)
    blank = not sentence[part : modifier.start].strip(" ,:-*")
    if not blank or modifier.value != "excluded" or _TURNS_INTO.match(sentence, modifier.end):
        return False
    return any(one.start >= modifier.end and not _between(bounds, modifier.end, one.start) for one in statements)


def _reached_before(modifier: Span, statements: Sequence[Finding], bounds: Sequence[int], sentence: str) -> list[int]:
    """Of "X, Y and Z are absent" all three; else the nearest finding, and those that "or" joins to it."""
    ahead = [index for index, one in enumerate(statements) if one.end <= modifier.start]
    if not ahead:
        return []
    nearest = max(statements[index].end for index in ahead)
    part = max((bound + 1 for bound in bounds if nearest <= bound < modifier.start), default=nearest)
    if part > nearest and _OTHER_SUBJECT.search(sentence, part, modifier.start):
        return []
    reached: list[int] = []
    first, joints = nearest, ""  # of those reached: where the first begins, and what joins them to the modifier
    for index in sorted(ahead, key=lambda index: -statements[index].end):
        one = statements[index]
        if one.end < nearest:
            joint = sentence[one.end : first]
            joints += joint if one.end <= first else ""
            if not _shared(joint, joints, modifier, sentence) and (
                modifier.value == "excluded" or _between(bounds, one.end, modifier.start)
            ):
                break
        reached.append(index)
        first = min(first, one.start)
    return reached


def _shared(joint: str, joints: str, modifier: Span, sentence: str) -> bool:
    """Whether a finding joined so to the ones after it is meant by the word that follows them all."""
    listed = bool(_JOINT.fullmatch(joint))
    alternatives = bool(re.search(r"\bn?or\b|/", joints, re.IGNORECASE))
    plural = bool(re.search(r"\band\b", joints, re.IGNORECASE) and _PLURAL.match(sentence, modifier.start))
    return listed and (alternatives or plural)


def past(statements: Sequence[Finding], modifiers: Modifiers, bounds: Sequence[int], sentence: str) -> set[int]:
    """Findings called previous: none of now, unless they last. An old infarction is one of now."""
    told = set()
    for modifier in modifiers["past before"]:
        reached = [
            index
            for index, one in enumerate(statements)
            if modifier.end <= one.start and not _between(bounds, modifier.end, one.start)
        ][:1]
        told |= {
            index
            for index in reached
            if statements[index].code not in BY_TERRITORY and not _LASTS.search(sentence, statements[index].end)
        }
    return told


def ages(statements: Sequence[Finding], modifiers: Modifiers) -> list[str]:
    """An age goes to the nearest infarction, ischemia or injury that it can qualify."""
    result = [""] * len(statements)
    ageing = [index for index, one in enumerate(statements) if one.code in BY_TERRITORY]
    for mention in sorted([*modifiers["age before"], *modifiers["past before"]]):
        for index in [i for i in ageing if statements[i].start >= mention.end][:1]:
            result[index] = mention.value
    for mention in modifiers["age after"]:
        nearest = [i for i in ageing if statements[i].end <= mention.start][-1:] or ageing[:1]
        for index in nearest:
            result[index] = mention.value
    return result


@cache
def _table() -> list[tuple[str, re.Pattern[str], str]]:
    return [(row[0], compiled(row[1]), row[2]) for row in rows_of("meit.reports", "statement_modifiers.tsv")]
