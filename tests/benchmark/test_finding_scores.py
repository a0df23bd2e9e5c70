"""Finding scores against counts made by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meit.benchmark.finding_scores import by_code, findings_difference, score_findings
from meit.errors import DataError
from meit.reports.gravity import BENIGN, CRITICAL, is_abnormal
from meit.reports.statements import codes, read_statements

REFERENCES = [
    "Sinus rhythm. Normal ECG.",
    "Atrial fibrillation. Left bundle branch block.",
    "Sinus rhythm. Acute inferior infarction.",
    "Paced rhythm.",
]
DRAFTS = [
    "Sinus rhythm. Normal ECG.",
    "Sinus rhythm. Left bundle branch block.",  # misses AFIB, invents SR
    "Sinus rhythm. Old inferior infarction. Prolonged QT interval.",  # the age is wrong, LNGQT is invented
    "",  # says nothing
]
PATIENTS = ["a", "b", "c", "d"]


def values(drafts=DRAFTS, references=REFERENCES, **kwargs):
    scores = score_findings(drafts, references, PATIENTS[: len(references)], n_bootstrap=20, **kwargs)
    return {name: metric.value for name, metric in scores.items()}


def test_counts_by_hand():
    # both: SR NORM | CLBBB | SR IMI = 5; draft only: SR, LNGQT; reference only: AFIB, PACE
    got = values()
    assert got["statement_precision"] == pytest.approx(5 / 7)
    assert got["statement_recall"] == pytest.approx(5 / 7)
    assert got["statement_f1"] == pytest.approx(5 / 7)
    # F1 of SR 2*2/(4+1), NORM 1, AFIB 0, CLBBB 1, IMI 1, PACE 0; LNGQT is in no reference
    assert got["statement_macro_f1"] == pytest.approx((0.8 + 1 + 0 + 1 + 1 + 0) / 6)
    assert got["hallucinated"] == pytest.approx(2 / 4) and got["omitted"] == pytest.approx(2 / 4)
    assert got["drafts_with_hallucination"] == pytest.approx(2 / 4)
    assert got["drafts_with_omission"] == pytest.approx(2 / 4)
    assert got["norm_f1"] == 1 and got["cd_f1"] == 1 and got["mi_f1"] == 1
    assert got["sttc_precision"] == 0 and "sttc_recall" not in got  # LNGQT invented, no reference with STTC
    assert "hyp_f1" not in got


def test_critical_findings_by_hand():
    got = values()
    assert got["missed_atrial_fibrillation"] == 1 and got["invented_atrial_fibrillation"] == 0
    assert got["missed_acute_infarction"] == 1  # it is called old
    assert got["missed_pacing"] == 1
    assert got["invented_long_qt"] == pytest.approx(1 / 4) and "missed_long_qt" not in got
    assert got["missed_critical"] == 1
    assert got["invented_critical"] == pytest.approx(1 / (4 * len(CRITICAL) - 3))


def test_abnormal_by_hand():
    # abnormal: all references but the first; drafts 2 and 3, not the empty one
    got = values()
    assert got["abnormal_sensitivity"] == pytest.approx(2 / 3) and got["abnormal_specificity"] == 1


@pytest.mark.parametrize(
    ("text", "abnormal"),
    [
        ("Sinus rhythm. Normal axis.", False),
        ("Sinus tachycardia. Otherwise normal ECG.", False),
        ("Sinus tachycardia.", True),
        ("Incomplete right bundle branch block. Otherwise normal ECG.", True),
        ("Atrial fibrillation. Otherwise normal ECG.", True),
        ("Sinus rhythm. Abnormal ECG.", True),
        ("Sinus rhythm. No ST elevation.", False),
        ("No evidence of infarction. Normal ECG.", False),
        ("", False),
    ],
)
def test_is_abnormal(text, abnormal):
    assert is_abnormal(read_statements(text)) is abnormal


def test_excluded_findings_are_not_asserted():
    got = values(["No atrial fibrillation. Sinus rhythm."], ["Sinus rhythm."])
    assert got["statement_f1"] == 1 and got["invented_atrial_fibrillation"] == 0


def test_differences_are_paired():
    """5 of 7 against 7 of 7; a system against itself differs by nothing in any resample."""
    found = findings_difference(DRAFTS, REFERENCES, REFERENCES, PATIENTS, n_bootstrap=20)
    assert found["statement_f1"].value == pytest.approx(5 / 7 - 1)
    assert found["hallucinated"].value == pytest.approx(2 / 4) and found["omitted"].value == pytest.approx(2 / 4)
    same = findings_difference(DRAFTS, DRAFTS, REFERENCES, PATIENTS, n_bootstrap=20)
    assert all(metric.value == 0 and metric.ci95 == (0, 0) for metric in same.values())


def test_by_code():
    scores = by_code(DRAFTS, REFERENCES, PATIENTS, n_bootstrap=20)
    assert next(iter(scores)) == "SR"
    assert (scores["SR"].n, scores["SR"].drafts) == (2, 3)
    assert scores["SR"].precision == pytest.approx(2 / 3) and scores["SR"].recall == 1
    assert scores["AFIB"].precision is None and scores["AFIB"].f1.value == 0
    assert scores["LNGQT"].n == 0 and scores["LNGQT"].recall is None


def test_a_draft_like_its_reference_is_perfect():
    got = values(REFERENCES)
    assert got["statement_f1"] == got["statement_macro_f1"] == got["abnormal_sensitivity"] == 1
    assert got["hallucinated"] == got["omitted"] == got["missed_critical"] == got["invented_critical"] == 0


def test_intervals_are_over_patients():
    rng = np.random.default_rng(0)
    drafts = ["Sinus rhythm." if good else "Sinus tachycardia." for good in rng.random(60) < 0.7]
    references = ["Sinus rhythm."] * 60
    apart = score_findings(drafts, references, list(range(60)))["statement_f1"]
    together = score_findings(drafts, references, ["one"] * 60)["statement_f1"]
    low, high = apart.ci95
    assert low < apart.value < high
    assert together.ci95 == pytest.approx((together.value, together.value))
    # the binomial's 95% interval of 60 records is about +-0.12 wide
    assert 0.12 < high - low < 0.36
    again = score_findings(drafts, references, list(range(60)))["statement_f1"]
    assert again == apart


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(DRAFTS), st.sampled_from(REFERENCES)), min_size=1, max_size=8))
def test_swapping_drafts_and_references_swaps_precision_and_recall(pairs):
    drafts, references = map(list, zip(*pairs, strict=True))
    patients = list(range(len(pairs)))
    there = score_findings(drafts, references, patients, n_bootstrap=2)
    back = score_findings(references, drafts, patients, n_bootstrap=2)
    assert there.get("statement_precision", None) is None or (
        there["statement_precision"].value == pytest.approx(back["statement_recall"].value)
    )
    assert there["hallucinated"].value == pytest.approx(back["omitted"].value)


def test_named_errors():
    with pytest.raises(DataError, match="1 drafts and 2 references"):
        score_findings(["a"], ["a", "b"], [1, 2])
    with pytest.raises(DataError, match="no patient"):
        score_findings(["a"], ["a"], [None])
    with pytest.raises(DataError, match="1 patients for 2 records"):
        score_findings(["a", "b"], ["a", "b"], [1])


def test_benign_and_critical_codes_exist():
    assert codes().keys() >= BENIGN
