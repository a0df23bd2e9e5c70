"""Whether a text accounts for what was measured: an excuse has to hold.

A statement accounts for a measurement only if it asserts its finding as at least probable, is not contradicted by its own
measurements, is of the wall where it was measured, and of the age: an old infarction does not account for ST elevation.
"""

from collections.abc import Iterable
from functools import cache

from meit.drafting.checks.grounding_rules import NONE_TOLD
from meit.drafting.checks.measured_conditions import Evidence
from meit.reports.statements import Statement, codes, leads_of
from meit.tables import rows_of

CERTAIN = ("probable", "definite")  # enough to account for a measurement
_INFARCTION = "MI"
_AGEING = ("ISC", "INJ")  # ischemia and injury, told without an age, are of now
_NOW = "acute"


def accounts_for(statement: Statement, codes_: Iterable[str], ages: frozenset[str], evidence: Evidence) -> bool:
    """Whether a statement that asserts one of the codes accounts for what the evidence tells. Its own support has been
    looked at before. ages: of an infarction, ischemia or injury that account for it; empty for any."""
    if statement.code not in codes_ or statement.certainty not in CERTAIN:
        return False
    if not is_of_age(statement, ages):
        return False
    own = wall_of(statement)
    return not own or not evidence.leads or bool(set(own) & set(evidence.leads))


def is_of_age(statement: Statement, ages: frozenset[str]) -> bool:
    """Whether the age of a statement is one of those (NONE_TOLD among them); all where its finding has none, and where
    a finding of any age is excluded."""
    if not ages or not may_age(statement.code) or (statement.negated and not statement.age):
        return True
    untold = NONE_TOLD if codes()[statement.code].superclass == _INFARCTION and not _is_injury(statement) else _NOW
    return (statement.age or untold) in ages


def may_age(code: str) -> bool:
    """Whether it is an infarction, ischemia or injury."""
    return codes()[code].superclass == _INFARCTION or code.startswith(_AGEING)


def _is_injury(statement: Statement) -> bool:
    return statement.code.startswith("INJ")


def wall_of(statement: Statement) -> tuple[str, ...]:
    """The leads of the place that a statement names, or that its code tells; none where neither does."""
    walls = _walls()
    places = [name for name in statement.territory.split("; ") if name in walls]
    if places:
        return tuple(dict.fromkeys(lead for name in places for lead in walls[name]))
    return leads_of(statement.territory) or walls.get(statement.code, ())


@cache
def _walls() -> dict[str, tuple[str, ...]]:
    rows = rows_of("meit.drafting.checks", "wall_leads.tsv")
    return {place: tuple(leads.split(",")) for places, leads in rows for place in places.split(", ")}
