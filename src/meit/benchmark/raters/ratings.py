"""The ratings of a study: read back, averaged with intervals, and how far raters agree.

mean            of the raters of an item, then over recordings; 95% percentiles of 1,000 bootstraps over recordings
kappa           Cohen's weighted kappa with quadratic weights (Psychological Bulletin 70, 213, 1968), of each pair
                of raters over the items that both rated; scikit-learn
alpha           Krippendorff's alpha for ordinal data, any number of raters, axes left open allowed (Computing
                Krippendorff's Alpha-Reliability, 2011). Not taken from the package `krippendorff`, which is GPL.
                1 is full agreement, 0 that of chance; below .667 he advises to draw no conclusion
"""

import csv
import json
from collections.abc import Callable, Sequence
from functools import partial
from itertools import combinations
from pathlib import Path

import numpy as np

from meit.atomic import write_json, write_text
from meit.benchmark.raters.rating_study import KEY, REFERENCE
from meit.benchmark.raters.rubric import HIGHEST, LOWEST, rubric
from meit.benchmark.tables.metric_tables import markdown_table, metrics_json, results_json
from meit.errors import DataError
from meit.patient_bootstrap import Metric, bootstrapped

SCALE = np.arange(LOWEST, HIGHEST + 1)


def score_study(study: Path, ratings: Sequence[Path], out: Path) -> str:
    """Scores a study from the ratings that came back (sheet.html's download or ratings.csv filled in, any number).

    study: the folder of `export_study`. Writes results.json and table.md to `out`; returns the table. Raises DataError.
    """
    key = read_study_key(study)
    raters, values = read_ratings(key, ratings)
    sources = {REFERENCE: "reference report", key["system"]: "draft"}
    records = {record_id: row for row, record_id in enumerate(dict.fromkeys(i["record_id"] for i in key["items"]))}
    of_source = {}
    for source, name in sources.items():
        items = [place for place, item in enumerate(key["items"]) if item["source"] == source]
        rows = [records[key["items"][place]["record_id"]] for place in items]
        table = np.full((len(raters), len(records), values.shape[2]), np.nan)
        table[:, rows] = values[:, items]
        of_source[name] = table
    means = {name: mean_of_raters(table) for name, table in of_source.items()}
    means["draft minus reference"] = means["draft"] - means["reference report"]
    scores = {name: means_by_axis(table) for name, table in means.items()}
    record_of = np.array([records[item["record_id"]] for item in key["items"]])
    agreement = _agreement(raters, values, record_of)

    rated = int((~np.isnan(values)).any(axis=(0, 2)).sum())
    n = int((~np.isnan(means["draft"])).any(axis=1).sum())
    text = (
        f"{len(raters)} raters ({', '.join(raters)}), {rated} of {len(key['items'])} items, {n} recordings with a "
        f"rated draft; axes of {LOWEST}-{HIGHEST}, rubric {key['rubric']}\n\n{markdown_table(scores)}"
    )
    if agreement:
        text += f"\nAgreement between raters, drafts and references together:\n\n{markdown_table(agreement)}"
    else:
        text += "\nNo two raters rated the same item, so their agreement is not known.\n"
    extra = {
        "study": key["study"],
        "rubric": key["rubric"],
        "raters": raters,
        "sources": {name: metrics_json(metrics) for name, metrics in scores.items()},
        "agreement": {name: metrics_json(metrics) for name, metrics in agreement.items()},
    }
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    write_json(out / "results.json", results_json("expert", n, key["model"], [], scores["draft"], extra))
    write_text(out / "table.md", text)
    return text


def read_study_key(study: Path) -> dict:
    """The key.json of a study's folder. Raises DataError."""
    path = Path(study) / KEY
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DataError(f"{path}: no such file; give the folder that 'meit study export' wrote") from None
    except ValueError:
        raise DataError(f"{path}: is damaged; export the study again with the same seed") from None


def read_ratings(key: dict, paths: Sequence[Path]) -> tuple[list[str], np.ndarray]:
    """Names of the raters, sorted, and their ratings (raters, items of the key, axes), NaN where an axis was left open.

    Comma, semicolon and tab separate; a file without names of raters is of the rater that its own name says.
    Raises DataError, with file and line, for other studies' items, values outside 1-5 and what was rated twice.
    """
    items = {item["item"]: place for place, item in enumerate(key["items"])}
    found: dict[str, np.ndarray] = {}
    for path in map(Path, paths):
        for line, row in _rows(path):
            marks = [(row.get(axis) or "").strip() for axis in rubric().keys]
            if not any(marks):
                continue
            where = f"{path}, line {line}"
            name = (row.get("item") or "").strip()
            if name not in items or row.get("study", key["study"]).strip() != key["study"]:
                raise DataError(f"{where}: item {name!r} is not of study {key['study']}; score it with its own study")
            if row.get("rubric", key["rubric"]).strip() != key["rubric"]:
                raise DataError(f"{where}: was rated by another rubric than the study's {key['rubric']}; leave it out")
            rater = (row.get("rater") or "").strip() or path.stem
            of_rater = found.setdefault(rater, np.full((len(items), len(rubric().keys)), np.nan))
            if not np.isnan(of_rater[items[name]]).all():
                raise DataError(f"{where}: {rater} rated item {name} before; keep one of the two")
            of_rater[items[name]] = [_mark(mark, where) for mark in marks]
    if not found:
        raise DataError(f"{', '.join(map(str, paths)) or 'no file'}: holds no rating; fill in the columns of the axes")
    raters = sorted(found)
    return raters, np.stack([found[rater] for rater in raters])


