"""Statements that an ECG cart printed, one a line (MIMIC-IV-ECG's report_0 ... report_17) -> one English report.

The rules are data: machine_rules.tsv. What becomes of them is worded as `translate` words PTB-XL's reports.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, lru_cache

from meit.tables import rows_of

# Of remarks; where there is nothing else, the first that occurs is the reason.
KINDS = ("data quality", "measurement", "comparison", "technical remark", "confirmation")
_CONTINUES = re.compile(r"(or|and|with|but|due to)\b")
_SHOUTED = re.compile(r"\b[A-Z]{4,}\b")
_AS_WRITTEN = re.compile(r"[a-z][A-Z]")  # rSr', qR


@dataclass(frozen=True)
class MachineReport:
    """text: sentences that each end in a full stop, or None; then `reason` says why the lines are no report."""

    text: str | None
    reason: str | None = None


def clean_machine_report(lines: Iterable[str]) -> MachineReport:
    """One report of a cart's statements, each once, in their order; blank lines count as absent."""
    sentences: list[str] = []
    kinds = set()
    for line in lines:
        sentence, kind = _read(line)
        if kind:
            kinds.add(kind)
        elif sentences and _CONTINUES.match(sentence):
            sentences[-1] += f" {sentence}"
        elif sentence and sentence not in sentences:
            sentences.append(sentence)
    if sentences:
        return MachineReport(" ".join(f"{_capital(sentence)}." for sentence in sentences))
    kind = next((kind for kind in KINDS if kind in kinds), None)
    return MachineReport(None, f"no finding, only {kind}" if kind else "empty report")


@cache
def _rules(stage: str) -> list[tuple[re.Pattern[str], str]]:
    rows = rows_of("meit.reports", "machine_rules.tsv")
    return [(re.compile(row[1], re.IGNORECASE), row[2]) for row in rows if row[0] == stage]


@lru_cache(maxsize=65_536)  # the carts repeat themselves
def _read(line: str) -> tuple[str, str | None]:
    """A line's sentence without capital and full stop; or the kind of remark that it is."""
    text = _apply("tidy", line)
    if not re.search(r"[^\W_]", text):
        return "", None
    for pattern, kind in _rules("remark"):
        if pattern.fullmatch(text):
            return "", kind
    if text[1:2].islower():
        text = text[0].lower() + text[1:]
    text = _apply("wording", text)
    return _SHOUTED.sub(lambda word: word.group().lower(), text).strip(" ,;:-"), None


def _apply(stage: str, text: str) -> str:
    for pattern, replacement in _rules(stage):
        text = pattern.sub(replacement, text)
    return text


def _capital(text: str) -> str:
    return text if _AS_WRITTEN.match(text) else text[0].upper() + text[1:]
