"""Each metric against its reference package, against arithmetic done by hand, and the intervals' properties."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from report_texts import blurred, paired_difference, random_reports, score

from meit.benchmark.texts.cider import cider_d, document_weights
from meit.benchmark.texts.metrics import Evaluation
from meit.benchmark.texts.protocols import BLEU_ORDERS, METRIC_NAMES, rouge_l, tokenise
from meit.errors import DataError

HYPOTHESIS = "Sinus rhythm with normal axis."
REFERENCE = "Sinus rhythm with left axis deviation."
OTHER_REPORTS = ["sinus rhythm", "sinus bradycardia", "atrial fibrillation", "paced"]


def joined(texts):
    return [" ".join(tokenise(text)) for text in texts]


REFERENCES = random_reports(60, seed=1)
HYPOTHESES = ["", *blurred(REFERENCES[1:], seed=2)]
PATIENTS = [f"patient-{i // 3}" for i in range(60)]
TRAIN = random_reports(200, seed=3)


@pytest.fixture(scope="module")
def scores():
    return score(HYPOTHESES, REFERENCES, PATIENTS, TRAIN)


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("Sinus rhythm, normal ECG.", ["sinus", "rhythm", "normal", "ecg"]),
        ("T-wave in V1-V3 / V4; 2/3", ["t-wave", "in", "v1-v3", "v4", "2/3"]),
        ("axis -30, QRS 0.12 s.Paced", ["axis", "-30", "qrs", "0.12", "s", "paced"]),
        ("Präexzitation (Wenckebach's) --", ["präexzitation", "wenckebach's"]),
        ("... !", []),
    ],
)
def test_tokens(text, tokens):
    assert tokenise(text) == tokens


def test_bleu_is_sacrebleus_corpus_bleu(scores):
    from sacrebleu.metrics.bleu import BLEU

    for n in BLEU_ORDERS:
        bleu = BLEU(tokenize="none", smooth_method="none", max_ngram_order=n)
        expected = bleu.corpus_score(joined(HYPOTHESES), [joined(REFERENCES)]).score / 100
        assert scores[f"bleu_{n}"].value == pytest.approx(expected, abs=1e-12)


def test_bleu_is_that_of_the_coco_caption_evaluation(scores):
    from pycocoevalcap.bleu.bleu import Bleu

    expected, _ = Bleu(4).compute_score(
        {i: [text] for i, text in enumerate(joined(REFERENCES))},
        {i: [text] for i, text in enumerate(joined(HYPOTHESES))},
        verbose=0,
    )
    assert [scores[f"bleu_{n}"].value for n in BLEU_ORDERS] == pytest.approx(expected, abs=1e-6)


def test_rouge_is_the_mean_of_googles(scores):
    from rouge_score.rouge_scorer import RougeScorer

    # its own tokeniser splits at every character that is no letter or digit, so it is given none of those
    plain = [[text.replace("-", "") for text in joined(texts)] for texts in (HYPOTHESES, REFERENCES)]
    scorer = RougeScorer(["rouge1", "rouge2", "rougeL"])
    each = [scorer.score(reference, hypothesis) for hypothesis, reference in zip(*plain, strict=True)]
    for name, kind in (("rouge_1", "rouge1"), ("rouge_2", "rouge2"), ("rouge_l", "rougeL")):
        expected = np.mean([record[kind].fmeasure for record in each])
        assert scores[name].value == pytest.approx(expected, abs=1e-12)


def test_cider_is_the_packages_where_the_training_reports_are_the_references():
    from pycocoevalcap.cider.cider import Cider

    expected, _ = Cider().compute_score(
        {i: [text] for i, text in enumerate(joined(REFERENCES))},
        {i: [text] for i, text in enumerate(joined(HYPOTHESES))},
    )
    found = score(HYPOTHESES, REFERENCES, PATIENTS, REFERENCES, n_bootstrap=2)
    assert found["cider_d"].value == pytest.approx(expected, abs=1e-9)


WORDS = st.lists(st.sampled_from(["a", "b", "c", "d", "e"]), max_size=12).map(" ".join)


@given(WORDS, WORDS.filter(bool), st.lists(WORDS.filter(bool), min_size=1, max_size=6))
def test_cider_is_the_packages_of_any_texts(hypothesis, reference, documents):
    from pycocoevalcap.cider.cider_scorer import CiderScorer

    class Given(CiderScorer):
        """The package's arithmetic, with the logarithm of the number of documents that we choose."""

        ref_len = property(lambda self: np.log(len(documents)), lambda self, value: None)

    scorer = Given(hypothesis, [reference])
    for document in documents:
        documents_alone = CiderScorer(refs=[document])
        documents_alone.compute_doc_freq()
        for ngram in documents_alone.document_frequency:
            scorer.document_frequency[ngram] += 1
    found = cider_d(hypothesis, reference, *document_weights(documents, str))
    assert found == pytest.approx(scorer.compute_cider()[0], abs=1e-9)


