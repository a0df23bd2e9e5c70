"""How well the confidences of a model's statements fit what the references assert."""

from collections.abc import Sequence

import numpy as np

from meit.drafting.calibration.calibrating import Judged, bins, calibration_error, confidences
from meit.drafting.calibration.confidence import Calibration
from meit.patient_bootstrap import N_BOOTSTRAP, SEED, Metric, patient_index, resampled_rows, with_intervals


def error_of_chance(confidence: np.ndarray, draws: int = 2000, seed: int = 0) -> tuple[float, float]:
    """What the calibration error would be if the confidences were right: its mean, and what 95% of draws stay below."""
    rng = np.random.default_rng(seed)
    errors = [calibration_error(confidence, rng.random(len(confidence)) < confidence) for _ in range(draws)]
    return float(np.mean(errors)), float(np.percentile(errors, 95))


def calibration_metrics(
    calibration: Calibration, statements: Sequence[Judged], n_bootstrap: int = N_BOOTSTRAP, seed: int = SEED
) -> dict[str, Metric]:
    """calibration_error, brier_score and, for comparison, brier_constant (the mean for all), with 95% intervals over
    patients."""
    confidence, true = confidences(calibration, statements)

    def values(rows: np.ndarray) -> tuple[float, float, float]:
        sure, is_true = confidence[rows], true[rows]
        return (
            calibration_error(sure, is_true),
            ((sure - is_true) ** 2).mean(),
            ((is_true.mean() - is_true) ** 2).mean(),
        )

    patients = patient_index([each.patient for each in statements])
    resamples = np.array([values(rows) for rows in resampled_rows(patients, n_bootstrap, seed)])
    names = ("calibration_error", "brier_score", "brier_constant")
    return with_intervals(names, np.array(values(np.arange(len(true)))), resamples)


def reliability_figure(calibration: Calibration, statements: Sequence[Judged], title: str):
    """Mean confidence of each bin against the share that the references assert, with 95% Wilson intervals."""
    from meit.benchmark.tables.plots import INK, new_figure

    confidence, true = confidences(calibration, statements)
    figure = new_figure(3.6, 3.8)
    axes = figure.subplots()
    axes.plot((0, 1), (0, 1), color="0.7", linewidth=0.8)
    for sure, share, n in bins(confidence, true):
        axes.plot((sure, sure), _wilson(share, n), color=INK, linewidth=1)
        axes.plot(sure, share, "o", color=INK, markersize=4)
    axes.hist(confidence, bins=20, range=(0, 1), weights=np.full(len(confidence), 0.5 / len(confidence)), color="0.85")
    axes.set(xlim=(0, 1), ylim=(0, 1), xlabel="confidence", ylabel="share that the reference asserts", title=title)
    return figure


def _wilson(share: float, n: int, z: float = 1.96) -> tuple[float, float]:
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    return middle - half, middle + half
