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

from meit.data.splits import SPLITS
from meit.drafting.calibration.confidence import CONFIDENCE_FEATURES, Calibration, confidence_features
from meit.drafting.checks.grounding import Grounded, check_statements
from meit.drafting.checks.grounding_rules import SexAge
from meit.drafting.prepared_drafts import PreparedDraft, draft_prepared
from meit.errors import DataError, ModelError
from meit.model.report_model import load_model
from meit.patient_bootstrap import patient_index
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


def judged(records: Sequence[PreparedDraft]) -> list[Judged]:
    """What the drafts assert, held against their references."""
    found: list[Judged] = []
    for record in records:
        there = asserted(read_statements(record.reference))
        checked = check_statements(read_statements(record.draft), record.measurements, SexAge(record.sex, record.age))
        found += [
            Judged(one, dict(record.encoder), one.statement.code in there, record.patient_id)
            for one in checked
            if not one.statement.negated
        ]
    return found


def fit(statements: Sequence[Judged], model_sha256: str, fitted_on: dict) -> Calibration:
    """Penalised logistic regression, by L-BFGS."""
    codes = sorted({each.one.statement.code for each in statements})
    shared = np.array([confidence_features(each.one, each.encoder) for each in statements]).reshape(
        -1, len(CONFIDENCE_FEATURES)
    )
    by_code = np.array([[each.one.statement.code == code for code in codes] for each in statements], float)
    design = np.hstack([shared, by_code.reshape(len(statements), len(codes))])
    true = np.array([each.true for each in statements], float)
    penalty = np.r_[np.full(len(CONFIDENCE_FEATURES), PENALTY), np.full(len(codes), CODE_PENALTY)]
    penalty[0] = 1e-3  # the constant is free

    def loss(weights):
        z = design @ weights
        value = np.logaddexp(0, z).sum() - true @ z + (penalty * weights**2).sum() / 2
        return value, design.T @ (expit(z) - true) + penalty * weights

    weights = minimize(loss, np.zeros(design.shape[1]), jac=True, method="L-BFGS-B").x.round(4).tolist()
    n = len(CONFIDENCE_FEATURES)
    return Calibration(
        model_sha256,
        dict(zip(CONFIDENCE_FEATURES, weights[:n], strict=True)),
        dict(zip(codes, weights[n:], strict=True)),
        fitted_on,
    )


def calibrate_confidences(model_folder: Path, data: Sequence[Path], device: str = "auto", dtype: str = "auto") -> str:
    """Fits on the validation fold and writes calibration.json into the model's folder; says how it fits.

    Raises ModelError for an encoder without findings, whose drafts get no confidences, and DataError where the drafts of
    that fold hold no statement.
    """
    model = load_model(model_folder, device=device, dtype=dtype)
    if not model.spec.encoder.findings:
        raise ModelError(
            f"{model_folder}: its encoder was trained to find nothing, which confidences could be fitted on"
        )
    statements = judged(draft_prepared(model, data, SPLITS["validation"]))
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
