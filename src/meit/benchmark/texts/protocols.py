"""How reports are cut into tokens, counted and averaged: ours ("corpus") and that of the published code ("meit").

A protocol turns (hypothesis, reference) texts into a row of statistics a pair, and rows into metrics. The rows also
serve the bootstrap, so that no text is scored twice. docs/metrics.md lists every definition, and how the two differ.
"""

import re
from functools import cache, lru_cache, partial
from importlib.metadata import version
from typing import TYPE_CHECKING, Protocol

import numpy as np

from meit.errors import DataError
from meit.patient_bootstrap import resampled_rows, resampled_sums

if TYPE_CHECKING:
    from meit.benchmark.texts.cider import Ngrams

TOKENS = re.compile(
    r"(?:(?<!\S)-(?=\d))?"  # the sign of a number: an axis of -30 is not one of 30
    r"[^\W_]+"  # letters of any alphabet, and digits
    r"(?:(?:[-/']|(?<=\d)\.(?=\d))[^\W_]+)*"  # st-t, 2/3, wenckebach's, 0.5
)
BLEU_ORDERS = (1, 2, 3, 4)
METRIC_NAMES = (*(f"bleu_{n}" for n in BLEU_ORDERS), "rouge_1", "rouge_2", "rouge_l", "cider_d")

# The columns of the statistics of one record.
CORRECT = slice(0, 4)  # n-grams of the hypothesis that the reference has too, n = 1..4
TOTAL = slice(4, 8)  # n-grams of the hypothesis
LENGTHS = slice(8, 10)  # tokens of the hypothesis and of the reference
RECORD_COUNT = 10  # 1
MEANS = slice(11, None)  # rouge_1, rouge_2, rouge_l, cider_d, and the record's value of each further metric
CIDER = 14
N_COLUMNS = 15
TEXTS_KEPT = 20_000  # cut texts at a time, 10 KB each


def tokenise(text: str) -> list[str]:
    """Lower-case words and numbers. Punctuation is dropped, as the COCO caption evaluation does; hyphens, slashes and
    apostrophes within a word, decimal points and the sign of a number stay."""
    return TOKENS.findall(text.lower())


def joined_tokens(text: str) -> str:
    """A space between the tokens, which is how the packages take them."""
    return " ".join(tokenise(text))


class TextProtocol(Protocol):
    """about: what the numbers are made with, for results.json."""

    about: dict[str, str]

    def __init__(self, train_references: list[str]): ...

    def text(self, report: str) -> str:
        """As BERTScore is given it."""

    def meteor_words(self, report: str) -> list[str]:
        """As METEOR is given them."""

    def statistics(self, pairs: list[tuple[str, str]]) -> np.ndarray:
        """(pairs, N_COLUMNS) of (hypothesis, reference) texts."""

    def values(self, statistics: np.ndarray) -> np.ndarray:
        """(records, columns) in the order of the test set -> (metrics,)."""

    def resampled(self, statistics: np.ndarray, patient_of: np.ndarray, n_bootstrap: int, seed: int) -> np.ndarray:
        """(n_bootstrap, metrics) of as many patients as there are, drawn with replacement."""


