"""Pictures of results: findings by code, and scores against a size. (Noise curves: meit.benchmark.tasks.noise_robustness.)"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from meit.atomic import atomic_path
from meit.benchmark.finding_scores import CodeScore
from meit.errors import DataError

INK = "#1f5f8b"
FIGURE_KINDS = ("png", "svg")
LEAST_CASES = 3  # references with a code, below which its F1 says nothing
SCALED = ("bleu_4", "rouge_l", "cider_d", "statement_f1")


def new_figure(width: float, height: float):
    """A figure in inches that needs no screen."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def save_figure(draw, stem: Path, formats: Sequence[str] = FIGURE_KINDS) -> None:
    """draw() -> figure, kept as stem.png and stem.svg, the same bytes for the same figure."""
    import matplotlib

    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "meit", "font.size": 8}):
        figure = draw()
        for kind in formats:
            with atomic_path(stem.with_name(f"{stem.name}.{kind}")) as temporary:
                figure.savefig(temporary, dpi=150, metadata={"Date": None} if kind == "svg" else None)


def findings_figure(scores: Mapping[str, CodeScore]):
    """F1 of each code with LEAST_CASES references or more, its 95% interval, and how many references assert it."""
    shown = {code: score for code, score in scores.items() if score.n >= LEAST_CASES}
    figure = new_figure(4.5, 0.6 + 0.18 * max(1, len(shown)))
    axes = figure.subplots()
    for row, score in enumerate(shown.values()):
        axes.plot(score.f1.ci95, (row, row), color=INK, linewidth=1)
        axes.plot(score.f1.value, row, "o", color=INK, markersize=4)
    axes.set_yticks(range(len(shown)), [f"{code} ({score.n})" for code, score in shown.items()])
    axes.invert_yaxis()
    axes.set_xlim(-0.02, 1.02)
    axes.set_xlabel("F1, 95% interval; in brackets: references with the finding")
    axes.grid(axis="x", linewidth=0.3)
    return figure


def scaling_figure(points: Sequence[tuple[str, float, Mapping[str, dict]]], quantity: str):
    """One panel a metric of SCALED: its value and interval against a quantity, a line for each series.

    points: (series, quantity, metrics as in results.json). Raises DataError where no point has a quantity.
    """
    if not points:
        raise DataError(f"no result states its {quantity}: nothing to draw")
    metrics = [name for name in SCALED if any(name in found for _, _, found in points)]
    figure = new_figure(2.4 * len(metrics) + 0.4, 2.6)
    grid = figure.subplots(1, len(metrics), squeeze=False)[0]
    for axes, name in zip(grid, metrics, strict=True):
        for series in dict.fromkeys(point[0] for point in points):
            line = [(at, found[name]) for of, at, found in points if of == series and name in found]
            line.sort(key=lambda point: point[0])
            at, values = [x for x, _ in line], [metric["value"] for _, metric in line]
            spread = [
                [max(0, m["value"] - m["ci95"][0]) for _, m in line],
                [max(0, m["ci95"][1] - m["value"]) for _, m in line],
            ]
            axes.errorbar(at, values, spread, marker="o", markersize=3, linewidth=1.2, capsize=2, label=series)
        axes.set_xscale("log")
        axes.set_title(name)
        axes.set_xlabel(quantity)
        axes.set_ylim(0, 1.08 * max(found[name]["ci95"][1] for _, _, found in points if name in found))
    grid[0].legend(fontsize=6)
    return figure
