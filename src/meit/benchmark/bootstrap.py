"""Resamples of patients (Efron and Tibshirani, 1993, chapter 13): all records of a drawn patient come along."""

from collections.abc import Iterator, Sequence

import numpy as np

from meit.errors import DataError


def patient_index(patients: Sequence) -> np.ndarray:
    """(records,) numbers 0, 1, ... in the order in which patients first occur. Raises DataError for one without."""
    if any(patient is None or patient != patient for patient in patients):
        raise DataError("a record has no patient: the intervals need to know which records belong together")
    index: dict = {}
    return np.array([index.setdefault(patient, len(index)) for patient in patients])


def resampled_sums(statistics: np.ndarray, patient_of: np.ndarray, n_bootstrap: int, seed: int) -> Iterator[np.ndarray]:
    """(records, columns) -> n_bootstrap times (columns,), each the sum over as many patients as there are, drawn with
    replacement. One at a time: how often each patient is drawn would fill gigabytes for all resamples at once."""
    n = patient_of.max() + 1
    of_patient = np.zeros((n, statistics.shape[1]))
    np.add.at(of_patient, patient_of, statistics)
    rng = np.random.default_rng(seed)
    for _ in range(n_bootstrap):
        yield np.bincount(rng.integers(n, size=n), minlength=n) @ of_patient
