"""One row a recording, as shards hold it: the same columns in JSON lines and in Parquet."""

import json
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from meit import __version__
from meit.bulk.outcome import DRAFTED, FAILED, UNUSABLE
from meit.drafting.checks.urgency import urgency_of
from meit.drafting.draft_types import Draft
from meit.ecg.measure.measurements import BY_LEAD, GLOBAL, Measure, Measurements
from meit.ecg.quality import Quality

if TYPE_CHECKING:
    import pyarrow as pa

_OF_STATEMENT = ("code", "text", "certainty", "territory", "age", "support", "evidence")


def drafted_row(path: str, draft: Draft) -> dict[str, Any]:
    """A recording that was read; unusable ones have a reason among the warnings, and no report."""
    urgency, critical = urgency_of(draft)
    return _row(
        path,
        UNUSABLE if draft.unusable else DRAFTED,
        report=draft.report,
        statements=[_statement(one.to_dict()) for one in draft.statements],
        warnings=list(draft.warnings),
        urgency=urgency.name.lower(),
        critical=list(critical),
        measurements=None if draft.measurements is None else _measurements(draft.measurements),
        quality=None if draft.quality is None else _quality(draft.quality),
        model_sha256=None if draft.model is None else draft.model.sha256,
    )


def failed_row(path: str, error: str) -> dict[str, Any]:
    return _row(path, FAILED, error=error)


def _row(path: str, status: str, **known: Any) -> dict[str, Any]:
    lists: dict[str, Any] = {"statements": [], "warnings": [], "critical": []}
    empty = dict.fromkeys(row_schema().names) | lists
    return {**empty, "path": path, "status": status, "meit_version": __version__, **known}


def _statement(given: Mapping[str, Any]) -> dict[str, Any]:
    return {**{name: given[name] for name in _OF_STATEMENT}, "confidence": given["confidence"]}


def _measurements(found: Measurements) -> dict[str, Any]:
    leads = [{"lead": lead, **_values(row, BY_LEAD)} for lead, row in found.leads.items()]
    every = {name: found[name] for name in GLOBAL}
    sure = {name: float(one.reliability) for name, one in every.items()}
    return {**_values(every, GLOBAL), "reliability": sure, "leads": leads}


def _values(row: Mapping[str, Measure], names: Mapping[str, str]) -> dict[str, float | None]:
    found = {name: row[name].value if name in row else None for name in names}
    return {name: None if value is None else float(value) for name, value in found.items()}


def _quality(found: Quality) -> dict[str, Any]:
    reasons = [{"reason": one.reason, "leads": list(one.leads), "verdict": one.verdict} for one in found.reasons]
    return {"verdict": found.verdict, "reasons": reasons}


def row_line(row: Mapping[str, Any]) -> bytes:
    return (json.dumps(row, ensure_ascii=False, allow_nan=False, separators=(",", ":")) + "\n").encode(
        "utf-8", "replace"
    )


@cache
def row_schema() -> "pa.Schema":
    import pyarrow as pa

    text, number = pa.string(), pa.float64()
    statement = pa.struct([*((name, text) for name in _OF_STATEMENT), ("confidence", number)])
    values = [(name, number) for name in GLOBAL]
    leads = pa.list_(pa.struct([("lead", text), *((name, number) for name in BY_LEAD)]))
    reason = pa.struct([("reason", text), ("leads", pa.list_(text)), ("verdict", text)])
    return pa.schema(
        [
            ("path", text),
            ("status", text),
            ("report", text),
            ("statements", pa.list_(statement)),
            ("warnings", pa.list_(text)),
            ("urgency", text),
            ("critical", pa.list_(text)),
            ("measurements", pa.struct([*values, ("reliability", pa.struct(values)), ("leads", leads)])),
            ("quality", pa.struct([("verdict", text), ("reasons", pa.list_(reason))])),
            ("model_sha256", text),
            ("meit_version", text),
            ("error", text),
        ]
    )
