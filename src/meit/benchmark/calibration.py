"""`meit calibrate`: fits the confidences of a model's statements on drafts of the validation fold, and their error.

The error of calibration is that of Naeini et al. (AAAI 2015) over BINS bins of equally many statements: the mean
distance, weighted by bin, between mean confidence and the share that the references assert.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

from meit.benchmark.tasks.grounded import Drafted, drafted
from meit.data.splits import SPLITS
from meit.drafting.confidence import FEATURES, Calibration, features
from meit.drafting.grounding import Grounded, check
from meit.drafting.rules import Patient
from meit.errors import DataError
from meit.model.report_model import load_model
from meit.patient_bootstrap import N_BOOTSTRAP, SEED, Metric, patient_index, resampled_rows, with_intervals
from meit.reports.statements import asserted, read_statements

BINS = 10
# What holds the weights near 0, in statements: little for those of all statements, more for the offset of one code, so
# that a code with few statements keeps near to the others. Chosen by cross-validation over the patients of fold 9.
PENALTY, CODE_PENALTY = 0.1, 4.0


@dataclass(frozen=True)
class Judged:
    """A statement of a draft that asserts a finding, and whether the reference asserts it too."""

    one: Grounded
    encoder: dict[str, float]
    true: bool
    patient: str


def judged(records: Sequence[Drafted]) -> list[Judged]:
    found = []
    for record in records:
        there = asserted(read_statements(record.reference))
        checked = check(read_statements(record.draft), record.measurements, Patient(record.sex, record.age))
        found += [
            Judged(one, dict(record.encoder), one.statement.code in there, record.patient_id)
            for one in checked
            if not one.statement.negated
        ]
    return found


def fit(statements: Sequence[Judged], model_sha256: str, fitted_on: dict) -> Calibration:
    """Penalised logistic regression, by L-BFGS."""
    codes = sorted({each.one.statement.code for each in statements})
    shared = np.array([features(each.one, each.encoder) for each in statements]).reshape(-1, len(FEATURES))
    by_code = np.array([[each.one.statement.code == code for code in codes] for each in statements], float)
    design = np.hstack([shared, by_code.reshape(len(statements), len(codes))])
    true = np.array([each.true for each in statements], float)
    penalty = np.r_[np.full(len(FEATURES), PENALTY), np.full(len(codes), CODE_PENALTY)]
    penalty[0] = 1e-3  # the constant is free

    def loss(weights):
        z = design @ weights
        value = np.logaddexp(0, z).sum() - true @ z + (penalty * weights**2).sum() / 2
        return value, design.T @ (expit(z) - true) + penalty * weights

    weights = minimize(loss, np.zeros(design.shape[1]), jac=True, method="L-BFGS-B").x.round(4).tolist()
    n = len(FEATURES)
    return Calibration(
        model_sha256,
        dict(zip(FEATURES, weights[:n], strict=True)),
        dict(zip(codes, weights[n:], strict=True)),
        fitted_on,
    )


def calibrate(model_folder: Path, data: Sequence[Path]) -> str:
    """Fits on the validation fold and writes calibration.json into the model's folder; says how it fits.

    Raises DataError where the drafts of that fold hold no statement.
    """
    model = load_model(model_folder)
    statements = judged(drafted(model, data, SPLITS["validation"]))
    if not statements:
        raise DataError("the model's drafts of the validation fold hold no statement to fit confidences on")
    about = {
        "data": [Path(folder).name for folder in data],
        "folds": list(SPLITS["validation"]),
        "statements": len(statements),
        "asserted_by_the_reference": sum(each.true for each in statements),
    }
    found = fit(statements, model.sha256, about)
    found.save(Path(model_folder))
    fitted = calibration_error(*confidences(found, statements))
    return (
        f"{len(statements)} statements of folds {about['folds']}; calibration error on them, as fitted: {fitted:.3f}, "
        f"cross-validated: {cross_validated(statements):.3f}"
    )


def cross_validated(statements: Sequence[Judged], parts: int = 5, repeats: int = 5) -> float:
    """Calibration error where each statement's confidence is of a fit that has not seen its patient; the mean of some
    ways to part the patients. NaN with fewer patients than parts."""
    patients = patient_index([each.patient for each in statements])
    n = patients.max() + 1
    if n < parts:
        return float("nan")
    true = np.array([each.true for each in statements], float)
    errors = []
    for seed in range(repeats):
        part_of = (np.random.default_rng(seed).permutation(n) % parts)[patients]
        confidence = np.empty(len(statements))
        for part in range(parts):
            seen = fit([each for each, at in zip(statements, part_of, strict=True) if at != part], "", {})
            confidence[part_of == part] = confidences(
                seen, [s for s, at in zip(statements, part_of, strict=True) if at == part]
            )[0]
        errors.append(calibration_error(confidence, true))
    return float(np.mean(errors))


def error_of_chance(confidence: np.ndarray, draws: int = 2000, seed: int = 0) -> tuple[float, float]:
    """What the calibration error would be if the confidences were right: its mean, and what 95% of draws stay below."""
    rng = np.random.default_rng(seed)
    errors = [calibration_error(confidence, rng.random(len(confidence)) < confidence) for _ in range(draws)]
    return float(np.mean(errors)), float(np.percentile(errors, 95))


def confidences(calibration: Calibration, statements: Sequence[Judged]) -> tuple[np.ndarray, np.ndarray]:
    """(N,) confidences and (N,) whether the reference asserts it."""
    given = [calibration.confidences([each.one], each.encoder)[0] for each in statements]
    return np.array(given, float), np.array([each.true for each in statements], float)


def bins(confidence: np.ndarray, true: np.ndarray) -> list[tuple[float, float, int]]:
    """(mean confidence, share that is true, number) of BINS bins of equally many, from the least sure."""
    order = np.argsort(confidence, kind="stable")
    parts = [part for part in np.array_split(order, BINS) if len(part)]
    return [(float(confidence[part].mean()), float(true[part].mean()), len(part)) for part in parts]


def calibration_error(confidence: np.ndarray, true: np.ndarray) -> float:
    """0 to 1; NaN without a statement."""
    if not len(confidence):
        return float("nan")
    return sum(n * abs(sure - share) for sure, share, n in bins(confidence, true)) / len(confidence)


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
