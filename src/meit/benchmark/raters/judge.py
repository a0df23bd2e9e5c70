"""A language model that rates drafts against references on the four axes of the raters, and how far it can be believed.

A judge is no cardiologist: it sees no ECG, only the reference report, and errs with it. Its ratings stand for those of
clinicians only as far as `calibrate_judge` shows on recordings that clinicians rated too.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from meit.atomic import write_json, write_text
from meit.benchmark.raters.rating_study import model_of, read_predictions
from meit.benchmark.raters.ratings import mean_of_raters, means_by_axis, read_ratings, read_study_key
from meit.benchmark.raters.rubric import HIGHEST, LOWEST, Axis, rubric
from meit.benchmark.tables.metric_tables import markdown_table, metrics_json, results_json
from meit.errors import DataError

CACHE = "judge.jsonl"
_FOLDS = 10
MIN_RATED = 20  # drafts rated by both, below which nothing is calibrated
NO_CARDIOLOGIST = "A judge is a language model and no cardiologist: it sees the reference report, not the ECG."


@dataclass(frozen=True)
class Ratings:
    """marks: axis -> 1.0-5.0, or None where the judge gave nothing usable; answers: what it said, word for word."""

    marks: dict[str, float] | None
    answers: tuple[str, ...] = ()


class Judge(Protocol):
    """name: which model, and whatever else changes its ratings; it must hold no secret, since it is written down."""

    @property
    def name(self) -> str: ...

    def rate(self, reference: str, draft: str) -> Ratings: ...


def both_reports(reference: str, draft: str) -> str:
    """The part of a judge's prompt that holds the two reports."""
    return f"<reference>\n{reference}\n</reference>\n<draft>\n{draft}\n</draft>"


def axis_in_words(axis: Axis) -> str:
    anchors = "\n".join(f"  {value}: {words}" for value, words in axis.anchors.items())
    return f"{axis.key} ({axis.name}): {axis.question}\n{anchors}"


def judge_drafts(
    evaluated: Path,
    judge: Judge,
    out: Path,
    study: Path | None = None,
    ratings: Sequence[Path] = (),
    system: str = "model",
) -> str:
    """Rates the drafts in a folder that `meit evaluate` wrote; with ratings of a study, calibrates the judge on them.

    Every answer is appended to judge.jsonl in `out`, by which a second call goes on where the first was cut off; equal
    pairs of texts are asked once. Writes results.json and table.md too; returns the table. Raises DataError,
    ModelError.
    """
    predictions = read_predictions(evaluated, system)
    drafts = {name: row[system] for name, row in predictions.items()}
    key = read_study_key(study) if study is not None else None  # before the judge is asked, which takes long
    human = _human_means(key, ratings, drafts) if key is not None else {}
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    rated = _rate_all(judge, {name: (row["reference"], row[system]) for name, row in predictions.items()}, out / CACHE)
    marks = np.array([_row(one) for one in rated.values()])
    scores = {f"judge {judge.name}": means_by_axis(marks)}
    extra: dict = {"judge": judge.name, "rubric": rubric().version, "unrated": int(np.isnan(marks[:, 0]).sum())}
    text = ""
    if key is not None:
        maps, shown = calibrate_judge(
            np.array([_row(rated[record_id]) for record_id in human]).reshape(-1, marks.shape[1]),
            np.array(list(human.values())).reshape(-1, marks.shape[1]),
        )
        scores[f"judge {judge.name}, calibrated"] = means_by_axis(
            np.stack(
                [as_raters_would(maps.get(axis), marks[:, column]) for column, axis in enumerate(rubric().keys)], axis=1
            )
        )
        extra["calibration"] = {"study": key["study"], "maps": maps, "fit": shown}
        text = "\n" + _calibration_table(shown)
    scale = f"axes of {LOWEST}-{HIGHEST}, rubric {rubric().version}"
    about = f"n = {len(rated)} drafts, {extra['unrated']} unrated; {scale}"
    table = f"{about}\n\n{markdown_table(scores)}{text}\n{NO_CARDIOLOGIST}\n"
    extra["systems"] = {name: metrics_json(row) for name, row in scores.items()}
    first = next(iter(scores.values()))
    write_json(out / "results.json", results_json("expert", len(rated), model_of(evaluated), [], first, extra))
    write_text(out / "table.md", table)
    return table


def _rate_all(judge: Judge, pairs: dict[str, tuple[str, str]], cache: Path) -> dict[str, Ratings]:
    """The ratings of every pair (reference, draft), those in the cache without asking."""
    from tqdm import tqdm

    known = _read_cache(cache)
    keys = {name: _key(judge.name, *pair) for name, pair in pairs.items()}
    for name, (reference, draft) in tqdm(pairs.items(), desc="judging", unit="draft"):
        if keys[name] in known:
            continue
        ratings = judge.rate(reference, draft)
        known[keys[name]] = ratings
        about = {"key": keys[name], "judge": judge.name, "rubric": rubric().version}
        line = {**about, "reference": reference, "draft": draft, **asdict(ratings)}
        with cache.open("a", encoding="utf-8") as lines:
            lines.write(json.dumps(line, ensure_ascii=False) + "\n")
    return {name: known[key] for name, key in keys.items()}


