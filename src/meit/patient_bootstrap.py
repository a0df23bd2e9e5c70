"""95% intervals over patients (Efron and Tibshirani, 1993, chapter 13): all records of a drawn patient come along,
because records of one patient resemble each other."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from meit.errors import DataError

if TYPE_CHECKING:
    from scipy.sparse import csr_array

N_BOOTSTRAP = 1000
SEED = 0


@dataclass(frozen=True)
class Metric:
    """A value over all records and its 95% interval."""

    value: float
    ci95: tuple[float, float]


def patient_index(patients: Sequence) -> np.ndarray:
    """(records,) numbers 0, 1, ... in the order in which patients first occur. Raises DataError for one without."""
    if any(patient is None or patient != patient for patient in patients):
        raise DataError("a record has no patient: the intervals need to know which records belong together")
    index: dict[Any, int] = {}
    return np.array([index.setdefault(patient, len(index)) for patient in patients])


def resampled_sums(
    statistics: "np.ndarray | csr_array", patient_of: np.ndarray, n_bootstrap: int = N_BOOTSTRAP, seed: int = SEED
) -> Iterator[np.ndarray]:
    """(records, columns) -> n_bootstrap times (columns,), each the sum over as many patients as there are, drawn with
    replacement. One at a time: how often each patient is drawn would fill gigabytes for all resamples at once. Of a sparse
    array only what is not 0 is looked at."""
    from scipy.sparse import coo_array, issparse

    n, records = patient_of.max() + 1, np.arange(len(patient_of))
    belongs = coo_array((np.ones(len(records)), (patient_of, records)), shape=(n, len(records))).tocsr()
    of_patient = belongs @ statistics  # (patients, columns)
    columns_of = of_patient.T.tocsr() if issparse(of_patient) else np.ascontiguousarray(of_patient.T)
    rng = np.random.default_rng(seed)
    for _ in range(n_bootstrap):
        yield columns_of @ np.bincount(rng.integers(n, size=n), minlength=n).astype(float)


def resampled_rows(patient_of: np.ndarray, n_bootstrap: int = N_BOOTSTRAP, seed: int = SEED) -> Iterator[np.ndarray]:
    """n_bootstrap times the records of as many patients as there are, drawn with replacement, in the order of drawing;
    the same patients as `resampled_sums` draws. For statistics that are no sums over records."""
    by_patient = np.argsort(patient_of, kind="stable")
    records = np.bincount(patient_of)  # of each patient
    first = np.cumsum(records) - records
    rng = np.random.default_rng(seed)
    for _ in range(n_bootstrap):
        drawn = rng.integers(len(records), size=len(records))
        ends = np.cumsum(records[drawn])
        yield by_patient[np.arange(ends[-1]) + np.repeat(first[drawn] - ends + records[drawn], records[drawn])]


def with_intervals(names: Sequence[str], values: np.ndarray, resamples: np.ndarray) -> dict[str, Metric]:
    """(metrics,) over all records and (resamples, metrics) -> a Metric by name, the 2.5 to 97.5 percentile its interval.

    A value of NaN is left out; resamples in which a metric is NaN, for want of a case, do not count for it.
    """
    metrics = {}
    for name, value, drawn in zip(names, values, np.transpose(resamples), strict=True):
        if not np.isnan(value):
            defined = drawn[~np.isnan(drawn)]
            low, high = np.percentile(defined if len(defined) else [value], [2.5, 97.5])
            metrics[name] = Metric(float(value), (float(low), float(high)))
    return metrics


def bootstrapped(
    statistic: Callable[[np.ndarray], float],
    patient_of: np.ndarray,
    n_bootstrap: int = N_BOOTSTRAP,
    seed: int = SEED,
) -> Metric | None:
    """statistic(rows) over all records, with its interval over patients; None where it is NaN over all.

    patient_of: (records,) what tells patients apart; they are drawn in the order of these values.
    """
    patient_of = np.unique(patient_of, return_inverse=True)[1]
    value = statistic(np.arange(len(patient_of)))
    resamples = [] if np.isnan(value) else [[statistic(rows)] for rows in resampled_rows(patient_of, n_bootstrap, seed)]
    return with_intervals(("it",), np.array([value]), np.reshape(resamples, (-1, 1))).get("it")
