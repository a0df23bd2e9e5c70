"""Task 3, robustness: the same recordings with noise and faults of recording added (meit.ecg.noise), drafted anew.

Noise is added to the recordings as they are stored, before the encoder's filter. What is drawn for a recording depends
on the seed, the noise and the recording's id alone: levels of one noise differ in size only, and every model meets the
same noise.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from zlib import crc32

import numpy as np

from meit.atomic import write_json, write_jsonl, write_text
from meit.benchmark.finding_scores import score_findings
from meit.benchmark.tables.metric_tables import markdown_table, metrics_json, results_json
from meit.benchmark.tables.plots import INK, new_figure, save_figure
from meit.benchmark.tasks.comparison import data_identity, model_identity, training_texts
from meit.benchmark.texts.metrics import Evaluation
from meit.benchmark.texts.scoring import Scoring
from meit.data.batches import EcgSet
from meit.data.shards import sha256
from meit.data.splits import folds_of
from meit.drafting.set_drafts import write_drafts
from meit.ecg.noise import NOISES, NSTDB, SEGMENT_SHARES, SWAPS, Noise, nstdb_noises
from meit.ecg.recording import LEADS
from meit.ecg.signal.windowing import first_windows
from meit.errors import DataError
from meit.model.encoders.encoding import recordings_for
from meit.model.operating_points import BALANCED
from meit.model.report_model import ReportModel, load_model
from meit.model.sharing import is_first, of_first
from meit.patient_bootstrap import Metric

CLEAN, CONDITIONS = "clean", "conditions"
CURVES = ("bleu_4", "rouge_l", "cider_d", "statement_f1")  # the metrics that are drawn
# of score_findings, what table.md shows; results.json has all
FINDINGS = ("statement_f1", "hallucinated", "omitted", "abnormal_sensitivity", "abnormal_specificity")
NAMED_LEVELS = {"missing lead": LEADS, "swapped electrodes": SWAPS}

Level = float | str
NoiseCondition = tuple[str, Level]


def evaluate_noise(
    model_folder: Path,
    data: Sequence[Path],
    out: Path,
    split: str = "test",
    chosen: Mapping[str, Sequence[Level]] | Sequence[str] | None = None,
    nstdb: Path | None = None,
    seed: int = 0,
    quantised: str | None = None,
    scoring: Scoring = Scoring(),
    device: str = "auto",
    dtype: str = "auto",
    operating_point: str = BALANCED,
) -> str:
    """Drafts and scores a split under each noise and level; returns the table.

    chosen: noise -> levels, or the texts that `choose_noises` reads; by default all of NOISES. nstdb: folder of the records bw, ma and em, whose noise then
    takes the place of three generators. `out` gets results.json, predictions.jsonl, table.md, curves.png and .svg, and
    in conditions/ a folder each with drafts.json (what is there already is not drafted again) and a results.json for
    `meit table`. The intervals are 95% percentiles of 1,000 bootstraps over patients. Raises DataError, ModelError,
    RecordingError (a record of NSTDB).
    """
    table = NOISES | (nstdb_noises(nstdb) if nstdb else {})
    if chosen is None:
        chosen = {name: noise.levels for name, noise in table.items()}
    elif not isinstance(chosen, Mapping):
        chosen = choose_noises(chosen)
    conditions = list(dict.fromkeys((name, level) for name, levels in chosen.items() for level in levels))
    for condition in conditions:
        _check(*condition)
    scoring.check()  # what is absent shall say so now
    model = load_model(model_folder, quantised, device, dtype, operating_point)
    config = model.spec.encoder
    test = recordings_for(config, data, folds_of(split))
    prepared = data_identity(data)
    identity = model_identity(model, quantised)
    run = {"data": prepared, "split": split, "seed": seed, "nstdb": _hashes(nstdb)}
    run |= {"model": model.sha256, "quantised": quantised, "device": model.device.type, "dtype": identity["dtype"]}
    run["operating_point"] = operating_point
    out = Path(out)
    if is_first():
        _begin(out, run)
    drafts = _all_drafts(model, test, table, conditions, seed, out)
    if not drafts:
        return ""  # the first process scores and writes
    clean = drafts.pop(CLEAN)
    noisy = {condition: drafts[condition] for condition in conditions}

    evaluation = Evaluation(test.texts, test.patients, training_texts(data), scoring.protocol, scoring.scorers)
    every_draft: dict[NoiseCondition | str, list[str]] = {CLEAN: clean} | noisy
    scores = {condition: evaluation.score(texts) for condition, texts in every_draft.items()}
    found = {condition: score_findings(texts, test.texts, test.patients) for condition, texts in every_draft.items()}
    shown = {
        _label(condition): metrics | {name: found[condition][name] for name in FINDINGS if name in found[condition]}
        for condition, metrics in scores.items()
    }
    scores = {condition: metrics | found[condition] for condition, metrics in scores.items()}
    losses = {condition: evaluation.difference(texts, clean) for condition, texts in noisy.items()}
    unchanged = {
        condition: float(np.mean([a == b for a, b in zip(texts, clean, strict=True)]))
        for condition, texts in noisy.items()
    }
    zscored = sum(unit == "z" for _, _, unit in test.signals(range(len(test))))
    common = {
        "split": split,
        "scoring": evaluation.about,
        "seed": seed,
        "nstdb": run["nstdb"],
        "zscored_recordings": zscored,
    }

    def write_result(path: Path, condition: NoiseCondition | str, noise: str, level: str, extra: dict) -> None:
        more = common | {"noise": noise, "level": level} | extra
        write_json(path, results_json("noise", len(test), identity, prepared, scores[condition], more))

    every = []
    for condition in conditions:
        name, level = condition
        compared = {"unchanged_drafts": unchanged[condition], "differences": metrics_json(losses[condition])}
        write_result(_folder(out, condition) / "results.json", condition, name, _level_text(condition), compared)
        about_level = {"noise": name, "level": level, "measure": table[name].measure}
        every.append(about_level | {"metrics": metrics_json(scores[condition])} | compared)
    write_result(out / "results.json", CLEAN, CLEAN, "", {"conditions": every})
    _write_predictions(out / "predictions.jsonl", test, clean, noisy)
    text = (
        f"n = {len(test)} recordings ({zscored} of them z-scored), {split} split, seed {seed}, "
        f"noise of {', '.join(NSTDB)}: {'NSTDB records' if nstdb else 'generated'}\n\n"
        + markdown_table(shown)
        + "\n\nNoisy minus clean (paired bootstrap over patients), and how many drafts stay as they were:\n\n"
        + markdown_table({f"{_label(c)} ({unchanged[c]:.0%} the same)": metrics for c, metrics in losses.items()})
    )
    write_text(out / "table.md", text + "\n")
    save_figure(lambda: curves(scores, table), out / "curves")
    return text


def choose_noises(texts: Sequence[str]) -> dict[str, tuple[Level, ...]]:
    """("white=24,-6", "missing lead") -> noise -> levels, all of a noise where none is given. Raises DataError."""
    chosen = {}
    for text in texts:
        name, given, levels = text.partition("=")
        _check_name(name)
        chosen[name] = tuple(_level(name, part) for part in levels.split(",")) if given else NOISES[name].levels
        for level in chosen[name]:
            _check(name, level)
    return chosen


class NoisyEcgs:
    """The recordings of an EcgSet, disturbed on their way to the encoder; what `encode_all` takes."""

    def __init__(self, data: EcgSet, name: str, noise: Noise, level: Level, seed: int):
        self.data, self.name, self.noise, self.level, self.seed = data, name, noise, level, seed
        self.ids = data.column("record_id")
        self.rate, self.keeps_inputs = data.rate, data.keeps_inputs

    def __len__(self) -> int:
        return len(self.data)

    def signals(self, indices: Sequence[int] | np.ndarray) -> list[tuple[np.ndarray, float, str]]:
        """(n, 12) float32, rate and unit of each, as if stored so."""
        return [
            (self.noise.add(signal, rate, self.level, self._generator(index), unit), rate, unit)
            for index, (signal, rate, unit) in zip(indices, self.data.signals(indices), strict=True)
        ]

    def inputs(self, indices: Sequence[int] | np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """As of EcgSet: (B, n_samples, 12) and (B, n_samples) of the first windows."""
        return first_windows(self.signals(indices), self.data.rate, self.data.seconds, self.data.normalisation)

    def _generator(self, index: int) -> np.random.Generator:
        return np.random.default_rng([self.seed, crc32(self.name.encode()), crc32(self.ids[index].encode())])


def _begin(out: Path, run: dict) -> None:
    """Makes `out`, which belongs to one run. Raises DataError where another one has begun it."""
    path = out / CONDITIONS / "run.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        write_json(path, run)
    elif json.loads(path.read_text()) != run:
        raise DataError(
            f"{out}: holds drafts of another model, device, precision, data, split or seed; name another folder"
        )


def _all_drafts(
    model: ReportModel,
    test: EcgSet,
    table: Mapping[str, Noise],
    conditions: Sequence[NoiseCondition],
    seed: int,
    out: Path,
) -> dict[NoiseCondition | str, list[str]]:
    """Drafts of CLEAN and of each condition, read from `out` or written to it by the first process."""
    every: list[NoiseCondition | str] = [CLEAN, *conditions]
    files: dict[NoiseCondition | str, Path] = {
        condition: _folder(out, condition) / "drafts.json" for condition in every
    }
    for condition in of_first([condition for condition, path in files.items() if not path.exists()]):
        ecgs: EcgSet | NoisyEcgs = test
        if not isinstance(condition, str):  # CLEAN
            name, level = condition
            ecgs = NoisyEcgs(test, name, table[name], level, seed)
        drafts = write_drafts(model, ecgs, _label(condition)).drafts
        if is_first():
            files[condition].parent.mkdir(exist_ok=True)
            write_json(files[condition], drafts)
    return {condition: json.loads(path.read_text()) for condition, path in files.items()} if is_first() else {}


def _write_predictions(path: Path, test: EcgSet, clean: list[str], noisy: Mapping[NoiseCondition, list[str]]) -> None:
    ids, references = test.column("record_id"), test.texts
    write_jsonl(
        path,
        (
            {"record_id": ids[row], "reference": references[row], CLEAN: clean[row]}
            | {_label(condition): texts[row] for condition, texts in noisy.items()}
            for row in range(len(ids))
        ),
    )


def curves(scores: Mapping[NoiseCondition | str, Mapping[str, Metric]], table: Mapping[str, Noise]):
    """A figure of one panel a metric and noise: the score against the level, over the clean score, with 95% bands."""
    names = list(dict.fromkeys(condition[0] for condition in scores if condition != CLEAN))
    metrics = [metric for metric in CURVES if all(metric in of_condition for of_condition in scores.values())]
    figure = new_figure(2.2 * len(names) + 0.6, 1.9 * len(metrics) + 0.7)
    grid = figure.subplots(len(metrics), len(names), sharey="row", sharex="col", squeeze=False)
    for metric, row in zip(metrics, grid, strict=True):
        row[0].set_ylabel(metric)
        for name, axes in zip(names, row, strict=True):
            _draw_panel(axes, scores[CLEAN][metric], {c[1]: m[metric] for c, m in scores.items() if c[0] == name})
        row[0].set_ylim(bottom=0)
    for name, top, bottom in zip(names, grid[0], grid[-1], strict=True):
        top.set_title(name)
        bottom.set_xlabel(table[name].measure)
        if "dB" in table[name].measure:  # more is less noise
            bottom.invert_xaxis()
    return figure


def _draw_panel(axes, clean: Metric, by_level: Mapping[Level, Metric]) -> None:
    """Levels that are numbers make a curve; names, or a single number, make points."""
    axes.axhspan(*clean.ci95, color="#d9d9d9", linewidth=0)
    axes.axhline(clean.value, color="#7f7f7f", linewidth=0.8)
    named = isinstance(next(iter(by_level)), str)
    levels = list(by_level) if named else sorted(by_level)
    values = np.array([by_level[level].value for level in levels])
    low, high = np.array([by_level[level].ci95 for level in levels]).T
    if named or len(levels) == 1:
        spread = np.clip([values - low, high - values], 0, None)  # a percentile interval need not hold its value
        axes.errorbar(levels, values, spread, fmt="o", markersize=3, color=INK)
        axes.margins(x=0.2)
    else:
        axes.fill_between(levels, low, high, color=INK, alpha=0.25, linewidth=0)
        axes.plot(levels, values, marker="o", markersize=3, linewidth=1.2, color=INK)
    axes.set_xticks(levels)
    axes.tick_params(axis="x", rotation=60 if named else 0)


def _check(name: str, level: Level) -> None:
    """Raises DataError for a noise or a level that there is not."""
    known = NAMED_LEVELS.get(name)
    _check_name(name)
    if known is not None and level not in known:
        raise DataError(f"{name} cannot be {level!r}; it is one of {', '.join(known)}")
    if known is None and not np.isfinite(level):
        raise DataError(f"{level} is no level of {name}; give {NOISES[name].measure}, a number")
    if NOISES[name].levels == SEGMENT_SHARES and not (isinstance(level, int | float) and 0 < level <= 1):
        raise DataError(f"{level:g} is no share of the signal; give one above 0 and up to 1")


def _check_name(name: str) -> None:
    if name not in NOISES:
        raise DataError(f"no noise is called {name!r}; known are {', '.join(NOISES)}")


def _level(name: str, text: str) -> Level:
    if name in NAMED_LEVELS:
        return text
    try:
        return float(text)
    except ValueError:
        raise DataError(f"{text!r} is no level of {name}; give {NOISES[name].measure}, a number") from None


def _level_text(condition: NoiseCondition) -> str:
    name, level = condition
    return level if isinstance(level, str) else f"{level:g}" + (" dB" if "dB" in NOISES[name].measure else "")


def _label(condition: NoiseCondition | str) -> str:
    return condition if isinstance(condition, str) else f"{condition[0]}, {_level_text(condition)}"


def _folder(out: Path, condition: NoiseCondition | str) -> Path:
    return out / CONDITIONS / _label(condition).replace(", ", "_").replace(" ", "-")


def _hashes(nstdb: Path | None) -> dict[str, str] | None:
    if nstdb is None:
        return None
    return {path.name: sha256(path) for record in NSTDB.values() for path in sorted(Path(nstdb).glob(f"{record}.*"))}
