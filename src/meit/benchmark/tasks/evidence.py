"""What checking statements against measurements changes: findings invented and left out, before and after.

A record's findings are the codes that its text asserts. before: the draft as the model wrote it. removed: without what
the measurements contradict, as --strict gives it. after: that, and what is measured and not mentioned added, as the
warnings name it. Hedges change nothing here. Of each:

    hallucinated, omitted   findings a record that only the draft, or only the reference, asserts
    precision, recall, f1   over all findings of all records

The references were written for the same ECGs by cardiologists or by carts, not from our measurements: a measured
finding that a reference lacks counts as invented, also where it is there.
"""

from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from meit.atomic import write_json, write_jsonl, write_text
from meit.benchmark.set_scores import set_scores
from meit.benchmark.tables.metric_tables import markdown_table, metrics_json, results_json
from meit.benchmark.tables.plots import save_figure
from meit.benchmark.tasks.comparison import data_identity, model_identity
from meit.benchmark.tasks.confidence_quality import calibration_metrics, error_of_chance, reliability_figure
from meit.data.splits import folds_of
from meit.drafting.calibration.calibrating import confidences, judged
from meit.drafting.calibration.confidence import Calibration, load_calibration
from meit.drafting.checks.grounding import SUPPORTS, ground
from meit.drafting.prepared_drafts import PreparedDraft, draft_prepared
from meit.errors import DataError
from meit.model.operating_points import BALANCED
from meit.model.report_model import load_model
from meit.model.sharing import is_first
from meit.reports.statements import CERTAINTIES, asserted, read_statements

SYSTEMS = ("before", "removed", "after")


def evaluate_grounding(
    model_folder: Path,
    data: Sequence[Path],
    out: Path,
    split: str = "test",
    device: str = "auto",
    dtype: str = "auto",
    operating_point: str = BALANCED,
) -> str:
    """Writes results.json, predictions.jsonl, table.md and, where the model is calibrated, calibration.png to `out`;
    returns the table. Intervals: 95%, 1,000 bootstraps over patients, paired for the differences."""
    model = load_model(model_folder, device=device, dtype=dtype, operating_point=operating_point)
    records = draft_prepared(model, data, folds_of(split))
    if not records:
        raise DataError(f"no recording of the {split} split to draft")
    if not is_first():
        return ""
    # an encoder that was trained to find nothing has no say in how sure a statement is
    calibration = load_calibration(Path(model_folder), model.sha256) if model.spec.encoder.findings else None
    rows = [_judge(record, calibration) for record in records]
    patients = [record.patient_id for record in records]
    metrics, differences = set_scores(
        SYSTEMS, [row["sets"] for row in rows], [row["reference"] for row in rows], patients
    )
    in_mv = sum(record.unit == "mV" for record in records)
    text = (
        f"n = {len(records)} recordings ({in_mv} in mV, the only ones whose voltages are checked), {split} split\n\n"
        + markdown_table(metrics)
        + "\n\nMinus before (paired):\n\n"
        + markdown_table(differences)
        + "\n\nStatements by support, and how many of them the reference asserts too:\n\n"
        + _shares(rows, "support", SUPPORTS)
        + "\n\nStatements by certainty, as hedged, and how many of them the reference asserts too:\n\n"
        + _shares(rows, "certainty", CERTAINTIES[:0:-1])
        + "\n\nRemoved and added findings by code, and how many of them the reference asserts:\n\n"
        + _by_code(rows)
    )
    statements = judged(records)
    fit = {}
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    if calibration is not None and statements:
        fit = calibration_metrics(calibration, statements)
        text += f"\n\nConfidence of {len(statements)} statements:\n\n" + markdown_table({"calibrated": fit})
        mean, most = error_of_chance(confidences(calibration, statements)[0])
        text += (
            f"\nIf they were right, the error would be {mean:.3f} on average, below {most:.3f} in 95 of 100 cases.\n"
        )
        title = f"{len(statements)} statements, {split} split"
        save_figure(lambda: reliability_figure(calibration, statements, title), out / "calibration", ("png",))
    more = {
        "split": split,
        "recordings_in_mv": in_mv,
        "systems": {name: metrics_json(values) for name, values in metrics.items()},
        "differences": {name: metrics_json(values) for name, values in differences.items()},
        "calibration": metrics_json(fit),
    }
    identity = model_identity(model, None)
    write_json(
        out / "results.json",
        results_json("grounding", len(records), identity, data_identity(data), metrics["after"], more),
    )
    kept = ("record_id", "unit", "draft", "report", "statements", "removed", "added", "added_alike", "reference_text")
    write_jsonl(out / "predictions.jsonl", ({key: row[key] for key in kept} for row in rows))
    write_text(out / "table.md", text + "\n")
    return text


def _judge(record: PreparedDraft, calibration: Calibration | None = None) -> dict:
    """One record before and after; JSON-ready but for its sets of codes."""
    found = (
        ground(record.draft, record.measurements, record.sex, record.age)
        if calibration is None
        else ground(
            record.draft,
            record.measurements,
            record.sex,
            record.age,
            partial(calibration.confidences, encoder=record.encoder),
        )
    )
    there = asserted(read_statements(record.reference))
    asserting = [one for one in found.statements if not one.statement.negated]
    before = {one.statement.code for one in asserting}
    strict = ground(record.draft, record.measurements, record.sex, record.age, strict=True)
    left = asserted(read_statements(strict.report))  # what shared its words with a contradicted finding may be lost too
    added = {one.code: one.words for one in found.omissions}
    return {
        "record_id": record.record_id,
        "unit": record.unit,
        "draft": record.draft,
        "report": found.report,
        "statements": [one.to_dict() | {"true": one.statement.code in there} for one in asserting],
        "removed": sorted(before - left),
        "added": added,
        "added_alike": [one.code for one in found.omissions if there & {one.code, *one.alike}],
        "reference_text": record.reference,
        "reference": there,
        "sets": (before, left, left | added.keys()),
    }


def _shares(rows: Sequence[dict], name: str, values: Sequence[str]) -> str:
    lines = [f"| {name} | statements | asserted by the reference | share |", "| --- | --- | --- | --- |"]
    for value in values:
        found = [one["true"] for row in rows for one in row["statements"] if one[name] == value]
        share = f"{sum(found) / len(found):.2f}" if found else ""
        lines.append(f"| {value} | {len(found)} | {sum(found)} | {share} |")
    return "\n".join(lines) + "\n"


def _by_code(rows: Sequence[dict]) -> str:
    """The price: removed findings that the reference asserts are true ones lost. Alike: the reference asserts another
    code that the same measurement bears, such as PAC for SVPC."""
    changes = ("removed", "added")
    removed, added = (Counter(code for row in rows for code in row[name]) for name in changes)
    lost, found = (Counter(code for row in rows for code in row[name] if code in row["reference"]) for name in changes)
    alike = Counter(code for row in rows for code in row["added_alike"])
    lines = ["| code | removed | of them true | added | of them true | true or alike |", "|" + " --- |" * 6]
    for code in sorted({*removed, *added}, key=lambda code: (-removed[code] - added[code], code)):
        lines.append(f"| {code} | {removed[code]} | {lost[code]} | {added[code]} | {found[code]} | {alike[code]} |")
    total = [sum(each.values()) for each in (removed, lost, added, found, alike)]
    return "\n".join([*lines, f"| all | {' | '.join(map(str, total))} |"]) + "\n"
