"""How near drafted reports come to the reference reports: BLEU, ROUGE and CIDEr-D, with bootstrap intervals.

Every metric sees the same tokens (`tokenise`) and is taken over the whole corpus, never averaged over batches. Every
hypothesis is scored, also an empty or a repeated one.

    bleu_1..bleu_4          0-1   Papineni et al., ACL 2002; sacrebleu, no smoothing: corpus BLEU of orders 1..n
    rouge_1, rouge_2, rouge_l  0-1   Lin, ACL 2004; rouge-score, no stemming: F1 of each record, averaged. rouge_l is
                            Google's (beta 1), not that of the COCO caption evaluation (beta 1.2)
    cider_d                 0-10  Vedantam et al., CVPR 2015; pycocoevalcap: averaged over records, the document
                            frequencies taken from the training reports, not from the references under test as the
                            package does. So numbers from other test sets' frequencies are not comparable.
                            A text against itself reaches 10 only if it has four tokens and, of each order, an n-gram
                            that is not in every training report.
"""

import re
from dataclasses import dataclass

import numpy as np

from meit.errors import DataError

TOKENS = re.compile(
    r"(?:(?<!\S)-(?=\d))?"  # the sign of a number: an axis of -30 is not one of 30
    r"[^\W_]+"  # letters of any alphabet, and digits
    r"(?:(?:[-/']|(?<=\d)\.(?=\d))[^\W_]+)*"  # st-t, 2/3, wenckebach's, 0.5
)
BLEU_ORDERS = (1, 2, 3, 4)
ROUGE_KINDS = {"rouge_1": "rouge1", "rouge_2": "rouge2", "rouge_l": "rougeL"}
NAMES = (*(f"bleu_{n}" for n in BLEU_ORDERS), *ROUGE_KINDS, "cider_d")

# The columns of the statistics of one record; sums of them over records are all that any of the metrics needs.
CORRECT = slice(0, 4)  # n-grams of the hypothesis that the reference has too, n = 1..4
TOTAL = slice(4, 8)  # n-grams of the hypothesis
LENGTHS = slice(8, 10)  # tokens of the hypothesis and of the reference
MEANS = slice(10, 14)  # rouge_1, rouge_2, rouge_l, cider_d
RECORDS = 14  # 1
N_COLUMNS = 15


@dataclass(frozen=True)
class Metric:
    """A value over the corpus and its 95% interval."""

    value: float
    ci95: tuple[float, float]


def tokenise(text: str) -> list[str]:
    """Lower-case words and numbers. Punctuation is dropped, as the COCO caption evaluation does; hyphens, slashes and
    apostrophes within a word, decimal points and the sign of a number stay."""
    return TOKENS.findall(text.lower())


def score(
    hypotheses: list[str],
    references: list[str],
    patients: list,
    train_references: list[str],
    n_bootstrap: int = 1000,
    seed: int = 0,
) -> dict[str, Metric]:
    """Each metric of `NAMES` over the corpus; scales and sources are in the module's docstring.

    `patients` names the patient of each record. The interval is the 2.5 to 97.5 percentile over resamples of
    patients (Efron and Tibshirani, 1993, chapter 13), all records of a drawn patient coming along, because records of
    one patient resemble each other. A single patient has an interval of no width. `train_references` serve only the
    document frequencies of CIDEr-D.
    """
    statistics = _statistics([hypotheses], references, patients, train_references)
    resamples = _resampled_sums(statistics, patients, n_bootstrap, seed)
    return _with_intervals(_values(statistics.sum(axis=0, keepdims=True)), _values(resamples))


def paired_difference(
    a_hypotheses: list[str],
    b_hypotheses: list[str],
    references: list[str],
    patients: list,
    train_references: list[str],
    n_bootstrap: int = 1000,
    seed: int = 0,
) -> dict[str, Metric]:
    """By how much system a scores higher than system b on the same records; intervals as in `score`.

    Both systems are scored on the same resamples (the paired bootstrap of Koehn, EMNLP 2004): an interval above 0
    says that a is better by more than the choice of test patients explains.
    """
    statistics = _statistics([a_hypotheses, b_hypotheses], references, patients, train_references)
    resamples = _resampled_sums(statistics, patients, n_bootstrap, seed)
    whole = statistics.sum(axis=0, keepdims=True)
    a, b = slice(0, N_COLUMNS), slice(N_COLUMNS, 2 * N_COLUMNS)
    return _with_intervals(
        _values(whole[:, a]) - _values(whole[:, b]), _values(resamples[:, a]) - _values(resamples[:, b])
    )


