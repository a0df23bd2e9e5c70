"""Conditions on what was measured, as the tables of this folder write them, and the words that tell of what holds.

A condition is `name operator threshold`, several with ", " between all have to hold. Names are those of meit.ecg.measure,
of a lead where one is named ("r_mv@V6"), `net_mv` (a lead's R + the deeper of Q and S) and `age`. A threshold is a number,
or "upper" or "lower" for the limits of the patient's age (pediatric_limits.tsv), times a number ("upper * 1.1"). A
condition on what was not measured, or not reliably enough, holds for nothing; with "not" before it, it holds unless it is
measured and holds: "not p_present >= 0.5".
"""

import operator
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

from meit.drafting.checks.pediatric_limits import ADULT, beside, limits_of
from meit.ecg.measure.measurements import BY_LEAD, GLOBAL, Measure, Measurements
from meit.ecg.recording import LEADS
from meit.tables import rows_of

OPERATORS = {">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt, "=": operator.eq}
STATED_LEADS = "stated"  # the leads that the statement itself names
NET = "net_mv"
AGE = "age"
ADULTS, CHILDREN, ALL = PATIENTS = ("adults", "children", "all")
_CONDITION = re.compile(
    r"(not )?(\w+)(?:@(\w+))? (>=|<=|>|<|=) (?:(-?\d+(?:\.\d+)?)|(upper|lower)(?: \* (\d+(?:\.\d+)?))?)"
)
_PLACE = re.compile(r"\{(\w+(?:@\w+)?)\}")


class SexAge(NamedTuple):
    """What thresholds depend on. sex: "F", "M" or None; age in years."""

    sex: str | None = None
    age: float | None = None

    @property
    def is_child(self) -> bool:
        """Below the age from which adults' thresholds hold; not where the age is not known."""
        return self.age is not None and self.age < ADULT


class RuleCondition(NamedTuple):
    """threshold: the number, or the factor where limit is "upper" or "lower". at: the lead, where one is named."""

    name: str
    operator: str
    threshold: float
    limit: str = ""
    at: str = ""
    denied: bool = False

    @property
    def by_lead(self) -> bool:
        return (self.name in BY_LEAD or self.name == NET) and not self.at

    @property
    def key(self) -> str:
        return f"{self.name}@{self.at}" if self.at else self.name

    def holds(self, value: float, patient: SexAge) -> bool:
        threshold = self.threshold
        if self.limit:
            limits = limits_of(self.key, patient.sex, patient.age)
            if limits is None:
                return False
            value = beside(value, limits) if self.name == "axis_deg" else value
            threshold *= limits.upper if self.limit == "upper" else limits.lower
        return bool(OPERATORS[self.operator](value, threshold))


@dataclass(frozen=True)
class MeasuredRow:
    """What rows of all tables have. leads: where conditions on single leads are looked for; empty where there are none;
    (STATED_LEADS,) for the leads of the statement. sex: "F", "M", "?" where it is not known, or "" for all. codes: of the
    statements that it is for; unless: others that account for it; ages: of an infarction, ischemia or injury, empty for all."""

    codes: tuple[str, ...]
    unless: frozenset[str]
    ages: frozenset[str]
    leads: tuple[str, ...]
    least_leads: int
    sex: str
    patients: str
    reliability: float
    words: str
    source: str

    def is_for(self, patient: SexAge) -> bool:
        sex = patient.sex if patient.sex in ("F", "M") else "?"
        return self.sex in ("", sex) and self.patients in (ALL, CHILDREN if patient.is_child else ADULTS)


class Evidence(NamedTuple):
    """words: "QRS 148 ms". leads: those in which the conditions on single leads hold."""

    words: str
    leads: tuple[str, ...] = ()


def row_parts(row: dict[str, str]) -> dict[str, object]:
    """The parts of MeasuredRow, of a table's row."""
    return {
        "codes": tuple(row["codes"].split()),
        "unless": frozenset(code for one in row["unless"].split() for code in excuses().get(one, (one,))),
        "ages": frozenset(row["ages"].split()),
        "leads": tuple(filter(None, row["leads"].split(","))),
        "least_leads": int(row["least leads"] or 1),
        "sex": row["sex"],
        "patients": row["patients"] or ADULTS,
        "reliability": float(row["reliability"]),
        "words": row["words"],
        "source": row["source"],
    }


@cache
def excuses() -> dict[str, tuple[str, ...]]:
    """The groups of excuses.tsv."""
    return {group: tuple(codes.split()) for group, codes in rows_of("meit.drafting.checks", "excuses.tsv")}


def conditions(text: str) -> tuple[RuleCondition, ...]:
    """Raises ValueError for what is none."""
    made = []
    for part in filter(None, text.split(", ")):
        match = _CONDITION.fullmatch(part)
        known = match is not None and match[2] in ((*BY_LEAD, NET) if match[3] else (*GLOBAL, *BY_LEAD, NET, AGE))
        if match is None or not known or (match[3] and match[3] not in LEADS):
            raise ValueError(f"'{part}' is no condition on measurements")
        made.append(
            RuleCondition(
                match[2], match[4], float(match[5] or match[7] or 1), match[6] or "", match[3] or "", bool(match[1])
            )
        )
    return tuple(made)


def holds(
    row: MeasuredRow,
    wanted: Sequence[RuleCondition],
    measurements: Measurements,
    patient: SexAge,
    leads: Sequence[str],
    least: int,
) -> Evidence | None:
    """The row's words with what was measured in them, where all conditions hold. least: in how many leads."""

    def true(condition: RuleCondition, lead: str) -> bool:
        measure = _measure(measurements, condition.name, condition.at or lead, patient)
        reliable = measure.value is not None and measure.reliability >= row.reliability
        return (reliable and condition.holds(measure.value or 0.0, patient)) != condition.denied

    if not wanted or not row.is_for(patient):
        return None
    if not all(true(condition, "") for condition in wanted if not condition.by_lead):
        return None
    by_lead = [condition for condition in wanted if condition.by_lead]
    if not by_lead:
        return Evidence(worded(row.words, measurements, patient, ()))
    holding = [lead for lead in leads if all(true(condition, lead) for condition in by_lead)]
    enough = bool(leads) and len(holding) >= least
    return Evidence(worded(row.words, measurements, patient, holding), tuple(holding)) if enough else None


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
        names = _PLACE.findall(part)
        numbers = {name: _numbers(name, measurements, patient, leads) for name in names}
        if all(numbers.values()):
            parts.append(_PLACE.sub(lambda place, numbers=numbers: numbers[place[1]], part))  # type: ignore[misc]
    return ", ".join(parts) + (f" in {', '.join(leads)}" if leads else "")


def _numbers(place: str, measurements: Measurements, patient: SexAge, leads: Sequence[str]) -> str:
    """One for each lead; "" where any is not there."""
    name, _, at = place.partition("@")
    looked_at = (at,) if at or not (name in BY_LEAD or name == NET) else leads
    values = [_measure(measurements, name, lead, patient).value for lead in looked_at]
    known = [written_number(name, value) for value in values if value is not None]
    return ", ".join(known) if len(known) == len(values) else ""


def written_number(name: str, value: float) -> str:
    """As one would write it: whole milliseconds, beats and degrees, hundredths of a millivolt, percent."""
    if name in ("rr_irregularity", "paced_beats"):
        return f"{value:.0%}"
    if name in ("st_mv", "st60_mv", "t_mv", "q_mv", NET):
        return f"{value:+.2f}"
    return f"{value:.2f}" if name.endswith("_mv") else f"{value:.0f}"
