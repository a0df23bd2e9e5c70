"""Metrics as a table to read and as JSON to keep."""

from collections.abc import Mapping

from meit.benchmark.task_table import TASKS
from meit.patient_bootstrap import Metric
from meit.provenance import command, hardware, versions


def markdown_table(rows: dict[str, dict[str, Metric]]) -> str:
    """One line a system, one column a metric, each cell "value [95% interval]"; empty where a system lacks it."""
    names = list(dict.fromkeys(name for metrics in rows.values() for name in metrics))
    lines = [["System", *names], ["---"] * (len(names) + 1)]
    for system, metrics in rows.items():
        lines.append([system.replace("|", "\\|"), *(_cell(metrics.get(name)) for name in names)])
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def metrics_json(metrics: Mapping[str, Metric]) -> dict[str, dict]:
    """Metrics as JSON holds them."""
    return {name: {"value": metric.value, "ci95": list(metric.ci95)} for name, metric in metrics.items()}


def _cell(metric: Metric | None) -> str:
    if metric is None:
        return ""
    low, high = metric.ci95
    return f"{metric.value:.3f} [{low:.3f}, {high:.3f}]"


def results_json(
    task: str, n: int, model: object, data: object, metrics: dict[str, Metric], extra: dict | None = None
) -> dict:
    """The content of `results.json`; task: a row of TASKS; `extra` adds entries of its own beside the fixed ones."""
    fixed = {
        "task": task,
        "task_version": TASKS[task].version,
        "n": n,
        "model": model,
        "data": data,
        "versions": versions(),
        "hardware": hardware(),
        "command": command(),
        "metrics": metrics_json(metrics),
    }
    extra = extra or {}
    taken = fixed.keys() & extra.keys()
    if taken:
        raise ValueError(f"extra would overwrite {', '.join(sorted(taken))}")
    return fixed | extra
