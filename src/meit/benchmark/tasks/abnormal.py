"""Normal or abnormal: how well the encoder tells them apart, whatever threshold a draft takes."""

from collections.abc import Sequence

import numpy as np
from torch import Tensor

from meit.patient_bootstrap import N_BOOTSTRAP, SEED, Metric, bootstrapped, patient_index
from meit.reports.gravity import is_abnormal
from meit.reports.statements import read_statements

NORMAL = "NORM"


def abnormality(findings: Sequence[str], probabilities: Tensor) -> np.ndarray | None:
    """(N, F) finding probabilities -> (N,) the probability that the ECG is not normal; None where that is no finding."""
    return 1 - probabilities[:, findings.index(NORMAL)].numpy() if NORMAL in findings else None


def abnormal_auroc(
    scores: np.ndarray,
    references: Sequence[str],
    patients: Sequence,
    n_bootstrap: int = N_BOOTSTRAP,
    seed: int = SEED,
) -> Metric | None:
    """Area under the ROC curve of scores (N,) against what the references call abnormal (is_abnormal), with a 95%
    interval over resamples of patients; None where all references are abnormal, or none is."""
    from sklearn.metrics import roc_auc_score

    truth = np.array([is_abnormal(read_statements(text)) for text in references])

    def auroc(rows: np.ndarray) -> float:
        one_kind = truth[rows].all() or not truth[rows].any()
        return np.nan if one_kind else roc_auc_score(truth[rows], scores[rows])

    return bootstrapped(auroc, patient_index(patients), n_bootstrap, seed)
