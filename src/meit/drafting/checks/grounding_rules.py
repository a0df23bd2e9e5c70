"""The rules that hold statements against measurements: grounding_rules.tsv, read. The table decides, not the code.

A row is a rule; what its columns mean stands at the head of the table, what conditions are in measured_conditions.py.
"""

from dataclasses import dataclass
from functools import cache
from typing import Any

from meit.drafting.checks.measured_conditions import MeasuredRow, RuleCondition, SexAge, conditions, row_parts
from meit.tables import named_rows_of

__all__ = ["NONE_TOLD", "Rule", "SexAge", "grounding_rules"]
NONE_TOLD = "-"  # in the table, for a statement that tells no age


@dataclass(frozen=True)
class Rule(MeasuredRow):
    """A row of grounding_rules.tsv. Empty conditions never hold."""

    supports: tuple[RuleCondition, ...]
    contradicts: tuple[RuleCondition, ...]
    names: tuple[RuleCondition, ...]
    refutes_normal: bool


@cache
def grounding_rules() -> tuple[Rule, ...]:
    return tuple(_rule(row) for row in named_rows_of("meit.drafting.checks", "grounding_rules.tsv"))


def _rule(row: dict[str, str]) -> Rule:
    parts: dict[str, Any] = row_parts(row)
    return Rule(
        supports=conditions(row["supports"]),
        contradicts=conditions(row["contradicts"]),
        names=conditions(row["names"]),
        refutes_normal=row["refutes normal"] == "yes",
        **parts,
    )