def _key(judge: str, reference: str, draft: str) -> str:
    return hashlib.sha256(json.dumps([judge, rubric().version, reference, draft]).encode()).hexdigest()


def _read_cache(path: Path) -> dict[str, Ratings]:
    """What is rated already; a last line that a kill left unfinished is cut off."""
    if not path.exists():
        return {}
    content = path.read_bytes()
    whole = content[: content.rfind(b"\n") + 1]
    if whole != content:
        with path.open("r+b") as file:
            file.truncate(len(whole))
    try:
        rows = [json.loads(line) for line in whole.decode("utf-8").splitlines() if line]
        return {row["key"]: Ratings(row["marks"], tuple(row["answers"])) for row in rows}
    except (ValueError, KeyError, TypeError):
        raise DataError(f"{path}: is damaged; move it away, and the drafts are rated anew") from None


def _row(ratings: Ratings) -> list[float]:
    return [np.nan if ratings.marks is None else ratings.marks[axis] for axis in rubric().keys]


def _human_means(key: dict, ratings: Sequence[Path], drafts: dict[str, str]) -> dict[str, np.ndarray]:
    """record_id -> (axes,) means of the raters of its draft, where they read the draft that is judged."""
    _, values = read_ratings(key, ratings)
    means = mean_of_raters(values)
    return {
        item["record_id"]: means[place]
        for place, item in enumerate(key["items"])
        if item["source"] == key["system"] and item["text"] == drafts.get(item["record_id"])
    }


def calibrate_judge(judged: np.ndarray, human: np.ndarray) -> tuple[dict[str, dict], dict[str, dict]]:
    """How clinicians would rate what the judge rated so: a map of each axis, and how well it holds.

    judged, human: (drafts, axes), NaN where not rated. The map never falls (isotonic regression; Barlow et al., 1972),
    so a judge unrelated to the raters is mapped to their mean. Its mean absolute error is that of 10-fold
    cross-validation; beside it stand the judge's own, and that of answering always with the raters' mean. Returns maps
    (judge, human: corner points between which `as_raters_would` interpolates) and fits, by axis; axes with less than 20 drafts
    rated by both are left out. Raises DataError where that leaves none.
    """
    from scipy.stats import spearmanr
    from sklearn.dummy import DummyRegressor
    from sklearn.isotonic import IsotonicRegression
    from sklearn.model_selection import KFold, cross_val_predict

    maps, shown = {}, {}
    for axis, x, y in zip(rubric().keys, judged.T, human.T, strict=True):
        both = ~np.isnan(x) & ~np.isnan(y)
        x, y = x[both], y[both]
        n = len(x)
        if n < MIN_RATED:
            continue
        folds = KFold(_FOLDS, shuffle=True, random_state=0)
        isotonic = IsotonicRegression(y_min=LOWEST, y_max=HIGHEST, out_of_bounds="clip")
        errors = {
            "error_judge": np.abs(x - y),
            "error_calibrated": np.abs(cross_val_predict(isotonic, x[:, None], y, cv=folds) - y),
            "error_mean": np.abs(cross_val_predict(DummyRegressor(), x[:, None], y, cv=folds) - y),
        }
        isotonic.fit(x[:, None], y)
        maps[axis] = {"judge": isotonic.X_thresholds_.tolist(), "human": isotonic.y_thresholds_.tolist()}
        constant = len(set(x)) == 1 or len(set(y)) == 1
        rank = None if constant else float(spearmanr(x, y).statistic)
        shown[axis] = {"n": n, "spearman": rank, **{name: float(error.mean()) for name, error in errors.items()}}
    if not maps:
        raise DataError(
            f"no axis has {MIN_RATED} drafts that both the judge and raters rated, so it cannot be calibrated; "
            "give more ratings of drafts that are judged here"
        )
    return maps, shown


def as_raters_would(calibration: dict | None, marks: np.ndarray) -> np.ndarray:
    """The judge's marks of one axis as raters would give them; NaN for an axis without calibration."""
    if calibration is None:
        return np.full_like(marks, np.nan)
    return np.where(np.isnan(marks), np.nan, np.interp(marks, calibration["judge"], calibration["human"]))


def _calibration_table(shown: dict[str, dict]) -> str:
    names = ("n", "spearman", "error_judge", "error_calibrated", "error_mean")
    head = ("Axis", "n", "Spearman", "error of the judge", "calibrated, cross-validated", "of the raters' mean")
    lines = [head, ("---",) * len(head)]
    for axis, fit in shown.items():
        values = (fit[name] for name in names)
        lines.append((axis, *("" if value is None else f"{value:.3g}" for value in values)))
    note = "Against raters (mean absolute error; a judge no better than the raters' mean tells nothing):\n\n"
    return note + "".join(f"| {' | '.join(line)} |\n" for line in lines)
