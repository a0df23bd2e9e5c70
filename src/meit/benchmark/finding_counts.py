"""Findings of drafts and of references counted record by record, and the headline numbers of the sums of such counts."""

from collections.abc import Sequence
from functools import lru_cache
from itertools import chain

import numpy as np

from meit.errors import DataError
from meit.reports.gravity import CRITICAL, SUPERCLASSES, critical_findings, is_abnormal
from meit.reports.statements import codes, read_statements

# The columns of a row of counts, which there is for each code, superclass, critical finding, and "abnormal".
BOTH, DRAFT_ONLY, REFERENCE_ONLY, NEITHER = range(4)
_ABNORMAL = "abnormal"
_TEXTS_KEPT = 100_000  # what they assert; 1 KB each


@lru_cache(maxsize=_TEXTS_KEPT)  # most reports recur, and each system is counted against the same references
def labels_of(report: str) -> frozenset[str]:
    """What a report asserts: codes, superclasses and critical findings (with their kind before), and _ABNORMAL."""
    statements = read_statements(report)
    stated = [one for one in statements if not one.negated]
    labels = {one.code for one in stated}
    labels |= {f"class:{codes()[one.code].superclass}" for one in stated}
    labels |= {f"critical:{name}" for name in critical_findings(stated)}
    return frozenset(labels | ({_ABNORMAL} if is_abnormal(statements) else set()))


def calls_abnormal(report: str) -> bool:
    return _ABNORMAL in labels_of(report)


class FindingCounts:
    """counts: a sparse (records, 3 labels + 3): for each label whether both, the draft alone and the reference alone assert
    it; whether the record has a hallucinated and an omitted finding; 1. total: `spread` of their sum."""

    def __init__(self, drafts: Sequence[str], references: Sequence[str]):
        from scipy.sparse import csr_array, hstack

        if not references or len(drafts) != len(references):
            raise DataError(
                f"{len(drafts)} drafts and {len(references)} references: give one of each for each record, and at "
                "least one record"
            )
        texts = {text: row for row, text in enumerate(dict.fromkeys((*drafts, *references)))}
        known = codes()
        self.codes = sorted({label for text in texts for label in labels_of(text)} & known.keys())
        classes, critical = (f"class:{name}" for name in SUPERCLASSES), (f"critical:{name}" for name in CRITICAL)
        self.labels = [*self.codes, *classes, *critical, _ABNORMAL]
        self.row = {label: row for row, label in enumerate(self.labels)}
        places = [[self.row[label] for label in labels_of(text) if label in self.row] for text in texts]
        ends = np.cumsum([0, *map(len, places)])
        columns = np.fromiter(chain.from_iterable(places), int, ends[-1])
        stated = csr_array((np.ones(ends[-1]), columns, ends), shape=(len(texts), len(self.labels)))
        d = stated[[texts[text] for text in drafts]]
        r = stated[[texts[text] for text in references]]
        both = d.multiply(r).tocsr()
        alone = [(one - both).tocsr() for one in (d, r)]
        wrong = [(one[:, : len(self.codes)].sum(axis=1) > 0).astype(float) for one in alone]
        flags = csr_array(np.stack([*wrong, np.ones(len(references))], axis=1))
        self.counts = hstack([both, *alone, flags], format="csr")
        self.total = self.spread(self.counts.sum(axis=0))

    def spread(self, sums: np.ndarray) -> np.ndarray:
        """(3 labels + 3,) sums over records -> (labels + 2, 4) of BOTH, DRAFT_ONLY, REFERENCE_ONLY, NEITHER; the last two
        rows hold in their first column the records that have a hallucinated and an omitted finding."""
        *stated, hallucinated, omitted, n = sums
        total = np.zeros((len(self.labels) + 2, 4))
        total[:-2, :NEITHER] = np.reshape(stated, (NEITHER, -1)).T
        total[:-2, NEITHER] = n - total[:-2, :NEITHER].sum(axis=1)
        total[-2:, BOTH] = hallucinated, omitted
        return total

    def code_f1(self, total: np.ndarray) -> dict[str, np.ndarray]:
        """Of the spread sums (..., labels + 2, 4) -> (...) of each code."""
        return {code: _f1(total[..., row, :]) for row, code in enumerate(self.codes)}

    def headline(self, total: np.ndarray) -> dict[str, np.ndarray]:
        """Of the spread sums (..., labels + 2, 4) -> (...) of each number that meit.benchmark.finding_scores names."""
        per_code = total[..., : len(self.codes), :]
        statements = per_code.sum(axis=-2)
        n = total[..., 0, :].sum(axis=-1)
        referenced = per_code[..., BOTH] + per_code[..., REFERENCE_ONLY] > 0
        values = {f"statement_{name}": value for name, value in _prf(statements).items()}
        f1 = np.where(referenced, _f1(per_code), 0.0).sum(axis=-1)
        values["statement_macro_f1"] = ratio(f1, referenced.sum(axis=-1))
        for name in SUPERCLASSES:
            of_class = _prf(total[..., self.row[f"class:{name}"], :])
            values |= {f"{name.lower()}_{kind}": value for kind, value in of_class.items()}
        values["hallucinated"] = statements[..., DRAFT_ONLY] / n
        values["omitted"] = statements[..., REFERENCE_ONLY] / n
        values["drafts_with_hallucination"] = total[..., -2, BOTH] / n
        values["drafts_with_omission"] = total[..., -1, BOTH] / n
        critical = total[..., [self.row[f"critical:{name}"] for name in CRITICAL], :]
        each = [critical[..., row, :] for row in range(len(CRITICAL))]
        for name, count in zip((*CRITICAL, "critical"), (*each, critical.sum(axis=-2)), strict=True):
            values[f"missed_{name}"] = ratio(count[..., REFERENCE_ONLY], count[..., BOTH] + count[..., REFERENCE_ONLY])
            values[f"invented_{name}"] = ratio(count[..., DRAFT_ONLY], count[..., DRAFT_ONLY] + count[..., NEITHER])
        count = total[..., self.row[_ABNORMAL], :]
        values["abnormal_sensitivity"] = ratio(count[..., BOTH], count[..., BOTH] + count[..., REFERENCE_ONLY])
        values["abnormal_specificity"] = ratio(count[..., NEITHER], count[..., NEITHER] + count[..., DRAFT_ONLY])
        return values


def ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """NaN where the whole is 0."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(whole, part / whole, np.nan)


def _f1(counts: np.ndarray) -> np.ndarray:
    """(..., 4) -> (...); NaN where neither drafts nor references assert it."""
    both, wrong = counts[..., BOTH], counts[..., DRAFT_ONLY] + counts[..., REFERENCE_ONLY]
    return ratio(2 * both, 2 * both + wrong)


def _prf(counts: np.ndarray) -> dict[str, np.ndarray]:
    """Of (..., 4) counts."""
    return {
        "precision": ratio(counts[..., BOTH], counts[..., BOTH] + counts[..., DRAFT_ONLY]),
        "recall": ratio(counts[..., BOTH], counts[..., BOTH] + counts[..., REFERENCE_ONLY]),
        "f1": _f1(counts),
    }