class Corpus(TextProtocol):
    """Every metric over the whole corpus: BLEU of summed counts, the others as means over records.

    CIDEr-D takes its document frequencies from `train_references`. Raises DataError where there are none.
    """

    def __init__(self, train_references: list[str]):
        from meit.benchmark.texts.cider import Ngrams, document_weights

        if not train_references:
            raise DataError("no training reports: CIDEr-D takes its document frequencies from them")
        weights = document_weights(train_references, joined_tokens)
        self.cut = lru_cache(TEXTS_KEPT)(lambda text: Ngrams(joined_tokens(text), *weights))
        self.tokens = lru_cache(TEXTS_KEPT)(tokenise)
        self.about = {
            "tokens": "lower-case words and numbers without punctuation (meit.benchmark.texts.protocols.tokenise)",
            "averaged": "BLEU from counts summed over the corpus, all others as means over records",
            "bleu": f"sacrebleu {version('sacrebleu')}, no smoothing",
            "rouge": f"rouge-score {version('rouge-score')}, no stemming, F1",
            "cider_d": f"as pycocoevalcap {version('pycocoevalcap')}",
            "cider_d_document_frequency": f"{len(train_references)} training reports",
        }

    def text(self, report: str) -> str:
        return report

    def meteor_words(self, report: str) -> list[str]:
        return tokenise(report)

    def statistics(self, pairs: list[tuple[str, str]]) -> np.ndarray:
        """(pairs, N_COLUMNS) of (hypothesis, reference) texts."""
        from meit.benchmark.texts.cider import compared

        statistics = np.empty((len(pairs), N_COLUMNS))
        for row, (hypothesis, reference) in zip(statistics, pairs, strict=True):
            ours, theirs = self.cut(hypothesis), self.cut(reference)
            common, cider = compared(ours, theirs)
            row[: MEANS.start] = _bleu_counts(common, ours, theirs)
            row[MEANS] = (
                *(rouge_n(common[n], ours.totals()[n], theirs.totals()[n]) for n in (0, 1)),
                rouge_l(self.tokens(hypothesis), self.tokens(reference)),
                cider,
            )
        return statistics

    def values(self, statistics: np.ndarray) -> np.ndarray:
        """(records, columns) -> (metrics,)."""
        return self._of_sums(statistics.sum(axis=0, keepdims=True))[0]

    def resampled(self, statistics: np.ndarray, patient_of: np.ndarray, n_bootstrap: int, seed: int) -> np.ndarray:
        """(n_bootstrap, metrics) of as many patients as there are, drawn with replacement."""
        return self._of_sums(np.stack(list(resampled_sums(statistics, patient_of, n_bootstrap, seed))))

    @staticmethod
    def _of_sums(sums: np.ndarray) -> np.ndarray:
        """(corpora, columns) sums over each corpus -> (corpora, metrics)."""
        from sacrebleu.metrics.bleu import BLEU

        bleu = [
            [
                BLEU.compute_bleu(row[CORRECT][:n], row[TOTAL][:n], *row[LENGTHS], max_ngram_order=n).score / 100  # type: ignore[misc]
                for n in BLEU_ORDERS
            ]
            for row in sums[:, :RECORD_COUNT].astype(int).tolist()  # counts, which sacrebleu wants whole
        ]
        return np.concatenate([np.array(bleu), sums[:, MEANS] / sums[:, [RECORD_COUNT]]], axis=1)


