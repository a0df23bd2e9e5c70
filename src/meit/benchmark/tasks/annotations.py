"""Drafts against cardiologists' own annotations: PTB-XL's `scp_codes` with their likelihoods, no report in between.

Only records with `validated_by_human`. A likelihood of 100, 80, 50, 35 or 15 percent is what the annotators took from
words such as "probable" or "possible"; 0 says that none is stated, as for all rhythm and form statements (Wagner et
al., Scientific Data 7, 154, 2020). The same figures for the reference reports show how far any text agrees with the
annotations: some were given from the ECG and have no words in the report, and our reading of statements errs too.

    precision, recall, f1       SCP-ECG codes that a text states (whatever its certainty) against those annotated,
                                summed over records
    weighted_kappa              Cohen's, quadratic weights, of certainty: absent or excluded, possible (below 50%),
                                probable (below 100%), definite; over diagnostic codes that are annotated or stated at
                                all in the set, without those annotated with no likelihood
    recall of ...               share of the annotated codes of a likelihood that the text states
    annotated of ...            share of the text's statements of a certainty that are annotated, with any likelihood
    f1 of NORM, MI, ...         of the diagnostic superclasses
"""

import ast
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from meit.atomic import write_json, write_text
from meit.benchmark.raters.rating_study import REFERENCE, model_of, read_predictions, superclasses
from meit.benchmark.tables.metric_tables import markdown_table, metrics_json, results_json
from meit.benchmark.tasks.report_quality import evaluate_quality
from meit.benchmark.texts.scoring import Scoring
from meit.errors import DataError
from meit.model.operating_points import BALANCED
from meit.model.sharing import is_first, of_first
from meit.patient_bootstrap import Metric, bootstrapped
from meit.reports.gravity import SUPERCLASSES
from meit.reports.statements import CERTAINTIES, codes, read_statements

_COLUMNS = ["ecg_id", "patient_id", "scp_codes", "validated_by_human"]
_BANDS = {"likelihood 100": (100, 101), "50-99": (50, 100), "1-49": (1, 50), "not stated": (0, 1)}
STATED_CERTAINTIES = CERTAINTIES[1:]
LEVELS = np.arange(len(CERTAINTIES))  # 0 is excluded or absent
# metric -> the counts whose sum is divided by the sum of other counts
RATIOS = {
    "precision": (("hit",), ("hit", "extra")),
    "recall": (("hit",), ("hit", "missed")),
    "f1": (("hit", "hit"), ("hit", "hit", "extra", "missed")),
    **{f"recall of {band}": ((f"{band} hit",), (band,)) for band in _BANDS},
    **{f"annotated of {name}": ((f"{name} hit",), (name,)) for name in STATED_CERTAINTIES},
    **{f"f1 of {name}": ((f"{name} hit",) * 2, (name, f"{name} stated")) for name in SUPERCLASSES},
}
SHOWN_METRICS = (
    ("precision", "recall", "f1", "weighted_kappa"),
    tuple(name for name in RATIOS if name.startswith("recall of")),
    tuple(name for name in RATIOS if name.startswith("annotated of")),
    tuple(name for name in RATIOS if name.startswith("f1 of")),
)


def evaluate_expert(
    model_folder: Path,
    data: Sequence[Path],
    out: Path,
    table: Path,
    split: str = "test",
    quantised: str | None = None,
    scoring: Scoring = Scoring(),
    device: str = "auto",
    dtype: str = "auto",
    operating_point: str = BALANCED,
) -> str:
    """`evaluate_annotations` of a model, whose drafts of the split are made in `out`/quality unless they are there."""
    read_annotations(table)  # a wrong one shall say so before anything is drafted
    drafts = Path(out) / "quality"
    if of_first(not (drafts / "predictions.jsonl").exists()):
        evaluate_quality(model_folder, data, drafts, split, quantised, scoring, device, dtype, operating_point)
    return evaluate_annotations(drafts, table, Path(out)) if is_first() else ""


def evaluate_annotations(evaluated: Path, table: Path, out: Path, system: str = "model") -> str:
    """Scores the drafts of a folder that `meit evaluate` wrote; table: PTB-XL's ptbxl_database.csv.

    Writes results.json and table.md to `out`; returns the table. Intervals: 95%, 1,000 bootstraps over patients.
    Raises DataError, also where no drafted record is a human-validated one of the table.
    """
    annotations = read_annotations(table)
    predictions = {name: row for name, row in read_predictions(evaluated, system).items() if name in annotations}
    if not predictions:
        raise DataError(f"{evaluated}: no drafted record is human-validated in {table}; give drafts of PTB-XL records")
    patients = np.unique([annotations[name][0] for name in predictions], return_inverse=True)[1]
    likelihoods = [annotations[name][1] for name in predictions]
    scores = {
        name: annotation_agreement([row[source] for row in predictions.values()], likelihoods, patients)
        for name, source in (("draft", system), (REFERENCE, REFERENCE))
    }
    parts = [
        markdown_table({name: {m: row[m] for m in metrics if m in row} for name, row in scores.items()})
        for metrics in SHOWN_METRICS
    ]
    text = f"n = {len(predictions)} human-validated records of PTB-XL\n\n" + "\n".join(parts)
    extra = {"reference": metrics_json(scores[REFERENCE])}
    results = results_json("expert", len(predictions), model_of(evaluated), [], scores["draft"], extra)
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    write_json(out / "results.json", results)
    write_text(out / "table.md", text)
    return text


