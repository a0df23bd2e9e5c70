"""What healthy children have, by age: pediatric_limits.tsv, read. Below 16 years these limits stand for adults'."""

from functools import cache
from typing import NamedTuple

from meit.tables import named_rows_of

ADULT = 16  # years, from which adults' limits hold
_DAYS = 365.25
_ABOUT = ("source", "sex", "from", "to")


class Limits(NamedTuple):
    """The 2nd and 98th percentiles."""

    lower: float
    upper: float


class _AgeBand(NamedTuple):
    sex: str
    begin: float  # days
    end: float
    limits: dict[str, Limits]

    def is_for(self, sex: str | None, days: float) -> bool:
        return self.begin <= days < self.end and (not self.sex or sex not in ("F", "M") or self.sex == sex)


def limits_of(name: str, sex: str | None, age: float | None) -> Limits | None:
    """The widest limits of a measurement ("pr_ms", "r_mv@V1") that the table has for a child of this age, in years; None
    where it has none, as for adults and where the age is not known."""
    if age is None:
        return None
    fitting = [row.limits[name] for row in _age_bands() if name in row.limits and row.is_for(sex, age * _DAYS)]
    if not fitting:
        return None
    return Limits(min(one.lower for one in fitting), max(one.upper for one in fitting))


def beside(axis: float, limits: Limits) -> float:
    """An axis of -180 to 180 degrees, turned by whole circles to where it can be compared with limits beyond 180."""
    middle = (limits.lower + limits.upper) / 2
    return axis + 360 * round((middle - axis) / 360)


@cache
def _age_bands() -> tuple[_AgeBand, ...]:
    made = []
    for row in named_rows_of("meit.drafting.checks", "pediatric_limits.tsv"):
        cells = {name: cell.split(":") for name, cell in row.items() if cell and name not in _ABOUT}
        limits = {name: Limits(float(lower), float(upper)) for name, (lower, upper) in cells.items()}
        made.append(_AgeBand(row["sex"], float(row["from"]), float(row["to"]), limits))
    return tuple(made)
