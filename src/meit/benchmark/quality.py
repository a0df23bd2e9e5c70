"""Task 1, report quality: the drafts of a split against its reports, beside three baselines."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import torch

from meit.benchmark.baselines import most_frequent_report, nearest_reports, other_patient
from meit.benchmark.metrics import paired_difference, score
from meit.benchmark.tables import markdown_table, results_json
from meit.data.batches import EcgSet
from meit.data.shards import read_all_reports, read_manifest
from meit.data.splits import SPLITS
from meit.drafting.writing import write_reports
from meit.files import write_json, write_jsonl, write_text
from meit.model.report_model import ReportModel, load_model
from meit.training.features import encode_all

SEED = 0
MODEL, FREQUENT, NEAREST, SHUFFLED = "model", "most frequent report", "nearest ECG", "another patient's ECG"


def evaluate_quality(
    model_folder: Path, data: Sequence[Path], out: Path, split: str = "test", quantised: str | None = None
) -> str:
    """Scores a model on a split; writes results.json, predictions.jsonl and table.md to `out`. Returns the table.

    The intervals are 95% percentiles of 1,000 bootstraps over patients. CIDEr-D counts documents in the training
    reports (every usable report of the training folds). Raises DataError, ModelError.
    """
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    model = load_model(model_folder, quantised)
    config = model.spec.encoder
    test = EcgSet(data, SPLITS[split], config.rate, config.seconds)
    train = EcgSet(data, SPLITS["train"], config.rate, config.seconds)
    train_texts = [report.text for report in read_all_reports(data, SPLITS["train"])] or train.texts
    drafts, features = write_drafts(model, test)
    _, _, train_features = encode_all(model.encoder, train)
    swap = other_patient(test.patients, SEED)
    systems = {
        MODEL: drafts,
        FREQUENT: [most_frequent_report(train_texts)] * len(drafts),
        NEAREST: nearest_reports(train_features.numpy(), train.texts, features.numpy()),
        SHUFFLED: [drafts[index] for index in swap],
    }
    scores = {name: score(texts, test.texts, test.patients, train_texts) for name, texts in systems.items()}
    gains = {
        name: paired_difference(drafts, texts, test.texts, test.patients, train_texts)
        for name, texts in systems.items()
        if name != MODEL
    }
    table = (
        f"n = {len(drafts)} recordings, {split} split, {len(set(drafts))} distinct drafts\n\n"
        + markdown_table(scores)
        + "\n\nOur model minus each baseline (paired bootstrap over patients):\n\n"
        + markdown_table(gains)
    )
    extra = {
        "split": split,
        "distinct_drafts": len(set(drafts)),
        "baselines": {name: _plain(scores[name]) for name in systems if name != MODEL},
        "differences": {name: _plain(values) for name, values in gains.items()},
    }
    about = {"name": model.spec.name, "version": model.spec.version, "sha256": model.sha256, "quantised": quantised}
    sources = [{"folder": Path(folder).name, "sha256": read_manifest(folder)["sha256"]} for folder in data]
    write_json(out / "results.json", results_json("quality", len(drafts), about, sources, scores[MODEL], extra))
    write_jsonl(
        out / "predictions.jsonl",
        [
            {"record_id": report.record_id, "reference": report.text}
            | {name: texts[row] for name, texts in systems.items()}
            for row, report in enumerate(test.reports)
        ],
    )
    write_text(out / "table.md", table + "\n")
    return table


def write_drafts(model: ReportModel, data: EcgSet) -> tuple[list[str], torch.Tensor]:
    """Drafts of every recording, and the features (N, d) by which recordings are compared."""
    from tqdm import tqdm

    probabilities, tokens, features = encode_all(model.encoder, data)
    with tqdm(total=len(tokens), desc="drafting", unit="ECG") as bar:
        return write_reports(model, probabilities, tokens, done=bar.update), features


def _plain(metrics: dict) -> dict:
    return {name: asdict(metric) for name, metric in metrics.items()}
