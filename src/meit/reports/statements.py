"""An English ECG report -> coded statements: SCP-ECG codes with certainty, territory and age.

What is read, and as what, is data:

    statement_codes.tsv        the codes: SCP-ECG as in PTB-XL, with those of AHA, aECG, CDISC and DICOM
    statement_patterns.tsv     wordings of a finding -> its code
    statement_territories.tsv  walls of the heart, and the code that an infarction, ischemia or injury has there
    statement_modifiers.tsv    words that make a finding possible, excluded, old, ...

Statements say what the text says, not what the ECG shows and not what an annotator made of it. A scope of a modifier is
a part of the sentence, as in NegEx (Chapman et al., J Biomed Inform 2001, doi:10.1006/jbin.2001.1029).
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import NamedTuple

from meit.reports import leads
from meit.tables import rows_of

CERTAINTIES = ("excluded", "possible", "probable", "definite")  # from the least to the most
# Findings whose code depends on where they are: the column of statement_territories.tsv, and the code without a place.
BY_TERRITORY = {"MI": ("infarction", "MI"), "ISC": ("ischemia", "ISC_"), "INJ": ("injury", "INJ")}

_SENTENCE = re.compile(r"(?:[^.;!\n]|\.(?=\d))+")
# Where the reach of "possible" or "no" ends; a comma does not end it within "no Q waves, ST elevation or ...".
_BOUNDARY = re.compile(r":|\(|\)|\bbut\b|\bhowever\b|\bwith\b|,(?!.*\bn?or\b)", re.IGNORECASE)
_LIST_JOINT = re.compile(r"[\s,/]*(?:\b(?:and|or|to)\b)?[\s,/]*", re.IGNORECASE)
_SPACE = re.compile(r"\s+")
_TAKEN = "\0"


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


class Reading(NamedTuple):
    """statements, and the words of the text that no pattern knows."""

    statements: tuple[Statement, ...]
    unread: tuple[str, ...]


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


class _Territory(NamedTuple):
    name: str
    pattern: re.Pattern[str]
    codes: dict[str, str]  # infarction, ischemia, injury
    leads: frozenset[str]


class _Mention(NamedTuple):
    """A modifier or a place within a sentence."""

    start: int
    end: int
    value: str


@cache
def codes() -> dict[str, Code]:
    return {row[0]: Code(*row) for row in rows_of("meit.reports", "statement_codes.tsv")}


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
    a semicolon, an exclamation mark or the end of a line; blank ones are left out."""
    sentences = []
    for match in _SENTENCE.finditer(report):
        if not match.group().strip():
            continue
        reading = _read_sentence(match.group())
        at = match.start()
        statements = tuple(replace(s, start=s.start + at, end=s.end + at) for s in reading.statements)
        text = match.group().strip()
        start = report.index(text, at)
        sentences.append(SentenceReading(text, start, start + len(text), statements, reading.unread))
    return tuple(sentences)


def asserted(statements: Iterable[Statement]) -> set[str]:
    """The codes that are stated with whatever certainty, without those excluded."""
    return {statement.code for statement in statements if not statement.negated}


@lru_cache(maxsize=262_144)  # sentences recur: PTB-XL's 21,500 reports consist of some 4,000
def _read_sentence(sentence: str) -> Reading:
    found, rest = _find(sentence)
    places, rest = _places(rest)
    modifiers = {}
    for kind, pattern, value in _modifiers():
        taken, rest = _take(pattern, rest, value)
        modifiers.setdefault(kind, []).extend(taken)
    statements = [finding for finding in found if finding.code != "-"]
    bounds = [match.start() for match in _BOUNDARY.finditer(_masked(sentence, places))]
    certainty = [_certainty(one, statements, modifiers, bounds) for one in statements]
    where = _territories(statements, places, sentence)
    ages = _ages(statements, modifiers)
    finished = (
        Statement(
            code,
            sentence[one.start : one.end],
            one.start,
            one.end,
            min(sure, one.at_most, key=CERTAINTIES.index),
            place,
            one.age or age,
        )
        for one, sure, names, age in zip(statements, certainty, where, ages, strict=True)
        for code, place in _placed(one.code, names)
    )
    unread = re.findall(r"[^\W\d_](?:[^\W_]|-)+", rest)
    return Reading(tuple(finished), tuple(unread))


class _Finding(NamedTuple):
    start: int
    end: int
    code: str
    at_most: str
    age: str


def _find(sentence: str) -> tuple[list[_Finding], str]:
    """Findings in reading order, and the sentence without their words."""
    found = []
    for names, pattern, at_most, age in _patterns():
        for match in pattern.finditer(sentence):
            found += [_Finding(*match.span(), name, at_most, age) for name in names]
        sentence = pattern.sub(lambda match: _TAKEN * len(match.group()), sentence)
    return sorted(found, key=lambda one: (one.start, one.end)), sentence


def _take(pattern: re.Pattern[str], text: str, value: str) -> tuple[list[_Mention], str]:
    taken = [_Mention(*match.span(), value) for match in pattern.finditer(text) if match.group()]
    return taken, _masked(text, taken) if taken else text


def _masked(text: str, mentions: Iterable[_Mention]) -> str:
    for start, end, _ in mentions:
        text = text[:start] + _TAKEN * (end - start) + text[end:]
    return text


def _places(text: str) -> tuple[list[_Mention], str]:
    """Walls and lists of leads, in reading order."""
    places = []
    for territory in _territory_table():
        taken, text = _take(territory.pattern, text, territory.name)
        places += taken
    for match in leads.LEADS.finditer(text):
        places.append(_Mention(*match.span(), leads.canonical(match.group())))
    return sorted(places), _masked(text, places)


