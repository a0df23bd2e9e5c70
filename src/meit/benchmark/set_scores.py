"""Sets of codes held against those of the references: findings invented and left out, precision, recall and F1.

For what is no text of its own, or differs by single findings; texts are scored by meit.benchmark.finding_scores, whose
statement_precision, statement_recall and statement_f1 are these.
"""

from collections.abc import Collection, Sequence

import numpy as np

from meit.patient_bootstrap import N_BOOTSTRAP, SEED, Metric, patient_index, resampled_sums, with_intervals

MEASURES = ("hallucinated", "omitted", "precision", "recall", "f1")


def set_scores(
    names: Sequence[str],
    systems: Sequence[Sequence[Collection[str]]],
    references: Sequence[Collection[str]],
    patients: Sequence,
    n_bootstrap: int = N_BOOTSTRAP,
    seed: int = SEED,
) -> tuple[dict[str, dict[str, Metric]], dict[str, dict[str, Metric]]]:
    """systems: of each record the codes of each system named. MEASURES of each system, and of each minus the first (paired),
    with 95% intervals over patients; what has no case is left out."""
    counts = np.array(
        [
            [_counts(frozenset(codes), frozenset(there)) for codes in of_record]
            for of_record, there in zip(systems, references, strict=True)
        ],
        float,
    )
    sums = resampled_sums(counts.reshape(len(counts), -1), patient_index(patients), n_bootstrap, seed)
    resamples = np.array([_values(total.reshape(counts.shape[1:])) for total in sums])
    values = _values(counts.sum(axis=0))
    metrics = {name: with_intervals(MEASURES, values[i], resamples[:, i]) for i, name in enumerate(names)}
    differences = {
        name: with_intervals(MEASURES, values[i] - values[0], resamples[:, i] - resamples[:, 0])
        for i, name in enumerate(names)
        if i
    }
    return metrics, differences


def _counts(codes: frozenset[str], there: frozenset[str]) -> tuple[int, int, int, int]:
    return len(codes & there), len(codes - there), len(there - codes), 1


def _values(total: np.ndarray) -> np.ndarray:
    """(systems, 4) sums of both, draft only, reference only, records -> (systems, MEASURES)."""
    both, draft_only, reference_only, n = total.T
    with np.errstate(invalid="ignore"):
        return np.stack(
            [
                draft_only / n,
                reference_only / n,
                both / (both + draft_only),
                both / (both + reference_only),
                2 * both / (2 * both + draft_only + reference_only),
            ],
            axis=1,
        )
