"""Normal or abnormal: how well the encoder tells them apart, whatever threshold a draft takes."""

from collections.abc import Sequence

import numpy as np
from torch import Tensor

from meit.benchmark.bootstrap import patient_index
from meit.benchmark.texts.metrics import Metric
from meit.reports.gravity import is_abnormal
from meit.reports.statements import read_statements

NORMAL = "NORM"


def abnormality(findings: Sequence[str], probabilities: Tensor) -> np.ndarray | None:
    """(N, F) finding probabilities -> (N,) the probability that the ECG is not normal; None where that is no finding."""
    return 1 - probabilities[:, findings.index(NORMAL)].numpy() if NORMAL in findings else None


def abnormal_auroc(
    scores: np.ndarray, references: Sequence[str], patients: Sequence, n_bootstrap: int = 1000, seed: int = 0
) -> Metric | None:
    """Area under the ROC curve of scores (N,) against what the references call abnormal (is_abnormal), with a 95%
    interval over resamples of patients; None where all references are abnormal, or none is."""
    from sklearn.metrics import roc_auc_score

    truth = np.array([is_abnormal(read_statements(text)) for text in references])
    if truth.all() or not truth.any():
        return None
    of_patient = patient_index(patients)
    rows = [np.flatnonzero(of_patient == patient) for patient in range(of_patient.max() + 1)]
    rng = np.random.default_rng(seed)
    resamples = []
    for _ in range(n_bootstrap):
        drawn = np.concatenate([rows[patient] for patient in rng.integers(len(rows), size=len(rows))])
        if truth[drawn].any() and not truth[drawn].all():
            resamples.append(roc_auc_score(truth[drawn], scores[drawn]))
    low, high = np.percentile(resamples, [2.5, 97.5])
    return Metric(float(roc_auc_score(truth, scores)), (float(low), float(high)))