def _certainty(one: _Finding, statements: list[_Finding], modifiers: dict, bounds: list[int]) -> str:
    """What the least certain says of the modifiers that reach the finding."""
    reaching = []
    for modifier in modifiers["certainty before"]:
        if modifier.end <= one.start and not any(modifier.end <= bound < one.start for bound in bounds):
            reaching.append(modifier.value)
    for modifier in modifiers["certainty after"]:
        before = [other.end for other in statements if other.end <= modifier.start]
        between = one.end <= modifier.start and not any(one.end <= bound < modifier.start for bound in bounds)
        if between or (before and one.end == max(before)):
            reaching.append(modifier.value)
    return min(reaching, key=CERTAINTIES.index, default="definite")


def _territories(statements: list[_Finding], places: list[_Mention], sentence: str) -> list[tuple[str, ...]]:
    """For each finding the places right before it ("anterior and lateral ischemia"), else those that follow ("T wave
    inversion in II, III"); an infarction, ischemia or injury without a place is where the finding before it is."""
    starts = sorted({one.start for one in statements})
    before = {start: _run_before(start, places, sentence) for start in starts}
    claimed = {place for run in before.values() for place in run}
    result: list[tuple[str, ...]] = []
    for one in statements:
        run = before[one.start]
        if not run:
            following = min((start for start in starts if start > one.start), default=len(sentence))
            run = [p for p in places if one.end <= p.start < following and p not in claimed]
        names = tuple(dict.fromkeys(place.value for place in run))
        if not names and one.code in BY_TERRITORY and result:
            names = next((earlier for earlier in reversed(result) if earlier), ())
        result.append(names)
    return result


def _run_before(start: int, places: list[_Mention], sentence: str) -> list[_Mention]:
    run: list[_Mention] = []
    for place in reversed([place for place in places if place.end <= start]):
        joint = _LIST_JOINT if run else _SPACE
        if not joint.fullmatch(sentence[place.end : start]):
            break
        run.insert(0, place)
        start = place.start
    return run


def _ages(statements: list[_Finding], modifiers: dict) -> list[str]:
    """An age goes to the nearest infarction, ischemia or injury that it can qualify."""
    ages = [""] * len(statements)
    ageing = [index for index, one in enumerate(statements) if one.code in BY_TERRITORY]
    for mention in modifiers["age before"]:
        for index in [i for i in ageing if statements[i].start >= mention.end][:1]:
            ages[index] = mention.value
    for mention in modifiers["age after"]:
        nearest = [i for i in ageing if statements[i].end <= mention.start][-1:] or ageing[:1]
        for index in nearest:
            ages[index] = mention.value
    return ages


def _placed(code: str, names: tuple[str, ...]) -> list[tuple[str, str]]:
    """Codes and where they are: one for each wall of which the code tells, so "anterior and inferior infarction" are
    two."""
    if code not in BY_TERRITORY:
        return [(code, "; ".join(names))]
    column, elsewhere = BY_TERRITORY[code]
    walls: dict[str, list[str]] = {}
    for name in names:
        walls.setdefault(_wall_code(name, column) or elsewhere, []).append(name)
    return [(wall, "; ".join(own)) for wall, own in walls.items()] or [(elsewhere, "")]


@cache
def _wall_code(name: str, column: str) -> str:
    """The code for a wall or for a list of leads."""
    groups = frozenset(_lead_groups(name))
    for territory in _territory_table():
        if territory.name == name or (groups and territory.leads == groups):
            return territory.codes[column]
    return ""


LEAD_GROUPS = {
    "inferior": ("II", "III", "aVF"),
    "septal": ("V1", "V2"),
    "anterior": ("V3", "V4"),
    "lateral": ("I", "aVL", "V5", "V6"),
}


def _lead_groups(name: str) -> list[str]:
    """The groups of leads that a canonical list touches; none where it is no list of leads."""
    single = set(_listed(name))
    return [group for group, members in LEAD_GROUPS.items() if single & set(members)]


def _listed(name: str) -> list[str]:
    """The leads of a canonical list, "II, V1-V3"."""
    single = []
    for part in filter(None, name.split(", ")):
        first, _, last = part.partition("-V")
        single += [f"V{n}" for n in range(int(first[1:]), int(last) + 1)] if last else [part]
    return single


def leads_of(territory: str) -> tuple[str, ...]:
    """The leads of a Statement's territory: those listed, or those of the wall; none where it has none of its own."""
    found: list[str] = []
    for name in territory.split("; "):
        walls = [row.leads for row in _territory_table() if row.name == name]
        groups = [group for group in LEAD_GROUPS if walls and group in walls[0]]
        found += [lead for group in groups for lead in LEAD_GROUPS[group]] if walls else _listed(name)
    return tuple(dict.fromkeys(found))


@cache
def _patterns() -> list[tuple[list[str], re.Pattern[str], str, str]]:
    return [
        (names.split(), _compiled(rf"(?<![\w-])(?:{pattern})(?!\w)"), at_most or "definite", age)
        for names, pattern, at_most, age, _note in rows_of("meit.reports", "statement_patterns.tsv")
    ]


@cache
def _modifiers() -> list[tuple[str, re.Pattern[str], str]]:
    return [(row[0], _compiled(row[1]), row[2]) for row in rows_of("meit.reports", "statement_modifiers.tsv")]


@cache
def _territory_table() -> list[_Territory]:
    return [
        _Territory(
            name,
            _compiled(rf"(?<!\w)(?:{pattern})(?!\w)"),
            {"infarction": infarction, "ischemia": ischemia, "injury": injury},
            frozenset(filter(None, group.split("+"))),
        )
        for name, pattern, infarction, ischemia, injury, group in rows_of("meit.reports", "statement_territories.tsv")
    ]


def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern.replace(" ?", r"\s*").replace(" ", r"\s+"), re.IGNORECASE)
