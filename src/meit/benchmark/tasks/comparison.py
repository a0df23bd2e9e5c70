"""What the tasks share: several systems' reports of the same recordings, scored, compared and written down."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from meit.atomic import write_json, write_jsonl, write_text
from meit.benchmark.finding_scores import abnormal_auroc, by_code, by_group, findings_difference, score_findings
from meit.benchmark.tables.metric_tables import markdown_table, metrics_json, results_json
from meit.benchmark.tables.plots import findings_figure, save_figure
from meit.benchmark.texts.metrics import Evaluation
from meit.benchmark.texts.scoring import Scoring
from meit.data.batches import EcgSet
from meit.data.shards import read_all_reports, read_manifest
from meit.data.splits import SPLITS
from meit.model.language.architectures import input_embeddings
from meit.model.report_model import ReportModel
from meit.patient_bootstrap import Metric

SHUFFLE_SEED = 0
SHOWN_FINDINGS = (  # of score_findings, what table.md shows; results.json has all
    "statement_precision",
    "statement_recall",
    "statement_f1",
    "hallucinated",
    "omitted",
    "missed_critical",
    "invented_critical",
    "abnormal_sensitivity",
    "abnormal_specificity",
    "abnormal_auroc",
)
MODEL, FREQUENT, SHUFFLED = "model", "most frequent report", "another patient's ECG"


def training_texts(data: Sequence[Path]) -> list[str]:
    """Every usable report of the training folds, with or without a recording."""
    texts = [report.text for report in read_all_reports(data, SPLITS["train"])]
    return texts or EcgSet(data, SPLITS["train"], 100, 10).texts


def compare_systems(
    task: str,
    systems: dict[str, list[str]],
    test: EcgSet,
    train_texts: list[str],
    out: Path,
    *,
    model: dict,
    data: Sequence[Path],
    split: str,
    scoring: Scoring = Scoring(),
    extra: dict | None = None,
    notes: str = "",
    abnormal: np.ndarray | None = None,
) -> str:
    """Scores the systems, of which the first is the model, and the model against each other one.

    Writes results.json, predictions.jsonl, table.md, findings.png and .svg to `out`; returns the table. The intervals are 95% percentiles
    of 1,000 bootstraps over patients. train_texts: for CIDEr-D's document frequencies. notes: stands above the tables.
    abnormal: (N,) how abnormal the model holds each ECG to be, whose AUROC is then added.
    """
    drafts = systems[MODEL]
    references, patients = test.texts, test.patients
    evaluation = Evaluation(references, patients, train_texts, scoring.protocol, scoring.scorers)
    scores = {name: evaluation.score(texts) for name, texts in systems.items()}
    findings = {name: score_findings(texts, references, patients) for name, texts in systems.items()}
    if abnormal is not None and (auroc := abnormal_auroc(abnormal, references, patients)):
        findings[MODEL] |= {"abnormal_auroc": auroc}
    codes = by_code(drafts, references, patients)
    groups = by_group(drafts, list(test.reports))
    gains = {
        name: evaluation.difference(drafts, texts) | findings_difference(drafts, texts, references, patients)
        for name, texts in systems.items()
        if name != MODEL
    }
    table = (
        f"n = {len(drafts)} recordings, {split} split, {len(set(drafts))} distinct drafts\n\n{notes}"
        + markdown_table(scores)
        + "\n\nFindings that the reports state (docs/statements.md):\n\n"
        + markdown_table({name: _only(found, SHOWN_FINDINGS) for name, found in findings.items()})
        + "\n\nOur model minus each other system (paired bootstrap over patients):\n\n"
        + markdown_table(gains)
    )
    if groups:
        table += "\n\nOur model by sex and age:\n\n" + markdown_table(
            {f"{name} (n = {n})": _only(found, SHOWN_FINDINGS) for name, (n, found) in groups.items()}
        )
    more = {
        "split": split,
        "scoring": evaluation.about,
        "distinct_drafts": len(set(drafts)),
        "baselines": {name: metrics_json(scores[name] | findings[name]) for name in systems if name != MODEL},
        "findings_by_code": {code: asdict(found) for code, found in codes.items()},
        "groups": {name: {"n": n, "metrics": metrics_json(found)} for name, (n, found) in groups.items()},
        "differences": {name: metrics_json(values) for name, values in gains.items()},
    }
    out.mkdir(parents=True, exist_ok=True)
    result = results_json(
        task, len(drafts), model, data_identity(data), scores[MODEL] | findings[MODEL], more | (extra or {})
    )
    write_json(out / "results.json", result)
    ids = test.column("record_id")
    write_jsonl(
        out / "predictions.jsonl",
        (
            {"record_id": ids[row], "reference": references[row]}
            | {name: texts[row] for name, texts in systems.items()}
            for row in range(len(ids))
        ),
    )
    write_text(out / "table.md", table + "\n")
    save_figure(lambda: findings_figure(codes), out / "findings")
    return table


def data_identity(data: Sequence[Path]) -> list[dict]:
    """What identifies prepared folders in results."""
    return [{"folder": Path(folder).name, "sha256": read_manifest(folder)["sha256"]} for folder in data]


def model_identity(model: ReportModel, quantised: str | None) -> dict:
    """What identifies the model in results."""
    spec = model.spec
    return {
        "name": spec.name,
        "version": spec.version,
        "sha256": model.sha256,
        "backbone": spec.backbone,
        "fusion": spec.fusion,
        "encoder_tokens": spec.encoder.n_tokens,
        "parameters": sum(parameter.numel() for parameter in model.backbone.parameters()),
        "training": model.training_record,
        "quantised": quantised,
        "operating_point": model.operating_point,
        "device": str(model.device),
        "dtype": str(input_embeddings(model.backbone).dtype).removeprefix("torch."),
    }


def _only(metrics: dict[str, Metric], names: Sequence[str]) -> dict[str, Metric]:
    return {name: metrics[name] for name in names if name in metrics}
