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

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor

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
from meit.reports.gravity import CRITICAL, SUPERCLASSES, critical_findings, is_abnormal
from meit.reports.statements import codes, read_statements

# The columns of a record's counts, for each code, superclass, critical finding, and "abnormal".
BOTH, DRAFT_ONLY, REFERENCE_ONLY, NEITHER = range(4)
_ABNORMAL = "abnormal"
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
    table = _Table(drafts, references)
    return _of_sums(table.headline, table.counts, patients, n_bootstrap, seed)


def findings_difference(
    drafts: Sequence[str],
    others: Sequence[str],
    references: Sequence[str],
    patients: Sequence,
    n_bootstrap: int = N_BOOTSTRAP,
    seed: int = SEED,
) -> dict[str, Metric]:
    """COMPARED of the drafts minus those of other drafts of the same records, resampled together (paired bootstrap)."""
    ours, theirs = _Table(drafts, references), _Table(others, references)
    split = ours.counts.shape[1]

    def values(total: np.ndarray) -> dict[str, float]:
        one, other = ours.headline(total[:split]), theirs.headline(total[split:])
        return {name: one[name] - other[name] for name in COMPARED}

    return _of_sums(values, np.concatenate([ours.counts, theirs.counts], axis=1), patients, n_bootstrap, seed)


def by_code(
    drafts: Sequence[str],
    references: Sequence[str],
    patients: Sequence,
    n_bootstrap: int = N_BOOTSTRAP,
    seed: int = SEED,
) -> dict[str, CodeScore]:
    """Each code that a draft or a reference asserts, the most frequent in the references first; arguments as above."""
    table = _Table(drafts, references)
    f1 = _of_sums(table.code_f1, table.counts, patients, n_bootstrap, seed)
    total = table.counts.sum(axis=0)
    scores = {}
    for index, code in enumerate(table.codes):
        both, draft_only, reference_only, _ = total[index]
        n, stated = both + reference_only, both + draft_only
        precision, recall = _ratio(both, stated), _ratio(both, n)
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
    from sklearn.metrics import roc_auc_score

    truth = np.array([is_abnormal(read_statements(text)) for text in references])

    def auroc(rows: np.ndarray) -> float:
        one_kind = truth[rows].all() or not truth[rows].any()
        return np.nan if one_kind else roc_auc_score(truth[rows], scores[rows])

    return bootstrapped(auroc, patient_index(patients), n_bootstrap, seed)


def _labels(report: str) -> set[str]:
    """What a report asserts: codes, superclasses and critical findings (with their kind before), and _ABNORMAL."""
    statements = read_statements(report)
    stated = [one for one in statements if not one.negated]
    labels = {one.code for one in stated}
    labels |= {f"class:{codes()[one.code].superclass}" for one in stated}
    labels |= {f"critical:{name}" for name in critical_findings(stated)}
    return labels | ({_ABNORMAL} if is_abnormal(statements) else set())