class Published(TextProtocol):
    """As in the code published with Wan et al., MEIT (Findings of ACL 2025), for comparison with its tables only.

    Each metric is a mean over batches of 32 records, in the order of the test set, and so depends on that order. The
    tag `<|assistant|>`, which that code leaves in both texts, is taken out. CIDEr-D has no document frequencies: that
    code counts all test references as a single document, so that each n-gram weighs the same (and a last batch of one
    record, whose weights are log 1, scores 0). Training reports are not looked at.
    """

    BATCH = 32
    TAG = "<|assistant|>"
    BETA = 1.2  # of ROUGE-L in the COCO caption evaluation: recall counts more than precision

    def __init__(self, train_references: list[str]):
        from nltk.tokenize import PunktSentenceTokenizer, word_tokenize

        from meit.benchmark.texts.cider import Ngrams

        self.cut = lru_cache(TEXTS_KEPT)(lambda text: Ngrams(text, {}, 1.0))
        self.sentences = PunktSentenceTokenizer()
        # sentences recur, and nltk takes two milliseconds for a report of ten
        self.words_of_sentence = cache(partial(word_tokenize, preserve_line=True))
        self.about = {
            "tokens": "split at spaces, a space before each full stop, case kept; METEOR: nltk's word_tokenize; "
            "rouge_1 and rouge_2: sets of words, sentences cut at full stops",
            "averaged": f"means over batches of {self.BATCH}",
            "bleu": "as pycocoevalcap, per batch",
            "rouge": f"rouge {version('rouge')} (rouge_1, rouge_2), as pycocoevalcap with beta {self.BETA} (rouge_l)",
            "cider_d": f"as pycocoevalcap {version('pycocoevalcap')}",
            "cider_d_document_frequency": "none: every n-gram weighs the same",
        }

    def text(self, report: str) -> str:
        return report.replace(self.TAG, " ").strip()

    def meteor_words(self, report: str) -> list[str]:
        """nltk's word_tokenize, with an untrained Punkt, which knows no abbreviations and needs no download."""
        sentences = self.sentences.tokenize(self.text(report))
        return [word for sentence in sentences for word in self.words_of_sentence(sentence)]

    def statistics(self, pairs: list[tuple[str, str]]) -> np.ndarray:
        """(pairs, N_COLUMNS) of (hypothesis, reference) texts."""
        from rouge import Rouge

        from meit.benchmark.texts.cider import compared

        rouge = Rouge(metrics=["rouge-1", "rouge-2"], stats=["f"])
        statistics = np.empty((len(pairs), N_COLUMNS))
        for row, pair in zip(statistics, pairs, strict=True):
            texts = [self.text(text) for text in pair]
            hypothesis, reference = (re.sub(" +", " ", text.replace(".", " .")) for text in texts)
            overlaps = [0.0, 0.0]
            if texts[0].strip("."):  # of nothing but full stops, or nothing at all, the package raises
                overlaps = [overlap["f"] for overlap in rouge.get_scores(*texts)[0].values()]
            ours, theirs = self.cut(hypothesis), self.cut(reference)
            common, cider = compared(ours, theirs)
            row[: MEANS.start] = _bleu_counts(common, ours, theirs)
            row[MEANS] = (*overlaps, rouge_l(hypothesis.split(" "), reference.split(" "), self.BETA), cider)
        return statistics

    def values(self, statistics: np.ndarray) -> np.ndarray:
        """(records, columns) in the order of the test set -> (metrics,)."""
        sums = np.add.reduceat(statistics, np.arange(0, len(statistics), self.BATCH))  # (batches, columns)
        sums[sums[:, RECORD_COUNT] == 1, CIDER] = 0
        return np.concatenate([_batch_bleu(sums), sums[:, MEANS] / sums[:, [RECORD_COUNT]]], axis=1).mean(axis=0)

    def resampled(self, statistics: np.ndarray, patient_of: np.ndarray, n_bootstrap: int, seed: int) -> np.ndarray:
        """(n_bootstrap, metrics) of as many patients as there are, drawn with replacement, in the order of drawing."""
        rows = resampled_rows(patient_of, n_bootstrap, seed)
        return np.stack([self.values(statistics[of_drawn]) for of_drawn in rows])


PROTOCOLS: dict[str, type[TextProtocol]] = {"corpus": Corpus, "meit": Published}


def rouge_l(hypothesis: list[str], reference: list[str], beta: float = 1.0) -> float:
    """F-measure of the longest common subsequence of tokens (Lin, ACL 2004), found by RapidFuzz: the packages of the
    field fill its table in Python, which takes most of the time that a pair takes."""
    from rapidfuzz.distance import LCSseq

    common = LCSseq.similarity(hypothesis, reference)
    if not common:
        return 0.0
    return (1 + beta**2) * common / (len(hypothesis) + beta**2 * len(reference))


def rouge_n(common: int, hypothesis: int, reference: int) -> float:
    """F-measure of how many n-grams are common, of how many each has (Lin, ACL 2004), as rouge-score has it."""
    precision, recall = common / max(hypothesis, 1), common / max(reference, 1)
    return 2 * precision * recall / (precision + recall) if common else 0.0


def _bleu_counts(common: list[int], hypothesis: "Ngrams", reference: "Ngrams") -> tuple[int, ...]:
    """The columns up to MEANS."""
    return *common, *hypothesis.totals(), hypothesis.words, reference.words, 1


def _batch_bleu(sums: np.ndarray) -> np.ndarray:
    """(batches, columns) sums -> (batches, 4) BLEU, with pycocoevalcap's tiny numbers against division by zero."""
    tiny, small = 1e-15, 1e-9
    precisions = (sums[:, CORRECT] + tiny) / (sums[:, TOTAL] + small)
    hypothesis, reference = sums[:, LENGTHS].T
    ratio = (hypothesis + tiny) / (reference + small)
    brevity = np.exp(np.minimum(0, 1 - 1 / ratio))
    return brevity[:, None] * np.cumprod(precisions, axis=1) ** (1 / np.array(BLEU_ORDERS))