def _statistics(systems: list[list[str]], references: list, patients: list, train_references: list) -> np.ndarray:
    """(records, N_COLUMNS for each system side by side)."""
    n = len(references)
    if n == 0 or any(len(column) != n for column in (*systems, patients)):
        lengths = ", ".join(str(len(hypotheses)) for hypotheses in systems)
        raise DataError(
            f"{lengths} hypotheses, {n} references and {len(patients)} patients: "
            "give one of each for each record, and at least one record"
        )
    if any(patient is None or patient != patient for patient in patients):
        raise DataError("a record has no patient: the intervals need to know which records belong together")
    references = _joined_tokens(references)
    if "" in references:
        raise DataError(f"reference {references.index('')} holds no word: leave that record out of the test set")
    documents = _joined_tokens(train_references)
    if not documents:
        raise DataError("no training reports: CIDEr-D takes its document frequencies from them")

    pairs = {}  # most reports recur: each pair of texts is scored once
    rows = [
        [pairs.setdefault(pair, len(pairs)) for pair in zip(_joined_tokens(hypotheses), references)]
        for hypotheses in systems
    ]
    unique = _pair_statistics(list(pairs), documents)
    return np.concatenate([unique[row] for row in rows], axis=1)


def _joined_tokens(texts: list[str]) -> list[str]:
    """Each text as its tokens with a space between, which is what the packages take."""
    tokenised = {text: " ".join(tokenise(text)) for text in set(texts)}
    return [tokenised[text] for text in texts]


def _pair_statistics(pairs: list[tuple[str, str]], documents: list[str]) -> np.ndarray:
    """(pairs, N_COLUMNS) of (hypothesis, reference) pairs of tokens joined by spaces."""
    from rouge_score.rouge_scorer import RougeScorer  # brings nltk and scipy.stats, two seconds
    from sacrebleu.metrics.bleu import BLEU

    from meit.benchmark.cider import TrainingCider, document_frequency

    # effective_order has no bearing on the counts read here; without it sacrebleu warns at every sentence
    bleu = BLEU(tokenize="none", smooth_method="none", effective_order=True)
    rouge = RougeScorer(list(ROUGE_KINDS.values()), tokenizer=_Spaces())
    frequency = document_frequency(documents)
    statistics = np.ones((len(pairs), N_COLUMNS))
    for row, (hypothesis, reference) in zip(statistics, pairs):
        overlap = bleu.sentence_score(hypothesis, [reference])
        row[CORRECT] = overlap.counts
        row[TOTAL] = overlap.totals
        row[LENGTHS] = overlap.sys_len, overlap.ref_len
        f1 = [of_kind.fmeasure for of_kind in rouge.score(reference, hypothesis).values()]
        row[MEANS] = *f1, *TrainingCider(hypothesis, reference, frequency, len(documents)).compute_cider()
    return statistics


class _Spaces:
    """rouge-score's tokeniser for text that is tokenised already."""

    def tokenize(self, text: str) -> list[str]:
        return text.split()


def _resampled_sums(statistics: np.ndarray, patients: list, n_bootstrap: int, seed: int) -> np.ndarray:
    """(n_bootstrap, columns): the sums over as many patients as there are, drawn with replacement."""
    index = {}
    patient_of = [index.setdefault(patient, len(index)) for patient in patients]
    of_patient = np.zeros((len(index), statistics.shape[1]))
    np.add.at(of_patient, patient_of, statistics)
    rng = np.random.default_rng(seed)
    n = len(index)
    # one resample at a time: the times that each patient is drawn would fill gigabytes for all resamples at once
    return np.stack([np.bincount(rng.integers(n, size=n), minlength=n) @ of_patient for _ in range(n_bootstrap)])


def _values(sums: np.ndarray) -> np.ndarray:
    """(corpora, N_COLUMNS) sums over each corpus -> (corpora, NAMES)."""
    from sacrebleu.metrics.bleu import BLEU

    bleu = [
        [
            BLEU.compute_bleu(corpus[CORRECT][:n], corpus[TOTAL][:n], *corpus[LENGTHS], max_ngram_order=n).score / 100
            for n in BLEU_ORDERS
        ]
        for corpus in sums[:, :MEANS.start].astype(int).tolist()  # counts, which sacrebleu wants whole
    ]
    return np.concatenate([np.array(bleu), sums[:, MEANS] / sums[:, [RECORDS]]], axis=1)


def _with_intervals(values: np.ndarray, resamples: np.ndarray) -> dict[str, Metric]:
    low, high = np.percentile(resamples, [2.5, 97.5], axis=0)
    return {
        name: Metric(value, (lo, hi))
        for name, value, lo, hi in zip(NAMES, values[0].tolist(), low.tolist(), high.tolist())
    }
