"""The rules that hold statements against measurements: grounding_rules.tsv, read and applied. The table decides, not the code.

A row is a rule; what its columns mean stands at the head of the table. A condition is `name operator number`, several
with ", " between all have to hold; names are those of meit.ecg.measure, `net_mv` (a lead's R + the deeper of Q and S)
and `age`. A condition on what was not measured, or not reliably enough, holds for nothing.
"""

import operator
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

from meit.ecg.measure.measurements import BY_LEAD, GLOBAL, Measure, Measurements
from meit.tables import named_rows_of

OPERATORS = {">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt, "=": operator.eq}
STATED_LEADS = "stated"  # the leads that the statement itself names
NET = "net_mv"
AGE = "age"
_CONDITION = re.compile(r"(\w+) (>=|<=|>|<|=) (-?\d+(?:\.\d+)?)")
_PLACE = re.compile(r"\{(\w+)\}")


class RuleCondition(NamedTuple):
    name: str
    operator: str
    threshold: float

    @property
    def by_lead(self) -> bool:
        return self.name in BY_LEAD or self.name == NET

    def holds(self, value: float) -> bool:
        return OPERATORS[self.operator](value, self.threshold)


@dataclass(frozen=True)
class Rule:
    """A row of grounding_rules.tsv. Empty conditions never hold."""

    codes: tuple[str, ...]
    supports: tuple[RuleCondition, ...]
    contradicts: tuple[RuleCondition, ...]
    names: tuple[RuleCondition, ...]
    refutes_normal: bool
    unless: frozenset[str]
    leads: tuple[str, ...]  # empty for a rule on the whole ECG; (STATED_LEADS,) for the leads of the statement
    least_leads: int
    sex: str  # "F", "M", "?" where it is not known, or "" for all
    reliability: float
    words: str
    source: str

    def is_for(self, sex: str | None) -> bool:
        return not self.sex or self.sex == (sex if sex in ("F", "M") else "?")


class SexAge(NamedTuple):
    """What thresholds depend on. sex: "F", "M" or None; age in years."""

    sex: str | None = None
    age: float | None = None


@cache
def grounding_rules() -> tuple[Rule, ...]:
    return tuple(_rule(row) for row in named_rows_of("meit.drafting.checks", "grounding_rules.tsv"))


def _rule(row: Mapping[str, str]) -> Rule:
    return Rule(
        codes=tuple(row["codes"].split()),
        supports=conditions(row["supports"]),
        contradicts=conditions(row["contradicts"]),
        names=conditions(row["names"]),
        refutes_normal=row["refutes normal"] == "yes",
        unless=frozenset(row["unless"].split()),
        leads=tuple(filter(None, row["leads"].split(","))),
        least_leads=int(row["least leads"] or 1),
        sex=row["sex"],
        reliability=float(row["reliability"]),
        words=row["words"],
        source=row["source"],
    )


def conditions(text: str) -> tuple[RuleCondition, ...]:
    """Raises ValueError for what is none."""
    made = []
    for part in filter(None, text.split(", ")):
        match = _CONDITION.fullmatch(part)
        if match is None or match[1] not in (*GLOBAL, *BY_LEAD, NET, AGE):
            raise ValueError(f"'{part}' is no condition of grounding_rules.tsv")
        made.append(RuleCondition(match[1], match[2], float(match[3])))
    return tuple(made)


def holds(
    rule: Rule,
    wanted: Sequence[RuleCondition],
    measurements: Measurements,
    patient: SexAge,
    leads: Sequence[str],
    least: int,
) -> str:
    """The rule's words with what was measured in them, where all conditions hold; else "". least: in how many leads."""

    def true(condition: RuleCondition, lead: str) -> bool:
        measure = _measure(measurements, condition.name, lead, patient)
        reliable = measure.reliability >= rule.reliability
        return measure.value is not None and reliable and condition.holds(measure.value)

    if not wanted or not rule.is_for(patient.sex):
        return ""
    if not all(true(condition, "") for condition in wanted if not condition.by_lead):
        return ""
    by_lead = [condition for condition in wanted if condition.by_lead]
    if not by_lead:
        return worded(rule.words, measurements, patient, ())
    holding = [lead for lead in leads if all(true(condition, lead) for condition in by_lead)]
    enough = bool(leads) and len(holding) >= least
    return worded(rule.words, measurements, patient, holding) if enough else ""


def _measure(measurements: Measurements, name: str, lead: str, patient: SexAge) -> Measure:
    if name == AGE:
        return Measure(patient.age, 1.0)
    if name == NET:
        q, r, s = (measurements.lead(lead, wave) for wave in ("q_mv", "r_mv", "s_mv"))
        reliability = min(q.reliability, r.reliability, s.reliability)
        if q.value is None or r.value is None or s.value is None:
            return Measure(None, reliability)
        return Measure(r.value + min(q.value, s.value), reliability)
    return measurements.lead(lead, name) if name in BY_LEAD else measurements[name]


def worded(words: str, measurements: Measurements, patient: SexAge, leads: Sequence[str]) -> str:
    """ "QRS {qrs_ms} ms" -> "QRS 148 ms"; what leads have is told of each of them, and which they are. Parts between
    commas whose value is not there, or that no lead was looked at for, are left out."""
    parts = []
    for part in words.split(", "):
        numbers = {
            name: _numbers(name, measurements, patient, leads if name in BY_LEAD or name == NET else ("",))
            for name in _PLACE.findall(part)
        }
        if all(numbers.values()):
            parts.append(part.format_map(numbers))
    return ", ".join(parts) + (f" in {', '.join(leads)}" if leads else "")


def _numbers(name: str, measurements: Measurements, patient: SexAge, leads: Sequence[str]) -> str:
    """One for each lead; "" where any is not there."""
    values = [_measure(measurements, name, lead, patient).value for lead in leads]
    known = [written_number(name, value) for value in values if value is not None]
    return ", ".join(known) if len(known) == len(values) else ""


def written_number(name: str, value: float) -> str:
    """As one would write it: whole milliseconds, beats and degrees, hundredths of a millivolt, percent."""
    if name in ("rr_irregularity", "paced_beats"):
        return f"{value:.0%}"
    if name in ("st_mv", "st60_mv", "t_mv", "q_mv", NET):
        return f"{value:+.2f}"
    return f"{value:.2f}" if name.endswith("_mv") else f"{value:.0f}"
