"""How unlike two sets' reports are, whatever a model does: what of a test set's wording the training reports hold."""

from collections import Counter
from collections.abc import Sequence

from meit.benchmark.texts.metrics import tokenise
from meit.errors import DataError


def vocabulary_shift(train_texts: Sequence[str], test_texts: Sequence[str]) -> dict[str, float]:
    """Shares of 0..1, and the Jensen-Shannon divergence of the two sets' word frequencies in bits (0: the same, 1: no
    word in common; Lin, IEEE Trans. Inf. Theory 37, 1991). Raises DataError for an empty set."""
    train, test = (Counter(token for text in texts for token in tokenise(text)) for texts in (train_texts, test_texts))
    if not train or not test:
        raise DataError("no words to compare")
    known_sentences = {sentence for text in train_texts for sentence in _sentences(text)}
    sentences = [sentence for text in test_texts for sentence in _sentences(text)]
    known_texts = set(train_texts)
    return {
        "unknown_words": sum(word not in train for word in test) / len(test),
        "unknown_word_occurrences": sum(count for word, count in test.items() if word not in train) / test.total(),
        "unknown_sentences": sum(sentence not in known_sentences for sentence in sentences) / len(sentences),
        "unknown_reports": sum(text not in known_texts for text in test_texts) / len(test_texts),
        "divergence_bits": _jensen_shannon(train, test),
    }


def _jensen_shannon(one: Counter, other: Counter) -> float:
    from scipy.spatial.distance import jensenshannon

    words = sorted(one | other)
    return float(jensenshannon([one[word] for word in words], [other[word] for word in words], base=2) ** 2)


def _sentences(text: str) -> list[str]:
    return [" ".join(tokens) for part in text.split(". ") if (tokens := tokenise(part))]
