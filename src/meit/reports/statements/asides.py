"""Words that tell of something else than this ECG: a request, a history, a relative, another tracing, advice."""

import re
from functools import cache

from meit.reports.statements.patterns import Span, compiled, find, masked
from meit.tables import rows_of

_PART_END = re.compile(r"[,:(\[]|\s-\s|\bbut\b|\bwith\b|$", re.IGNORECASE)
_SEGMENT = re.compile(r"[^,:()]+")
_REQUEST = re.compile(r"(?:^|[,:\s])\s*(?:\?\s*\w|query\b)", re.IGNORECASE)


def without_asides(sentence: str, opening: bool) -> str:
    """A sentence with what tells of something else masked. opening: whether it is a report's first of several, which
    asks where nothing stands before its "?X"."""
    if opening and (asked := _REQUEST.search(sentence)) and not find(sentence[: asked.start()])[0]:
        return masked(sentence, [Span(0, len(sentence), "")])
    for kind, pattern in _asides():
        for match in list(pattern.finditer(sentence)):
            if match.group() and sentence[match.start()] != "\0":
                sentence = masked(sentence, [_reach(kind, match, sentence)])
    return sentence


def _reach(kind: str, match: re.Match[str], sentence: str) -> Span:
    start, end = match.span(match.re.groups)  # the one group of a pattern, or all of it
    if kind == "sentence":
        return Span(0, len(sentence), kind)
    if kind in ("history", "from"):
        end = _return(kind, end, sentence)
    elif kind == "part":
        end = _PART_END.search(sentence, end).start()  # type: ignore[union-attr]  # "$" is always there
    elif kind in ("segment", "until"):
        around = [one.span() for one in _SEGMENT.finditer(sentence) if one.start() <= start < one.end()]
        for first, last in around:
            start = first
            end = max(end, last) if kind == "segment" else end
    return Span(start, end, kind)


def _return(kind: str, end: int, sentence: str) -> int:
    """Where the sentence comes back to this ECG, at the beginning of the part that says so; else its end."""
    match = _returns()[kind].search(sentence, end)
    if match is None:
        return len(sentence)
    joints = [joint.end() for joint in re.finditer(r"[,:]", sentence[: match.start()]) if joint.start() >= end]
    return joints[-1] if joints else match.start()


@cache
def _asides() -> list[tuple[str, re.Pattern[str]]]:
    rows = rows_of("meit.reports", "statement_asides.tsv")
    return [(row[0], compiled(row[1])) for row in rows if row[0] != "return"]


@cache
def _returns() -> dict[str, re.Pattern[str]]:
    rows = [(row[1], row[2]) for row in rows_of("meit.reports", "statement_asides.tsv") if row[0] == "return"]
    return {
        kind: compiled("|".join(pattern for pattern, kinds in rows if kind in kinds)) for kind in ("history", "from")
    }
