"""Random reports for the tests of the metrics, and their scores in one call."""

import numpy as np

from meit.benchmark.texts.metrics import Evaluation

FINDINGS = [
    "sinus rhythm",
    "left axis deviation",
    "right bundle branch block",
    "t wave inversion in v1-v3",
    "atrial fibrillation",
    "old inferior infarct",
    "low voltage in limb leads",
    "normal ecg",
    "prolonged qt interval",
    "premature atrial complexes.",
]


def random_reports(n, seed):
    rng = np.random.default_rng(seed)
    return [". ".join(rng.choice(FINDINGS, size=rng.integers(2, 6), replace=False)) + "." for _ in range(n)]


def blurred(reports, seed, share=0.3):
    """The reports with a share of their words changed."""
    rng = np.random.default_rng(seed)
    words = " ".join(FINDINGS).split()
    return [" ".join(rng.choice(words) if rng.random() < share else w for w in text.split()) for text in reports]


def score(hypotheses, references, patients, train_references, *more, **options):
    """The metrics of a single system."""
    return Evaluation(references, patients, train_references, *more, **options).score(hypotheses)


def paired_difference(hypotheses, others, references, patients, train_references, **options):
    """By how much the one system scores higher than the other."""
    return Evaluation(references, patients, train_references, **options).difference(hypotheses, others)
