"""CIDEr-D with document frequencies that are given, not counted over the references under test."""

import math
from collections import Counter
from collections.abc import Callable

from pycocoevalcap.cider.cider_scorer import precook

_ORDERS = 4
SIGMA = 6.0  # of the penalty for a difference in length, in word pairs


def cider_d(hypothesis: str, reference: str, weights: dict[tuple, float], weight: float) -> float:
    """CIDEr-D (Vedantam et al., CVPR 2015), 0-10, of one tokenised hypothesis against one reference.

    `weights` holds the weight of n-grams, n = 1..4, and `weight` that of all others. n-grams are cut and numbers agree
    (a test holds them to it) as in pycocoevalcap. That package cannot do it alone: it counts documents over the
    references under test, so that a score depends on which other records are tested, and it takes most of the time
    that a pair takes, one numpy logarithm for each n-gram.
    """
    ours, theirs = precook(hypothesis), precook(reference)
    shared, ours_squared, theirs_squared = ([0.0] * _ORDERS for _ in range(3))
    for ngram, times in ours.items():
        of_each = weights.get(ngram, weight)
        value, order = times * of_each, len(ngram) - 1
        ours_squared[order] += value * value
        if ngram in theirs:
            target = theirs[ngram] * of_each
            shared[order] += min(value, target) * target  # clipped: to repeat a word does not help
    for ngram, times in theirs.items():
        value = times * weights.get(ngram, weight)
        theirs_squared[len(ngram) - 1] += value * value
    cosines = (
        dot / math.sqrt(one * other)
        for dot, one, other in zip(shared, ours_squared, theirs_squared, strict=True)
        if one and other
    )
    longer = max(len(hypothesis.split()) - 1, 0) - max(len(reference.split()) - 1, 0)
    return 10 * sum(cosines) / _ORDERS * math.exp(-(longer**2) / (2 * SIGMA**2))


def document_weights(documents: list[str], tokenised: Callable[[str], str]) -> tuple[dict[tuple, float], float]:
    """Weights of `cider_d`, log(documents) - log(those that hold the n-gram), each document being tokenised.

    An n-gram in no document weighs as much as one in a single document. Most are in one: leaving them out keeps the
    table small.
    """
    frequency: Counter[tuple] = Counter()
    for document, times in Counter(documents).items():  # most reports recur, and each is cut only once
        ngrams = precook(tokenised(document))
        frequency.update(ngrams.keys() if times == 1 else dict.fromkeys(ngrams, times))
    all_documents = math.log(len(documents))
    weights = {ngram: all_documents - math.log(times) for ngram, times in frequency.items() if times > 1}
    return weights, all_documents