class _Table:
    """counts: (records, labels + 2, 4) of BOTH, DRAFT_ONLY, REFERENCE_ONLY, NEITHER; the last two rows hold in their
    first column whether the record has a hallucinated and an omitted finding."""

    def __init__(self, drafts: Sequence[str], references: Sequence[str]):
        if not references or len(drafts) != len(references):
            raise DataError(
                f"{len(drafts)} drafts and {len(references)} references: give one of each for each record, and at "
                "least one record"
            )
        labels = {text: _labels(text) for text in {*drafts, *references}}  # most reports recur
        known = codes()
        self.codes = sorted({label for found in labels.values() for label in found} & known.keys())
        classes, critical = (f"class:{name}" for name in SUPERCLASSES), (f"critical:{name}" for name in CRITICAL)
        self.labels = [*self.codes, *classes, *critical, _ABNORMAL]
        self.row = {label: row for row, label in enumerate(self.labels)}
        stated = {text: np.array([label in found for label in self.labels]) for text, found in labels.items()}
        n_codes = len(self.codes)
        self.counts = np.zeros((len(references), len(self.labels) + 2, 4), dtype=np.float32)
        for count, draft, reference in zip(self.counts, drafts, references, strict=True):
            d, r = stated[draft], stated[reference]
            count[:-2] = np.stack([d & r, d & ~r, ~d & r, ~d & ~r], axis=1)
            count[-2, BOTH] = count[:n_codes, DRAFT_ONLY].any()
            count[-1, BOTH] = count[:n_codes, REFERENCE_ONLY].any()

    def code_f1(self, total: np.ndarray) -> dict[str, float]:
        """Of the sums over records."""
        return dict(zip(self.codes, _f1(total[: len(self.codes)]).tolist(), strict=True))

    def headline(self, total: np.ndarray) -> dict[str, float]:
        per_code = total[: len(self.codes)]
        statements = per_code.sum(axis=0)
        n = total[0].sum()
        referenced = per_code[:, BOTH] + per_code[:, REFERENCE_ONLY] > 0
        values: dict[str, float] = {f"statement_{name}": value for name, value in _prf(statements).items()}
        values["statement_macro_f1"] = _mean(_f1(per_code)[referenced])
        for name in SUPERCLASSES:
            of_class = _prf(total[self.row[f"class:{name}"]])
            values |= {f"{name.lower()}_{kind}": value for kind, value in of_class.items()}
        values["hallucinated"] = statements[DRAFT_ONLY] / n
        values["omitted"] = statements[REFERENCE_ONLY] / n
        values["drafts_with_hallucination"] = total[-2, BOTH] / n
        values["drafts_with_omission"] = total[-1, BOTH] / n
        critical = total[[self.row[f"critical:{name}"] for name in CRITICAL]]
        for name, count in zip((*CRITICAL, "critical"), (*critical, critical.sum(axis=0)), strict=True):
            values[f"missed_{name}"] = _ratio(count[REFERENCE_ONLY], count[BOTH] + count[REFERENCE_ONLY])
            values[f"invented_{name}"] = _ratio(count[DRAFT_ONLY], count[DRAFT_ONLY] + count[NEITHER])
        count = total[self.row[_ABNORMAL]]
        values["abnormal_sensitivity"] = _ratio(count[BOTH], count[BOTH] + count[REFERENCE_ONLY])
        values["abnormal_specificity"] = _ratio(count[NEITHER], count[NEITHER] + count[DRAFT_ONLY])
        return {name: float(value) for name, value in values.items()}


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else float("nan")


def _mean(values: np.ndarray) -> float:
    return values.mean() if len(values) else float("nan")


def _f1(counts: np.ndarray) -> np.ndarray:
    """(..., 4) -> (...); NaN where neither drafts nor references assert it."""
    both, wrong = counts[..., BOTH], counts[..., DRAFT_ONLY] + counts[..., REFERENCE_ONLY]
    with np.errstate(invalid="ignore"):
        return 2 * both / (2 * both + wrong)


def _prf(counts: np.ndarray) -> dict[str, float]:
    """Of (4,) counts."""
    return {
        "precision": _ratio(counts[BOTH], counts[BOTH] + counts[DRAFT_ONLY]),
        "recall": _ratio(counts[BOTH], counts[BOTH] + counts[REFERENCE_ONLY]),
        "f1": float(_f1(counts)),
    }


def _of_sums(
    values: Callable[[np.ndarray], dict[str, float]],
    counts: np.ndarray,
    patients: Sequence,
    n_bootstrap: int,
    seed: int,
) -> dict[str, Metric]:
    """Metrics that are functions of the sums over records; what has no case is left out."""
    if len(patients) != len(counts):
        raise DataError(f"{len(patients)} patients for {len(counts)} records: give one a record")
    sums = resampled_sums(counts.reshape(len(counts), -1), patient_index(patients), n_bootstrap, seed)
    resamples = [list(values(total.reshape(counts.shape[1:])).values()) for total in sums]
    of_all = values(counts.sum(axis=0, dtype=np.float64))
    return with_intervals(list(of_all), np.array(list(of_all.values())), np.array(resamples))