@given(WORDS, WORDS)
def test_rouge_l_is_the_packages_of_any_texts(hypothesis, reference):
    from pycocoevalcap.rouge.rouge import Rouge
    from rouge_score.rouge_scorer import RougeScorer

    google = RougeScorer(["rougeL"]).score(reference, hypothesis)["rougeL"].fmeasure
    assert rouge_l(hypothesis.split(), reference.split()) == pytest.approx(google, abs=1e-12)
    coco = Rouge().calc_score([hypothesis], [reference])
    assert rouge_l(hypothesis.split(" "), reference.split(" "), beta=1.2) == pytest.approx(coco, abs=1e-12)


def test_values_worked_out_by_hand():
    found = score([HYPOTHESIS], [REFERENCE], ["p"], OTHER_REPORTS, n_bootstrap=2)
    # hypothesis: sinus rhythm with normal axis           5 tokens
    # reference:  sinus rhythm with left axis deviation   6 tokens
    # shared: 4 of 5 words (sinus, rhythm, with, axis), 2 of 4 pairs, 1 of 3 triples, 0 of 2 quadruples
    brevity = math.exp(1 - 6 / 5)
    assert found["bleu_1"].value == pytest.approx(brevity * 4 / 5)
    assert found["bleu_2"].value == pytest.approx(brevity * (4 / 5 * 2 / 4) ** (1 / 2))
    assert found["bleu_3"].value == pytest.approx(brevity * (4 / 5 * 2 / 4 * 1 / 3) ** (1 / 3))
    assert found["bleu_4"].value == 0
    # F1 = 2 * shared / (size of hypothesis + size of reference)
    assert found["rouge_1"].value == pytest.approx(2 * 4 / (5 + 6))
    assert found["rouge_2"].value == pytest.approx(2 * 2 / (4 + 5))
    assert found["rouge_l"].value == pytest.approx(2 * 4 / (5 + 6))  # sinus rhythm with ... axis
    # Of 4 training reports 2 hold "sinus", 1 "rhythm", 1 "sinus rhythm", none any other n-gram here (counted as 1).
    # Weights log 4 - log 2 = log 2 for "sinus" and log 4 - log 1 = 2 log 2 for all else: 1 and 2 in units of log 2.
    # words:   shared 1 + 4 + 4 + 4, norms squared 1 + 4 * 4 and 1 + 5 * 4
    # pairs:   2 of 4 and 5, of one weight;  triples: 1 of 3 and 4;  quadruples: none shared
    # lengths: counted in pairs, 4 and 5, sigma 6
    cosines = 13 / math.sqrt(17 * 21) + 2 / math.sqrt(4 * 5) + 1 / math.sqrt(3 * 4) + 0
    assert found["cider_d"].value == pytest.approx(10 * cosines / 4 * math.exp(-(1**2) / (2 * 6**2)))


def test_bleu_is_of_the_corpus_not_a_mean_over_records():
    found = score(["a b", "c"], ["a b", "d"], [1, 2], ["x"], n_bootstrap=2)
    assert found["bleu_1"].value == pytest.approx(2 / 3)  # 2 of 3 words; the mean over records would be 1 / 2


def test_identical_texts_have_the_highest_scores():
    found = score(REFERENCES, REFERENCES, PATIENTS, TRAIN)
    for name in METRIC_NAMES:
        highest = 10 if name == "cider_d" else 1
        assert found[name].value == pytest.approx(highest)
        assert found[name].ci95 == pytest.approx((highest, highest))


def test_an_empty_hypothesis_counts():
    both = score([REFERENCE, ""], [REFERENCE, REFERENCE], [1, 2], OTHER_REPORTS, n_bootstrap=2)
    for name in ("rouge_1", "rouge_2", "rouge_l"):
        assert both[name].value == pytest.approx(1 / 2)
    assert both["cider_d"].value == pytest.approx(10 / 2)
    # every n-gram given is right, but only 6 of 12 words are given
    assert both["bleu_4"].value == pytest.approx(math.exp(1 - 12 / 6))
    alone = score([""], [REFERENCE], [1], OTHER_REPORTS, n_bootstrap=2)
    assert all(metric.value == 0 for metric in alone.values())


def test_a_repeated_hypothesis_counts_each_time():
    found = score([HYPOTHESIS] * 3, [REFERENCE, REFERENCE, HYPOTHESIS], [1, 2, 3], OTHER_REPORTS, n_bootstrap=2)
    assert found["rouge_1"].value == pytest.approx((8 / 11 + 8 / 11 + 1) / 3)


def test_intervals_hold_the_value_and_follow_the_seed(scores):
    for metric in scores.values():
        assert metric.ci95[0] < metric.value < metric.ci95[1]
    assert score(HYPOTHESES, REFERENCES, PATIENTS, TRAIN) == scores
    assert score(HYPOTHESES, REFERENCES, PATIENTS, TRAIN, seed=1)["bleu_4"].ci95 != scores["bleu_4"].ci95


