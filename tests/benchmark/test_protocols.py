"""The protocol of the published code, against the packages called batch by batch, and against values by hand."""

import math
import re

import numpy as np
import pytest
from report_texts import blurred, random_reports, score

from meit.benchmark.texts.protocols import METRIC_NAMES, Published

BATCHES = [slice(0, 32), slice(32, 64), slice(64, 70)]
REFERENCES = random_reports(70, seed=1)
HYPOTHESES = ["", ".", *blurred(REFERENCES[2:-2], seed=2), *[REFERENCES[0]] * 2]
PATIENTS = [i // 3 for i in range(70)]


def published(hypotheses, references, n_bootstrap=2, **options):
    return score(
        hypotheses, references, list(range(len(references))), [], n_bootstrap=n_bootstrap, protocol="meit", **options
    )


@pytest.fixture(scope="module")
def scores():
    return published(HYPOTHESES, REFERENCES)


def spaced(texts):
    return {number: [re.sub(" +", " ", text.replace(".", " ."))] for number, text in enumerate(texts)}


def of_batches(metric):
    """The mean over batches of what a package's scorer says."""
    return np.mean([metric(spaced(REFERENCES[batch]), spaced(HYPOTHESES[batch])) for batch in BATCHES], axis=0)


def test_bleu_and_rouge_l_are_the_packages_of_each_batch(scores):
    from pycocoevalcap.bleu.bleu import Bleu
    from pycocoevalcap.rouge.rouge import Rouge

    bleu = of_batches(lambda references, hypotheses: Bleu(4).compute_score(references, hypotheses, verbose=0)[0])
    assert [scores[f"bleu_{n}"].value for n in (1, 2, 3, 4)] == pytest.approx(bleu, abs=1e-12)
    rouge = of_batches(lambda references, hypotheses: Rouge().compute_score(references, hypotheses)[0])
    assert scores["rouge_l"].value == pytest.approx(rouge, abs=1e-12)


def test_cider_is_the_packages_where_all_references_are_one_document(scores):
    from pycocoevalcap.cider.cider_scorer import CiderScorer

    one_document = CiderScorer(refs=[text for [text] in spaced(REFERENCES).values()])
    one_document.compute_doc_freq()
    assert set(one_document.document_frequency.values()) == {1}  # what the published code's counting comes to

    def of_batch(references, hypotheses):
        scorer = CiderScorer()
        for number, reference in references.items():
            scorer += (hypotheses[number][0], reference)
        scorer.document_frequency = one_document.document_frequency
        return np.mean(scorer.compute_cider())

    assert scores["cider_d"].value == pytest.approx(of_batches(of_batch), abs=1e-9)


def test_rouge_1_and_2_are_the_packages_of_each_batch(scores):
    from rouge import Rouge

    for name, kind in (("rouge_1", "rouge-1"), ("rouge_2", "rouge-2")):
        each = [
            Rouge().get_scores(*texts)[0][kind]["f"] for texts in list(zip(HYPOTHESES, REFERENCES, strict=True))[2:]
        ]
        each = np.array([0, 0, *each])  # the package raises at hypotheses without a word
        assert scores[name].value == pytest.approx(np.mean([each[batch].mean() for batch in BATCHES]), abs=1e-12)


def test_values_worked_out_by_hand():
    found = published(["a b c. c"], ["a b d. c e"])
    # hypothesis: a b c . c, 5 tokens; reference: a b d . c e, 6 tokens
    # shared: 4 of 5 tokens (a, b, ., one c of two), 2 of 4 pairs (a b; . c), 0 of 3 triples
    brevity = math.exp(1 - 6 / 5)
    assert found["bleu_1"].value == pytest.approx(brevity * 4 / 5)
    assert found["bleu_2"].value == pytest.approx(brevity * math.sqrt(4 / 5 * 2 / 4))
    assert found["bleu_3"].value == pytest.approx(0, abs=1e-4)
    # sets of words without full stops: a, b, c and a, b, d, c, e; pairs "a b", "b c", "c c" and "a b", "b d", "d c",
    # "c e"
    assert found["rouge_1"].value == pytest.approx(2 * 3 / (3 + 5), abs=1e-7)
    assert found["rouge_2"].value == pytest.approx(2 * 1 / (3 + 4), abs=1e-7)
    # longest common subsequence: a b . c
    precision, recall = 4 / 5, 4 / 6
    assert found["rouge_l"].value == pytest.approx((1 + 1.2**2) * precision * recall / (recall + 1.2**2 * precision))
    assert found["cider_d"].value == 0  # a batch of one record: log 1
    twice = published(["a b c. c"] * 2, ["a b d. c e"] * 2)
    # cosines of the counts, clipped: tokens a, b, ., 2 c and a, b, d, ., c, e; pairs; lengths 5 and 6
    cosines = 4 / math.sqrt(7 * 6) + 2 / math.sqrt(4 * 5)
    assert twice["cider_d"].value == pytest.approx(10 * cosines / 4 * math.exp(-1 / (2 * 6**2)))


def test_the_last_smaller_batch_counts_like_the_others():
    found = published(["a"] * 32 + ["b"], ["a"] * 33)
    assert found["rouge_l"].value == pytest.approx(1 / 2)  # corpus: 32 / 33


def test_the_tag_is_taken_out_of_both_texts(scores):
    tagged = [[f"<|assistant|>\n{text} " for text in texts] for texts in (HYPOTHESES, REFERENCES)]
    assert published(*tagged) == scores


def test_words_of_meteor():
    protocol = Published([])
    assert protocol.meteor_words("<|assistant|> Sinus rhythm. rate 1.5, st-t (v1-v3).") == (
        ["Sinus", "rhythm", ".", "rate", "1.5", ",", "st-t", "(", "v1-v3", ")", "."]
    )


def test_resamples_are_test_sets_of_whole_patients():
    protocol = Published([])
    statistics = protocol.statistics(list(zip(HYPOTHESES, REFERENCES, strict=True)))
    patients = np.array(PATIENTS)
    found = protocol.resampled(statistics, patients, 3, seed=5)
    rng = np.random.default_rng(5)
    for values in found:
        drawn = rng.integers(24, size=24)
        rows = np.concatenate([np.flatnonzero(patients == patient) for patient in drawn])
        assert values == pytest.approx(protocol.values(statistics[rows]))


def test_every_hypothesis_counts():
    alone = published(["", "a b c d e"], ["a b c d e"] * 2)
    for name in ("rouge_1", "rouge_2", "rouge_l"):
        assert alone[name].value == pytest.approx(1 / 2, abs=1e-7)
    assert alone["cider_d"].value == pytest.approx(10 / 2)
    nothing = published(["", ""], ["a b c d e"] * 2)
    assert all(nothing[name].value == pytest.approx(0, abs=1e-9) for name in METRIC_NAMES)
