"""Changing a draft without spoiling it: statements taken out, hedges put in. Each change is read back first.

A sentence is read on its own (meit.reports.statements), so that a change in one touches no other.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from meit.reports.statements import Statement, read_statements
from meit.reports.word_tables import scp_codes

# Confidence below which a statement is hedged: the hedge of a noun, and that of "normal ECG". PTB-XL's annotators
# took "possible" for less than 50% and "probable" for less than certain (Wagner et al., Sci Data 2020).
HEDGES = ((0.5, "possible", "possibly"), (0.75, "probable", "probably"))
NORMAL_ECG = "NORM"
_SENTENCE = re.compile(r"((?:[^.;!\n]|\.(?=\d))+)([.;!\n]*\s*)")
_JOINT = re.compile(r"\s*,\s*(?:(?:and|or|with|but)\s+)?|\s+(?:and|or|with|but)\s+|\s*[():]\s*", re.IGNORECASE)
_BEGINNING = re.compile(r"(?:^|(?<=[a-z)][.!])\s+)[a-z]")
_VERB = re.compile(r"\b(?:is|are|was|were|be|has|have|may|might|can|cannot|could|should|not?|without)\b", re.IGNORECASE)


def without(report: str, statements: Sequence[Statement], unwanted: Sequence[bool]) -> tuple[str, list[int]]:
    """A report without the statements that are unwanted, and the indices of those that are left.

    Their part of the sentence goes. Where the words are shared with others, these are said anew by themselves, in
    their own words or in the code's; where that cannot be read back they go too.
    """
    if not any(unwanted):
        return report, list(range(len(statements)))
    left, parts = [], []
    for begin, sentence, end, inside in _sentences(report, statements):
        if not any(unwanted[index] for index in inside):
            parts.append(sentence + end)
            left += inside
            continue
        kept = [index for index in inside if not unwanted[index]]
        shorter = _shortened(sentence, begin, statements, inside, unwanted)
        if kept and _keys(read_statements(shorter)) == _keys(statements[index] for index in kept):
            parts.append(shorter + end)
            left += kept
            continue
        for index in kept:
            alone = _alone(statements[index])
            if alone:
                parts.append(f"{alone}. ")
                left.append(index)
    text = re.sub(r"[\s;,:]+$", "", "".join(parts))
    if text and report.rstrip().endswith(".") and not text.endswith("."):
        text += "."
    return _BEGINNING.sub(lambda match: match.group().upper(), text), left


def _sentences(report: str, statements: Sequence[Statement]) -> Iterator[tuple[int, str, str, list[int]]]:
    """Where each sentence begins, its words, what ends it, and the indices of its statements."""
    for match in _SENTENCE.finditer(report):
        inside = [i for i, one in enumerate(statements) if match.start() <= one.start < match.end()]
        yield match.start(), match[1], match[2], inside


def _shortened(
    sentence: str, begin: int, statements: Sequence[Statement], inside: Sequence[int], unwanted: Sequence[bool]
) -> str:
    """The sentence without the parts between commas, "and", "with" ... that say what is unwanted. What says nothing
    belongs to the part before it."""
    groups: list[tuple[str, str, list[int]]] = []
    for joint, start, end in _parts(sentence):
        said = [i for i in inside if start <= statements[i].start - begin < end]
        if groups and (not said or not groups[-1][2]):
            first, words, earlier = groups[-1]
            groups[-1] = (first, words + joint + sentence[start:end], earlier + said)
        else:
            groups.append((joint, sentence[start:end], said))
    rest = [(joint, words) for joint, words, said in groups if not any(unwanted[i] for i in said)]
    return "".join(words if place == 0 else joint + words for place, (joint, words) in enumerate(rest)).strip()


def _parts(sentence: str) -> Iterator[tuple[str, int, int]]:
    """(what joins it to the one before, start, end) of each part."""
    joint, start = "", 0
    for match in _JOINT.finditer(sentence):
        yield joint, start, match.start()
        joint, start = match.group(), match.end()
    yield joint, start, len(sentence)


def _alone(one: Statement) -> str:
    """A statement as a sentence of its own, without the stop; "" where no wording is read back as what it was."""
    place = f" in {one.territory}" if one.territory else ""
    before = {"excluded": "no ", "possible": "possible ", "probable": "probable ", "definite": ""}[one.certainty]
    age = f"{one.age} " if one.age in ("acute", "recent", "old") else ""
    own = scp_codes().get(one.code)
    for words in (one.text, f"{one.text}{place}", *((own, f"{own}{place}") if own else ())):
        for said in (f"{before}{age}{words}", f"{before}{words}", words):
            if _keys(read_statements(said)) == _keys([one]):
                return _capital(said)
    return ""


def hedged(report: str, confidences: Sequence[float | None]) -> str:
    """A report whose statements of low confidence (None: left alone) are hedged, where they are not hedged already and
    the hedge reaches no other statement."""
    statements = read_statements(report)
    if len(statements) != len(confidences):
        return report
    for index in reversed(range(len(statements))):
        one, sure = statements[index], confidences[index]
        hedge = _hedge(one, sure)
        if hedge is None:
            continue
        word, certainty = hedge
        wanted = [replace(s, certainty=certainty) if i == index else s for i, s in enumerate(statements)]
        for place in _places(report, one):
            changed = _put(report, place, word)
            if _keys(read_statements(changed)) == _keys(wanted):
                report, statements = changed, wanted
                break
    return report


def _hedge(one: Statement, confidence: float | None) -> tuple[str, str] | None:
    """The word, and the certainty that it gives."""
    if confidence is None or one.certainty != "definite":
        return None
    for below, noun, adverb in HEDGES:
        if confidence < below:
            return (adverb if one.code == NORMAL_ECG else noun), noun
    return None


def _places(report: str, one: Statement) -> list[int]:
    """Where a hedge of a statement can stand: at the beginning of its part of the sentence, or right before it."""
    sentence = next(match for match in _SENTENCE.finditer(report) if match.start() <= one.start < match.end())
    begin = sentence.start() + len(sentence[1]) - len(sentence[1].lstrip())
    start, end = begin, sentence.end(1)
    for match in _JOINT.finditer(report, begin, sentence.end(1)):
        if match.end() <= one.start:
            start = match.end()
        elif match.start() >= one.end:
            end = match.start()
            break
    if one.code != NORMAL_ECG and _VERB.search(report, start, end):
        return []
    return [place for place in dict.fromkeys((start, one.start)) if not _JOINT.match(f" {report[place:]}")]


def _put(report: str, place: int, word: str) -> str:
    """The word before what stands at `place`, capitals moved where a sentence begins."""
    before, after = report[:place], report[place:]
    begins = not before.strip() or before.rstrip()[-1] in ".!\n"
    first = re.match(r"\w+", after)
    if begins and first and first[0].istitle() and len(first[0]) > 1 and not after.startswith("Wol"):
        after = after[0].lower() + after[1:]
    return f"{before}{_capital(word) if begins else word} {after}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _keys(statements) -> list[tuple[str, str, str, str]]:
    return [(one.code, one.certainty, one.territory, one.age) for one in statements]
