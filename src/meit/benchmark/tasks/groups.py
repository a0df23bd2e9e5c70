"""Scores by sex and age group: a mean can hide that a model serves some patients worse."""

from collections.abc import Callable, Sequence

from meit.benchmark.findings import score_findings
from meit.data.batches import EcgSet
from meit.data.shards import Report
from meit.patient_bootstrap import Metric

GROUPS: dict[str, Callable[[Report], bool]] = {
    "women": lambda one: one.sex == "F",
    "men": lambda one: one.sex == "M",
    "under 40 years": lambda one: one.age is not None and one.age < 40,
    "40 to 59 years": lambda one: one.age is not None and 40 <= one.age < 60,
    "60 to 79 years": lambda one: one.age is not None and 60 <= one.age < 80,
    "80 years and more": lambda one: one.age is not None and one.age >= 80,
}


def by_group(drafts: Sequence[str], test: EcgSet) -> dict[str, tuple[int, dict[str, Metric]]]:
    """Number of recordings and `score_findings` of each group that has any; drafts in the order of the set."""
    reports = list(test.reports)
    found = {}
    for name, belongs in GROUPS.items():
        rows = [row for row, report in enumerate(reports) if belongs(report)]
        if rows:
            texts, references = [drafts[row] for row in rows], [reports[row].text for row in rows]
            found[name] = len(rows), score_findings(texts, references, [reports[row].patient_id for row in rows])
    return found
