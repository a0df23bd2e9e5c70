"""Agreement of meit's measurements with those that carts made of the same recordings, and how long measuring takes.

    python benchmarks/measuring_accuracy.py MIMIC-IV-ECG      (any part of its official layout; draws docs/measurements.png)

Patients of odd folds were developed on; those of even folds were left alone until the end.
"""

import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np

from meit.data.sources.mimic_iv_ecg import planned
from meit.data.splits import fold_of
from meit.ecg import read_ecg
from meit.ecg.measure import measure

PLOT = Path(__file__).parents[1] / "docs" / "measurements.png"
TOLERATED = {  # name -> unit, and the median error that is asked for; five times that is a gross error
    "heart_rate_bpm": ("bpm", 1.0),
    "pr_ms": ("ms", 15.0),
    "qrs_ms": ("ms", 10.0),
    "qt_ms": ("ms", 20.0),
    "axis_deg": ("degrees", 6.0),
    "p_ms": ("ms", 15.0),
    "p_axis_deg": ("degrees", 6.0),
    "t_axis_deg": ("degrees", 6.0),
}
ASKED_FOR = 5  # of these; the others have the limits of their like
GROSS = 5.0
WHO = {"developed on": (True,), "left alone": (False,), "all": (True, False)}


def of_cart(measured: dict[str, float]) -> dict[str, float]:
    """The carts' values under the names of ours; those that are there."""

    def between(start: str, end: str) -> float:
        return measured.get(end, np.nan) - measured.get(start, np.nan)

    values = {
        "heart_rate_bpm": 60_000 / measured.get("rr_interval_ms", np.nan),
        "pr_ms": between("p_onset_ms", "qrs_onset_ms"),
        "qrs_ms": between("qrs_onset_ms", "qrs_end_ms"),
        "qt_ms": between("qrs_onset_ms", "t_end_ms"),
        "axis_deg": measured.get("qrs_axis_deg", np.nan),
        "p_ms": between("p_onset_ms", "p_end_ms"),
        "p_axis_deg": measured.get("p_axis_deg", np.nan),
        "t_axis_deg": measured.get("t_axis_deg", np.nan),
    }
    return {name: value for name, value in values.items() if np.isfinite(value)}


def compared(source: Path) -> tuple[dict[str, np.ndarray], float, float]:
    """name -> (n, 4): the cart's value, ours (NaN for null), its reliability, 1 for patients developed on; and how many
    times as long as reading measuring took, in the middle and at most."""
    rows = {name: [] for name in TOLERATED}
    ratios = []
    for report, header in planned(source, Counter()):
        if header is None:
            continue
        start = time.perf_counter()
        recording = read_ecg(header)
        read = time.perf_counter()
        found = measure(recording)
        ratios.append((time.perf_counter() - read) / (read - start))
        for name, value in of_cart(report.measurements).items():
            ours = np.nan if found[name].value is None else found[name].value
            rows[name].append((value, ours, found[name].reliability, fold_of(report.patient_id) % 2))
    if len(ratios) < 2:
        sys.exit(f"{source}: has fewer than two recordings")
    ratios = ratios[1:]  # the first one imports scipy.signal
    return {name: np.array(found).reshape(-1, 4) for name, found in rows.items()}, np.median(ratios), max(ratios)


def errors(name: str, rows: np.ndarray) -> np.ndarray:
    """Ours without the cart's; of axes the short way around."""
    wrong = rows[:, 1] - rows[:, 0]
    return (wrong + 180) % 360 - 180 if name.endswith("_deg") else wrong


def agreement_table(found: dict[str, np.ndarray]) -> None:
    print("| measurement | patients | n | null | median error | 90 % below | gross | median difference |")
    print("|---|---|---|---|---|---|---|---|")
    for name, rows in found.items():
        unit, tolerated = TOLERATED[name]
        for who, halves in WHO.items():
            wrong = errors(name, rows[np.isin(rows[:, 3] == 1, halves)])
            given = wrong[np.isfinite(wrong)]
            size = np.abs(given)
            print(
                f"| {name} | {who} | {len(wrong)} | {len(wrong) - len(given)} | {np.median(size):.1f} {unit} "
                f"| {np.percentile(size, 90):.1f} | {np.mean(size > GROSS * tolerated):.1%} | {np.median(given):+.1f} |"
            )


def reliability_table(found: dict[str, np.ndarray]) -> None:
    print("\n| measurement | median error: third of least reliability | middle | most | 90 % below: least | most |")
    print("|---|---|---|---|---|---|")
    for name, rows in found.items():
        given = rows[np.isfinite(rows[:, 1])]
        thirds = np.array_split(np.abs(errors(name, given))[np.argsort(given[:, 2], kind="stable")], 3)
        middle = " | ".join(f"{np.median(third):.1f}" for third in thirds)
        most = " | ".join(f"{np.percentile(third, 90):.1f}" for third in (thirds[0], thirds[-1]))
        print(f"| {name} | {middle} | {most} |")


def draw(found: dict[str, np.ndarray]) -> None:
    """Bland and Altman's plot of each measurement: the difference over the mean; darker is more reliable."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    figure, places = plt.subplots(2, 3, figsize=(12, 7), layout="constrained")
    for place, name in zip(places.flat, list(found)[:6], strict=True):
        rows = found[name][np.isfinite(found[name][:, 1])]
        wrong, (unit, tolerated) = errors(name, rows), TOLERATED[name]
        middle = rows[:, 0] + wrong / 2
        for developed, marker in ((1, "o"), (0, "^")):
            those = rows[:, 3] == developed
            shown = place.scatter(
                middle[those],
                wrong[those],
                c=rows[those, 2],
                cmap="viridis_r",
                vmin=0,
                vmax=1,
                marker=marker,
                s=22,
                linewidths=0,
            )
        bias, spread = wrong.mean(), 1.96 * wrong.std()
        for level, style in ((bias, "-"), (bias - spread, "--"), (bias + spread, "--")):
            place.axhline(level, color="#555", linestyle=style, linewidth=0.9)
        for level in (-GROSS * tolerated, GROSS * tolerated):
            place.axhline(level, color="#c33", linestyle=":", linewidth=0.9)
        place.set_title(f"{name}: {len(rows)} recordings", fontsize=10)
        place.set_xlabel(f"mean of both, {unit}", fontsize=8)
        place.set_ylabel(f"meit - cart, {unit}", fontsize=8)
        place.tick_params(labelsize=8)
    figure.colorbar(shown, ax=places, label="reliability", shrink=0.6)
    figure.savefig(PLOT, dpi=90)


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    found, middle, longest = compared(Path(sys.argv[1]))
    agreement_table(found)
    reliability_table(found)
    print(f"\nMeasuring takes {middle:.1f} times as long as reading the file (at most {longest:.1f} times).")
    print(f"Null of those asked for: {sum(np.isnan(found[name][:, 1]).sum() for name in list(TOLERATED)[:ASKED_FOR])}")
    draw(found)


if __name__ == "__main__":
    main()