def read_annotations(table: Path) -> dict[str, tuple[str, dict[str, float]]]:
    """ecg_id -> patient_id and {code: likelihood in percent} of the human-validated records. Raises DataError."""
    import pandas as pd

    try:
        rows = pd.read_csv(table, usecols=_COLUMNS, dtype=str)
        rows = rows[rows["validated_by_human"] == "True"]
        return {row.ecg_id: (_whole(row.patient_id), _likelihoods(row.scp_codes)) for row in rows.itertuples()}
    except OSError as error:
        why = error.strerror or error
        raise DataError(f"{table}: cannot be read ({why}); give PTB-XL's ptbxl_database.csv") from None
    except (ValueError, SyntaxError):
        raise DataError(
            f"{table}: has not the columns of PTB-XL's ptbxl_database.csv ({', '.join(_COLUMNS)})"
        ) from None


def _whole(patient_id: str) -> str:
    return patient_id.removesuffix(".0")  # the table writes them as 15709.0


def _likelihoods(scp_codes: str) -> dict[str, float]:
    return {code: float(value) for code, value in ast.literal_eval(scp_codes).items()}


def annotation_agreement(
    texts: list[str], likelihoods: list[dict[str, float]], patients: np.ndarray
) -> dict[str, Metric]:
    """The metrics of this module's docstring; what has nothing to count is left out. patients: (records,)."""
    stated = [certainties(text) for text in texts]
    counts = [_counts(said, annotated) for said, annotated in zip(stated, likelihoods, strict=True)]
    of_name = {name: np.array([count[name] for count in counts]) for name in counts[0]}
    metrics = {}
    for name, (above, below) in RATIOS.items():
        top, bottom = (np.sum([of_name[count] for count in names], axis=0) for names in (above, below))
        metrics[name] = bootstrapped(partial(_ratio, top, bottom), patients)
    cells = _certainty_cells(stated, likelihoods)
    metrics["weighted_kappa"] = bootstrapped(lambda rows: _kappa(cells[rows].sum(axis=0)), patients)
    return {name: metric for name, metric in metrics.items() if metric is not None}


def certainties(text: str) -> dict[str, int]:
    """SCP-ECG code -> the highest place in CERTAINTIES with which a text states it; what it excludes is left out."""
    stated: dict[str, int] = {}
    for one in read_statements(text):
        if codes()[one.code].is_scp and not one.negated:
            stated[one.code] = max(stated.get(one.code, 0), CERTAINTIES.index(one.certainty))
    return stated


def _counts(stated: dict[str, int], annotated: dict[str, float]) -> dict[str, int]:
    """What one record adds to every count that RATIOS names."""
    both = stated.keys() & annotated.keys()
    counts = {"hit": len(both), "extra": len(stated.keys() - both), "missed": len(annotated.keys() - both)}
    for name, (low, high) in _BANDS.items():
        of_band = {code for code, likelihood in annotated.items() if low <= likelihood < high}
        counts |= {name: len(of_band), f"{name} hit": len(of_band & both)}
    for name in STATED_CERTAINTIES:
        so_stated = {code for code, place in stated.items() if place == CERTAINTIES.index(name)}
        counts |= {name: len(so_stated), f"{name} hit": len(so_stated & both)}
    said, meant = superclasses(stated), superclasses(annotated)
    for name in SUPERCLASSES:
        counts |= {name: name in meant, f"{name} stated": name in said, f"{name} hit": name in said & meant}
    return counts


def _certainty_cells(stated: list[dict[str, int]], likelihoods: list[dict[str, float]]) -> np.ndarray:
    """(records, annotated level, stated level): over the diagnostic codes of the set, how often they meet."""
    diagnostic = _diagnostic({code for of_record in stated for code in of_record}.union(*likelihoods))
    cells = np.zeros((len(stated), len(LEVELS), len(LEVELS)))
    for cell, said, annotated in zip(cells, stated, likelihoods, strict=True):
        for code in diagnostic:
            if annotated.get(code) != 0:
                cell[_level(annotated.get(code)), said.get(code, 0)] += 1
    return cells


def _diagnostic(found: Iterable[str]) -> list[str]:
    return sorted(code for code in set(found) if code in codes() and "diagnostic" in codes()[code].kind)


def _level(likelihood: float | None) -> int:
    return 0 if likelihood is None else 1 + (likelihood >= 50) + (likelihood >= 100)


def _ratio(top: np.ndarray, bottom: np.ndarray, rows: np.ndarray) -> float:
    return top[rows].sum() / bottom[rows].sum() if bottom[rows].sum() else np.nan


def _kappa(cells: np.ndarray) -> float:
    """Of (annotated level, stated level) counts; NaN where chance cannot be told from agreement. scikit-learn's
    cohen_kappa_score gives the same, in a hundred times the time, which a thousand resamples do not have."""
    if (cells.sum(axis=0) > 0).sum() < 2 and (cells.sum(axis=1) > 0).sum() < 2:
        return np.nan
    distance = np.square(np.subtract.outer(LEVELS, LEVELS))
    by_chance = cells.sum(axis=1) @ distance @ cells.sum(axis=0) / cells.sum()
    return float(1 - (cells * distance).sum() / by_chance)