def test_more_records_of_the_same_patients_say_nothing_new(scores):
    # each record twice: as if there were 120 records, though no more is known; the intervals may not shrink
    twice = score(HYPOTHESES * 2, REFERENCES * 2, PATIENTS * 2, TRAIN)
    alone = score(HYPOTHESES * 2, REFERENCES * 2, list(range(120)), TRAIN)
    for name in METRIC_NAMES:
        assert twice[name].value == pytest.approx(scores[name].value)
        assert twice[name].ci95 == pytest.approx(scores[name].ci95)
        assert np.diff(alone[name].ci95) < np.diff(scores[name].ci95)  # what ignoring the patients would claim


def test_interval_of_a_mean_is_that_of_the_normal_approximation():
    # rouge_1 of n records that are right or wrong is a share: its standard error is sqrt(p * (1 - p) / n)
    n, right = 400, 100
    found = score(["a"] * right + ["b"] * (n - right), ["a"] * n, list(range(n)), ["x"], n_bootstrap=4000)["rouge_1"]
    half_width = 1.96 * math.sqrt(0.25 * 0.75 / n)
    assert found.ci95 == pytest.approx((0.25 - half_width, 0.25 + half_width), abs=0.004)


def test_paired_difference(scores):
    worse = blurred(HYPOTHESES, seed=4)
    difference = paired_difference(HYPOTHESES, worse, REFERENCES, PATIENTS, TRAIN)
    scores_of_worse = score(worse, REFERENCES, PATIENTS, TRAIN)
    for name in METRIC_NAMES:
        assert difference[name].value == pytest.approx(scores[name].value - scores_of_worse[name].value)
        assert difference[name].ci95[0] > 0
    for metric in paired_difference(worse, worse, REFERENCES, PATIENTS, TRAIN).values():
        assert (metric.value, *metric.ci95) == pytest.approx((0, 0, 0), abs=1e-12)


def test_paired_difference_is_free_of_the_spread_that_both_systems_share():
    # of six words a system gets 1 to 5 right, and the other always one less: rouge_1 differs by 1/6 in each record
    words = ["a", "b", "c", "d", "e", "f"]
    right = [1 + i % 5 for i in range(60)]
    better, worse = (
        [" ".join(word if at < n - fewer else "x" for at, word in enumerate(words)) for n in right] for fewer in (0, 1)
    )
    references, patients = ["a b c d e f"] * 60, list(range(60))
    gap = paired_difference(better, worse, references, patients, ["z"])["rouge_1"]
    assert (gap.value, *gap.ci95) == pytest.approx((1 / 6, 1 / 6, 1 / 6))
    alone = score(better, references, patients, ["z"])["rouge_1"]
    assert alone.ci95[1] - alone.ci95[0] > 0.1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((["a"], ["a", "b"], [1, 2], ["a"]), "1 hypotheses for 2 references"),
        ((["a"], ["a"], [1, 2], ["a"]), "1 references and 2 patients"),
        (([], [], [], ["a"]), "at least one record"),
        ((["a"], ["..."], [1], ["a"]), "reference 0 holds no word"),
        ((["a"], ["a"], [None], ["a"]), "no patient"),
        ((["a"], ["a"], [math.nan], ["a"]), "no patient"),
        ((["a"], ["a"], [1], []), "no training reports"),
        ((["a"], ["a"], [1], ["a"], "best"), "no protocol 'best': choose corpus or meit"),
    ],
)
def test_what_cannot_be_scored(arguments, message):
    with pytest.raises(DataError, match=message):
        score(*arguments)


def test_one_evaluation_scores_many_systems_and_each_pair_of_texts_once(scores):
    class Lengths:
        """A further metric, which counts the pairs that it is given."""

        names, about, pairs = ("words",), {"words": "of the hypothesis"}, []

        def score(self, pairs, protocol):
            self.pairs += pairs
            return np.array([[len(hypothesis.split())] for hypothesis, _ in pairs])

    lengths = Lengths()
    evaluation = Evaluation(REFERENCES, PATIENTS, TRAIN, further=[lengths])
    found = evaluation.score(HYPOTHESES)
    for name in METRIC_NAMES:
        assert (found[name].value, *found[name].ci95) == pytest.approx((scores[name].value, *scores[name].ci95))
    assert found["words"].value == pytest.approx(np.mean([len(text.split()) for text in HYPOTHESES]))
    half = HYPOTHESES[:30] + REFERENCES[30:]
    gap = evaluation.difference(HYPOTHESES, half)
    assert gap["bleu_2"].value == pytest.approx(
        scores["bleu_2"].value - score(half, REFERENCES, PATIENTS, TRAIN)["bleu_2"].value
    )
    assert sorted(lengths.pairs) == sorted(
        {*zip(HYPOTHESES, REFERENCES, strict=True), *zip(half, REFERENCES, strict=True)}
    )
    assert evaluation.about["words"] == "of the hypothesis"
    assert evaluation.about["cider_d_document_frequency"] == "200 training reports"