def _rows(path: Path) -> list[tuple[int, dict[str, str]]]:
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error})") from None
    except UnicodeDecodeError:
        raise DataError(f"{path}: is not UTF-8 text; save it as 'CSV UTF-8'") from None
    header = text.split("\n", 1)[0]
    table = csv.DictReader(text.splitlines(keepends=True), delimiter=max(",;\t", key=header.count), restval="")
    absent = {"item", *rubric().keys} - set(table.fieldnames or ())
    if absent:
        raise DataError(f"{path}: has no column {', '.join(sorted(absent))}; is it the file of a rating sheet?")
    try:
        return [(table.line_num, row) for row in table]
    except csv.Error as error:
        raise DataError(f"{path}, line {table.line_num}: {error}; save it again as CSV") from None


def _mark(mark: str, where: str) -> float:
    if not mark:
        return np.nan
    try:
        value = float(mark)
    except ValueError:
        value = np.nan
    if value not in SCALE:
        raise DataError(f"{where}: {mark[:20]!r} is no rating; whole numbers from {LOWEST} to {HIGHEST} are")
    return value


def mean_of_raters(table: np.ndarray) -> np.ndarray:
    """(raters, ..., axes) -> (..., axes), NaN where nobody rated."""
    counts = (~np.isnan(table)).sum(axis=0)
    return np.divide(np.nansum(table, axis=0), counts, out=np.full(table.shape[1:], np.nan), where=counts > 0)


def means_by_axis(marks: np.ndarray) -> dict[str, Metric]:
    """(recordings, axes) -> the mean of each axis over the rated recordings; an axis without any is left out."""
    metrics = {}
    for axis, column in zip(rubric().keys, marks.T, strict=True):
        rated = column[~np.isnan(column)]
        metric = bootstrapped(partial(_mean_of, rated), np.arange(len(rated))) if len(rated) else None
        if metric is not None:
            metrics[axis] = metric
    return metrics


def _mean_of(marks: np.ndarray, rows: np.ndarray) -> float:
    return float(marks[rows].mean())


def _measure_of(measure: Callable[[np.ndarray], float], marks: np.ndarray, rows: np.ndarray) -> float:
    return measure(marks[:, rows])


def _agreement(raters: list[str], values: np.ndarray, record_of: np.ndarray) -> dict[str, dict[str, Metric]]:
    """Alpha of all raters and kappa of each pair, by axis; what is undefined is left out."""
    measures: dict[str, tuple[Callable, np.ndarray]] = {"Krippendorff's alpha": (krippendorff_alpha, values)}
    for one, two in combinations(range(len(raters)), 2):
        measures[f"weighted kappa, {raters[one]} and {raters[two]}"] = (weighted_kappa, values[[one, two]])
    table: dict[str, dict[str, Metric]] = {}
    for name, (measure, both) in measures.items():
        for axis, column in zip(rubric().keys, np.moveaxis(both, 2, 0), strict=True):
            kept = (~np.isnan(column)).sum(axis=0) >= 2
            if not kept.any():
                continue
            metric = bootstrapped(partial(_measure_of, measure, column[:, kept]), record_of[kept])
            if metric is not None:
                table.setdefault(name, {})[axis] = metric
    return table


def weighted_kappa(ratings: np.ndarray) -> float:
    """Cohen's kappa with quadratic weights of (2, items) marks of 1-5; NaN where both always gave the same mark, since
    chance cannot be told from agreement then. scikit-learn's cohen_kappa_score gives the same, in a hundred times the
    time, which thousands of resamples for each pair of raters do not have."""
    one, two = ((marks[:, None] == SCALE).astype(float) for marks in ratings)
    distance = np.square(np.subtract.outer(SCALE, SCALE))
    by_chance = one.sum(axis=0) @ distance @ two.sum(axis=0) / len(one)
    return float(1 - (one @ distance * two).sum() / by_chance) if by_chance > 0 else np.nan


def krippendorff_alpha(ratings: np.ndarray) -> float:
    """Alpha for ordinal data of (raters, items) marks of 1-5, NaN where open; NaN where all marks are the same."""
    counts = (ratings[:, :, None] == SCALE).sum(axis=0)  # (items, marks): how many raters gave it
    counts = counts[counts.sum(axis=1) >= 2].astype(float)
    of_item = counts.sum(axis=1, keepdims=True)
    coincidences = (counts / (of_item - 1)).T @ counts - np.diag((counts / (of_item - 1)).sum(axis=0))
    total = coincidences.sum(axis=1)
    # ordinal distance: the marks that lie between two, those at both ends counted half
    middle = np.cumsum(total) - total / 2
    distance = (middle[:, None] - middle) ** 2
    n = total.sum()
    expected = (np.outer(total, total) * distance).sum() / (n - 1) if n > 1 else 0.0
    return 1 - (coincidences * distance).sum() / expected if expected > 0 else np.nan
