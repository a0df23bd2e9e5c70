"""The paper's tables out of many `results.json`: one row a run, as Markdown, CSV or LaTeX.

Published numbers stand beside ours, from published.csv and any file of its form (table, row, metric, value, source): a
number belongs there only with the place that it was read from.
"""

import csv
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from meit.benchmark.task_table import DATA, TABLES
from meit.errors import DataError

PUBLISHED = Path(__file__).with_name("published.csv")
PUBLISHED_COLUMNS = ("table", "row", "metric", "value", "source")


SERIES = {"size": 1, "training-size": 2}  # tables with curves, over their last key: how many keys tell lines apart


def collect(places: Sequence[Path]) -> list[dict]:
    """Every results.json at or below the places. Raises DataError where there is none, or one that is not whole."""
    files = [file for place in places for file in ([place] if place.is_file() else sorted(place.rglob("results.json")))]
    if not files:
        raise DataError(f"no results.json in {', '.join(map(str, places))}: 'meit evaluate' writes them")
    found = []
    for file in files:
        try:
            result = json.loads(file.read_text())
            found.append(result | {"metrics": dict(result["metrics"])})
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise DataError(f"{file} is no result of 'meit evaluate': {error}") from None
    return found


def table_rows(name: str, results: Sequence[dict], published: Path | None = None) -> list[list[str]]:
    """The table's header and its lines, as text. published: further numbers beside the shipped ones. Raises DataError for a name that there is not."""
    if name not in TABLES:
        raise DataError(f"table {name!r} is not known; known are {', '.join(TABLES)}")
    task, table = TABLES[name]
    ours = [result for result in results if result["task"] == task]
    files = [PUBLISHED] if published is None else [PUBLISHED, published]
    theirs = [line for file in files for line in _published(name, file)]
    stated = [result["metrics"] for result in ours] + [values for _, values, _ in theirs]
    metrics = [metric for metric in table.metrics if any(metric in some for some in stated)]
    lines = [[key.split(".")[-1] if key != DATA else "data" for key in table.keys] + ["n", *metrics, "source"]]
    for result in ours:
        keys = [_text(_at(result, key)) for key in table.keys]
        lines.append([*keys, str(result["n"]), *(_cell(result["metrics"].get(metric)) for metric in metrics), "ours"])
    for row, values, source in theirs:
        keys = [row, *[""] * (len(table.keys) - 1)]
        lines.append([*keys, "", *(values.get(metric, "") for metric in metrics), source])
    return lines


def points(name: str, results: Sequence[dict]) -> list[tuple[str, float, Mapping[str, dict]]]:
    """What meit.benchmark.tables.plots.scaling_figure draws: of each result its series, its size, and its metrics.

    Raises DataError for a name that is not in SERIES.
    """
    if name not in SERIES:
        raise DataError(f"table {name!r} has no curves; {' and '.join(SERIES)} have")
    task, table = TABLES[name]
    found = []
    for result in (result for result in results if result["task"] == task):
        size = _at(result, table.keys[-1])
        if size is not None:
            series = " ".join(_text(_at(result, key)) for key in table.keys[: SERIES[name]])
            found.append((series, float(size), result["metrics"]))
    return found


def _published(name: str, path: Path) -> list[tuple[str, dict[str, str], str]]:
    try:
        with open(path, newline="", encoding="utf-8") as file:
            lines = csv.DictReader(file)
            if not lines.fieldnames:
                raise ValueError("it is empty")
            entries = [entry for entry in lines if entry["table"] == name]
        found: dict[tuple[str, str], dict[str, str]] = {}
        for entry in entries:
            if not entry["source"].strip():
                raise DataError(f"{path}: {entry['row']} {entry['metric']} has no source")
            found.setdefault((entry["row"], entry["source"]), {})[entry["metric"]] = f"{float(entry['value']):.3f}"
    except (OSError, KeyError, ValueError) as error:
        raise DataError(f"{path} needs the columns {', '.join(PUBLISHED_COLUMNS)}: {error}") from None
    return [(row, values, source) for (row, source), values in found.items()]


def _at(value, path: str):
    for part in path.split("."):
        try:
            value = value[int(part)] if isinstance(value, list) else value[part]
        except (KeyError, IndexError, TypeError):
            return None
    return value


def _text(value) -> str:
    if value is None:
        return "not stated"
    return f"{value:,.0f}" if isinstance(value, int | float) and value >= 1000 else str(value)


def _cell(metric: dict | None) -> str:
    return "" if metric is None else "{:.3f} [{:.3f}, {:.3f}]".format(metric["value"], *metric["ci95"])


def _markdown(lines: list[list[str]]) -> str:
    lines = [[cell.replace("|", "\\|") for cell in line] for line in lines]
    return "".join(f"| {' | '.join(line)} |\n" for line in [lines[0], ["---"] * len(lines[0]), *lines[1:]])


def _csv(lines: list[list[str]]) -> str:
    import io

    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(lines)
    return text.getvalue()


def _latex(lines: list[list[str]]) -> str:
    import pandas as pd

    return pd.DataFrame(lines[1:], columns=lines[0]).to_latex(index=False, escape=True)


TABLE_FORMATS: dict[str, Callable[[list[list[str]]], str]] = {"markdown": _markdown, "csv": _csv, "latex": _latex}
