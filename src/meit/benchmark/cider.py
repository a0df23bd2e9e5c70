"""CIDEr-D with the document frequencies of the training reports."""

from collections import Counter

import numpy as np
from pycocoevalcap.cider.cider_scorer import CiderScorer, precook


class TrainingCider(CiderScorer):
    """pycocoevalcap's CIDEr-D of one hypothesis against one reference, its weights taken from the training reports.

    Two things make an n-gram's weight, `log(documents) - log(documents that hold it)`. The package's own
    `compute_score` counts both over the references under test, so that a score depends on which other records are
    tested, and is 0 for a single one. Here both are given.
    """

    def __init__(self, hypothesis: str, reference: str, document_frequency: Counter, n_documents: int):
        super().__init__(hypothesis, [reference])
        self.document_frequency = document_frequency
        self._log_documents = np.log(float(n_documents))

    @property
    def ref_len(self) -> float:
        """The logarithm of the number of documents, as the package names it."""
        return self._log_documents

    @ref_len.setter
    def ref_len(self, value) -> None:
        """The package sets it to that of the references under test; the training reports' number stays."""


def document_frequency(documents: list[str]) -> Counter:
    """How many of the tokenised documents hold each n-gram, n = 1..4."""
    frequency = Counter()
    for document, times in Counter(documents).items():  # most reports recur, and each is cut only once
        for ngram in precook(document):
            frequency[ngram] += times
    return frequency
