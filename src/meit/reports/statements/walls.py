"""Where a finding is: walls of the heart and lists of leads."""

import re
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

from meit.reports import leads
from meit.reports.statements.patterns import Finding, Span, compiled, masked, take
from meit.tables import rows_of

# Findings whose code depends on where they are: the column of statement_territories.tsv, and the code without a place.
BY_TERRITORY = {"MI": ("infarction", "MI"), "ISC": ("ischemia", "ISC_"), "INJ": ("injury", "INJ")}
LEAD_GROUPS = {
    "inferior": ("II", "III", "aVF"),
    "septal": ("V1", "V2"),
    "anterior": ("V3", "V4"),
    "lateral": ("I", "aVL", "V5", "V6"),
}
_LIST_JOINT = re.compile(r"[\s,/]*(?:\b(?:and|or|to)\b)?[\s,/]*", re.IGNORECASE)
_SPACE = re.compile(r"\s+")


class _Territory(NamedTuple):
    name: str
    pattern: re.Pattern[str]
    codes: dict[str, str]  # infarction, ischemia, injury
    leads: frozenset[str]


def places_in(text: str) -> tuple[list[Span], str]:
    """Walls and lists of leads, in reading order, and the text without them."""
    places: list[Span] = []
    for territory in _territory_table():
        spans, text = take(territory.pattern, text, territory.name)
        places += spans
    for match in leads.LEADS.finditer(text):
        places.append(Span(*match.span(), leads.canonical(match.group())))
    return sorted(places), masked(text, places)


def territories(statements: Sequence[Finding], places: Sequence[Span], sentence: str) -> list[tuple[str, ...]]:
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


def _run_before(start: int, places: Sequence[Span], sentence: str) -> list[Span]:
    run: list[Span] = []
    for place in reversed([place for place in places if place.end <= start]):
        joint = _LIST_JOINT if run else _SPACE
        if not joint.fullmatch(sentence[place.end : start]):
            break
        run.insert(0, place)
        start = place.start
    return run


def placed(code: str, names: tuple[str, ...]) -> list[tuple[str, str]]:
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
    listed: list[str] = []
    for name in territory.split("; "):
        walls = [row.leads for row in _territory_table() if row.name == name]
        groups = [group for group in LEAD_GROUPS if walls and group in walls[0]]
        listed += [lead for group in groups for lead in LEAD_GROUPS[group]] if walls else _listed(name)
    return tuple(dict.fromkeys(listed))


@cache
def _territory_table() -> list[_Territory]:
    return [
        _Territory(
            name,
            compiled(rf"(?<!\w)(?:{pattern})(?!\w)"),
            {"infarction": infarction, "ischemia": ischemia, "injury": injury},
            frozenset(filter(None, group.split("+"))),
        )
        for name, pattern, infarction, ischemia, injury, group in rows_of("meit.reports", "statement_territories.tsv")
    ]
