"""Is it true? Drafts against references by the findings that they assert, not by their words.

Both are read by meit.reports.statements. A finding is a code; what a report excludes ("no ST elevation") it does not
assert, and "possible" counts like "definite". The names of `score_findings`:

    statement_precision, statement_recall, statement_f1   over all findings of all records (micro)
    statement_macro_f1             mean F1 of the codes that some reference asserts
    norm_f1, mi_f1, sttc_f1, cd_f1, hyp_f1 (and _precision, _recall)   by the superclasses of PTB-XL (Wagner et al., Sci
                                   Data 2020, doi:10.1038/s41597-020-0495-6): has the report any finding of it
    hallucinated, omitted          findings a record that only the draft, or only the reference, asserts
    drafts_with_hallucination, drafts_with_omission       share of the records
    missed_*, invented_*           of critical findings (CRITICAL): share missed of the records whose reference asserts
                                   it, and share invented of those whose reference does not
    missed_critical, invented_critical   the same over all records and critical findings
    abnormal_sensitivity, abnormal_specificity   of calling a record abnormal (is_abnormal)

A number that has no case (no reference asserts ventricular tachycardia) is left out.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from torch import Tensor

from meit.benchmark.finding_counts import FindingCounts, calls_abnormal, ratio
from meit.data.shards import Report
from meit.errors import DataError
from meit.patient_bootstrap import (
    N_BOOTSTRAP,
    SEED,
    Metric,
    bootstrapped,
    patient_index,
    resampled_sums,
    with_intervals,
)

COMPARED = ("statement_f1", "hallucinated", "omitted")  # between two systems
_NORMAL = "NORM"  # the encoder's finding
PATIENT_GROUPS: dict[str, Callable[[Report], bool]] = {
    "women": lambda report: report.sex == "F",
    "men": lambda report: report.sex == "M",
    "under 40 years": lambda report: report.age is not None and report.age < 40,
    "40 to 59 years": lambda report: report.age is not None and 40 <= report.age < 60,
    "60 to 79 years": lambda report: report.age is not None and 60 <= report.age < 80,
    "80 years and more": lambda report: report.age is not None and report.age >= 80,
}


@dataclass(frozen=True)
class CodeScore:
    """n: references that assert the code. drafts: drafts that do. f1 has an interval; precision or recall is None where
    no draft or no reference asserts it."""

    n: int
    drafts: int
    precision: float | None
    recall: float | None
    f1: Metric


def score_findings(
    drafts: Sequence[str],
    references: Sequence[str],
    patients: Sequence,
    n_bootstrap: int = N_BOOTSTRAP,
    seed: int = SEED,
) -> dict[str, Metric]:
    """The headline numbers of one draft a record; their names are in the module's docstring.

    Intervals are over patients (meit.patient_bootstrap). Raises DataError where the lengths differ or a record has no patient.
    """
    table, sums = _resampled(tuple(drafts), tuple(references), tuple(patients), n_bootstrap, seed)
    return _metrics(table.headline(table.total), table.headline(sums))


def findings_difference(
    drafts: Sequence[str],
    others: Sequence[str],
    references: Sequence[str],
    patients: Sequence,
    n_bootstrap: int = N_BOOTSTRAP,
    seed: int = SEED,
) -> dict[str, Metric]:
    """COMPARED of the drafts minus those of other drafts of the same records, resampled together (paired bootstrap)."""
    (ours, our_sums), (theirs, their_sums) = (
        _resampled(tuple(texts), tuple(references), tuple(patients), n_bootstrap, seed) for texts in (drafts, others)
    )
    pairs = (
        (ours.headline(ours.total), theirs.headline(theirs.total)),
        (ours.headline(our_sums), theirs.headline(their_sums)),
    )
    return _metrics(*({name: one[name] - other[name] for name in COMPARED} for one, other in pairs))


def by_code(
    drafts: Sequence[str],
    references: Sequence[str],
    patients: Sequence,
    n_bootstrap: int = N_BOOTSTRAP,
    seed: int = SEED,
) -> dict[str, CodeScore]:
    """Each code that a draft or a reference asserts, the most frequent in the references first; arguments as above."""
    table, sums = _resampled(tuple(drafts), tuple(references), tuple(patients), n_bootstrap, seed)
    f1 = _metrics(table.code_f1(table.total), table.code_f1(sums))
    total = table.total
    scores = {}
    for index, code in enumerate(table.codes):
        both, draft_only, reference_only, _ = total[index]
        n, stated = both + reference_only, both + draft_only
        precision, recall = ratio(both, stated), ratio(both, n)
        scores[code] = CodeScore(
            int(n), int(stated), float(precision) if stated else None, float(recall) if n else None, f1[code]
        )
    return dict(sorted(scores.items(), key=lambda item: (-item[1].n, item[0])))


def by_group(drafts: Sequence[str], reports: Sequence[Report]) -> dict[str, tuple[int, dict[str, Metric]]]:
    """Number of recordings and `score_findings` of each group that has any: a mean can hide that a model serves some
    patients worse. reports: the references, in the order of the drafts."""
    scores = {}
    for name, belongs in PATIENT_GROUPS.items():
        rows = [row for row, report in enumerate(reports) if belongs(report)]
        if rows:
            texts, references = [drafts[row] for row in rows], [reports[row].text for row in rows]
            scores[name] = len(rows), score_findings(texts, references, [reports[row].patient_id for row in rows])
    return scores


def abnormality(findings: Sequence[str], probabilities: Tensor) -> np.ndarray | None:
    """(N, F) finding probabilities -> (N,) the probability that the ECG is not normal, whatever threshold a draft takes;
    None where the encoder does not look for that, or was trained to find nothing."""
    return 1 - probabilities[:, findings.index(_NORMAL)].numpy() if _NORMAL in findings else None


def abnormal_auroc(
    scores: np.ndarray,
    references: Sequence[str],
    patients: Sequence,
    n_bootstrap: int = N_BOOTSTRAP,
    seed: int = SEED,
) -> Metric | None:
    """Area under the ROC curve of scores (N,) against what the references call abnormal (is_abnormal), with a 95%
    interval over patients; None where all references are abnormal, or none is."""
    truth = np.array([calls_abnormal(text) for text in references])
    place = np.unique(scores, return_inverse=True)[1]  # in the order of the scores; records of one score share it

    def auroc(rows: np.ndarray) -> float:
        """The share of pairs in the right order, ties counting half: of all resamples, sorted once."""
        ill = np.bincount(place[rows], weights=truth[rows])
        well = np.bincount(place[rows]) - ill
        pairs = ill.sum() * well.sum()
        return float((np.cumsum(well) - well / 2) @ ill / pairs) if pairs else np.nan

    return bootstrapped(auroc, patient_index(patients), n_bootstrap, seed)


@lru_cache(maxsize=16)
def _resampled(
    drafts: tuple[str, ...], references: tuple[str, ...], patients: tuple, n_bootstrap: int, seed: int
) -> tuple[FindingCounts, np.ndarray]:
    """The counts of a system, and their sums over each resample (n_bootstrap, rows, 4): the same patients for all systems,
    so that their differences are paired. Kept, since each system is scored, compared and told by code."""
    counted = FindingCounts(drafts, references)
    if len(patients) != len(references):
        raise DataError(f"{len(patients)} patients for {len(references)} records: give one a record")
    sums = resampled_sums(counted.counts, patient_index(patients), n_bootstrap, seed)
    return counted, np.stack([counted.spread(total) for total in sums])


def _metrics(of_all: Mapping[str, np.ndarray], of_resamples: Mapping[str, np.ndarray]) -> dict[str, Metric]:
    """What has no case is left out."""
    values = np.array([float(value) for value in of_all.values()])
    resamples = np.stack(list(of_resamples.values()), axis=1) if of_resamples else np.empty((0, 0))
    return with_intervals(list(of_all), values, resamples)
