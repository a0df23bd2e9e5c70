"""Values worked out by hand."""

import math

import pytest

from meit.benchmark.tasks.zero_shot import vocabulary_shift
from meit.errors import DataError


def test_the_same_reports_do_not_shift():
    texts = ["Sinus rhythm. Normal ECG.", "Atrial fibrillation."]
    assert vocabulary_shift(texts, texts) == dict.fromkeys(vocabulary_shift(texts, texts), 0)


def test_nothing_in_common():
    found = vocabulary_shift(["Sinus rhythm."], ["Vorhofflimmern."])
    assert found == dict.fromkeys(found, 1) and len(found) == 5


def test_by_hand():
    """Train: a b; test: a c (a twice). Words of test: a (2), c (1)."""
    found = vocabulary_shift(["A. B."], ["A. C.", "A."])
    assert found["unknown_words"] == 1 / 2 and found["unknown_word_occurrences"] == 1 / 3
    assert found["unknown_sentences"] == 1 / 3 and found["unknown_reports"] == 1
    p, q = (1 / 2, 1 / 2, 0), (2 / 3, 0, 1 / 3)
    mean = [(x + y) / 2 for x, y in zip(p, q, strict=True)]
    by_hand = sum(x * math.log2(x / m) / 2 for row in (p, q) for x, m in zip(row, mean, strict=True) if x)
    assert found["divergence_bits"] == pytest.approx(by_hand)


def test_an_empty_set_is_refused():
    with pytest.raises(DataError, match="no words"):
        vocabulary_shift(["."], ["A."])
