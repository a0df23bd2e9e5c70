"""CIDEr-D with document frequencies that are given, not counted over the references under test."""

import math
from collections import Counter
from collections.abc import Callable

from pycocoevalcap.cider.cider_scorer import precook

_ORDERS = 4
SIGMA = 6.0  # of the penalty for a difference in length, in word pairs


class Ngrams:
    """A tokenised text, cut: how often each of its n-grams stands in it, n = 1..4, and what CIDEr-D makes of that.

    `weights` holds the weight of n-grams, and `weight` that of all others. Texts recur and each is compared often, so it
    is cut once.
    """

    __slots__ = ("squares", "times", "values", "words")

    def __init__(self, text: str, weights: dict[tuple, float], weight: float):
        self.words = len(text.split())
        self.times: dict[tuple, int] = precook(text)
        self.values = {ngram: times * weights.get(ngram, weight) for ngram, times in self.times.items()}
        self.squares = [0.0] * _ORDERS
        for ngram, value in self.values.items():
            self.squares[len(ngram) - 1] += value * value

    def totals(self) -> list[int]:
        """Of each order."""
        return [max(self.words - order, 0) for order in range(_ORDERS)]


def compared(hypothesis: Ngrams, reference: Ngrams) -> tuple[list[int], float]:
    """How many n-grams of the hypothesis the reference has too, of each order (no more often than it has them, as BLEU and
    ROUGE-N count), and CIDEr-D (Vedantam et al., CVPR 2015), 0-10.

    n-grams are cut and numbers agree (tests hold them to it) as in sacrebleu, rouge-score and pycocoevalcap. These take
    most of the time that a pair takes, for they cut both texts anew, and pycocoevalcap cannot do it alone: it counts
    documents over the references under test, so that a score depends on which other records are tested.
    """
    common, shared = [0] * _ORDERS, [0.0] * _ORDERS
    theirs, values, targets = reference.times, hypothesis.values, reference.values
    for ngram, times in hypothesis.times.items():
        if ngram in theirs:
            order, target = len(ngram) - 1, targets[ngram]
            common[order] += min(times, theirs[ngram])
            shared[order] += min(values[ngram], target) * target  # clipped: to repeat a word does not help
    cosines = (
        dot / math.sqrt(one * other)
        for dot, one, other in zip(shared, hypothesis.squares, reference.squares, strict=True)
        if one and other
    )
    longer = max(hypothesis.words - 1, 0) - max(reference.words - 1, 0)
    return common, 10 * sum(cosines) / _ORDERS * math.exp(-(longer**2) / (2 * SIGMA**2))


def cider_d(hypothesis: str, reference: str, weights: dict[tuple, float], weight: float) -> float:
    """CIDEr-D of one tokenised hypothesis against one reference; weights as of Ngrams."""
    return compared(Ngrams(hypothesis, weights, weight), Ngrams(reference, weights, weight))[1]


def document_weights(documents: list[str], tokenised: Callable[[str], str]) -> tuple[dict[tuple, float], float]:
    """Weights of `Ngrams`, log(documents) - log(those that hold the n-gram), each document being tokenised.

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
