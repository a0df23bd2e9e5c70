"""What has to be read first because it was measured, whatever the text says: urgent_findings.tsv, read and applied."""

from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

from meit.drafting.checks.measured_conditions import (
    Evidence,
    MeasuredRow,
    RuleCondition,
    SexAge,
    conditions,
    holds,
    row_parts,
)
from meit.ecg.measure.measurements import Measurements
from meit.tables import named_rows_of


@dataclass(frozen=True)
class UrgentRow(MeasuredRow):
    """A row of urgent_findings.tsv. finding: its name in the worklist."""

    finding: str
    measured: tuple[RuleCondition, ...]
    urgency: str


class Urgent(NamedTuple):
    """A row that holds, with what was measured."""

    row: UrgentRow
    evidence: Evidence


def urgent_findings(measurements: Measurements, patient: SexAge) -> list[Urgent]:
    """What is measured and urgent, each finding once; in the order of the table."""
    found: dict[str, Urgent] = {}
    for row in urgent_rows():
        evidence = holds(row, row.measured, measurements, patient, row.leads, min(row.least_leads, len(row.leads)))
        if evidence:
            found.setdefault(row.finding, Urgent(row, evidence))
    return list(found.values())


@cache
def urgent_rows() -> tuple[UrgentRow, ...]:
    return tuple(_row(row) for row in named_rows_of("meit.drafting.checks", "urgent_findings.tsv"))


def _row(row: dict[str, str]) -> UrgentRow:
    parts: dict[str, Any] = row_parts(row)
    return UrgentRow(
        finding=row["finding"],
        measured=conditions(row["measured"]),
        urgency=row["urgency"],
        **parts,
    )
