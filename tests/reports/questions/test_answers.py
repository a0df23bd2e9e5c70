"""An answer is what the report says, and no more."""

import csv
from pathlib import Path

import pytest

from meit.reports.questions import COMPARE, FINDING, KINDS, REPORT, answer_of, askable_findings, has_form
from meit.reports.statements import asserted, read_statements

REPORTS = [
    "Sinus rhythm. Normal ECG.",
    "Sinus bradycardia. Otherwise normal ECG.",
    "Sinus rhythm. Left axis deviation. Incomplete right bundle branch block.",
    "Atrial fibrillation with rapid ventricular response. No signs of ischemia.",
    "Sinus rhythm. Possible old inferior infarction. Low voltage in limb leads.",
    "Sinus rhythm. Abnormal QRS-T: anteroseptal infarction, probably old; inferior infarction, probably old.",
    "Ventricular pacing. Further interpretation is not possible.",
    "Sinus rhythm. Infarction? T wave inversion in V1-V3.",
    "Left axis.",
    "No clear words",
    "",
]
SENTENCES = Path(__file__).parents[1] / "statement_sentences.tsv"


def sentences() -> list[str]:
    with SENTENCES.open(encoding="utf-8") as lines:
        rows = csv.reader((line for line in lines if not line.startswith("#")), delimiter="\t", quoting=csv.QUOTE_NONE)
        return [row[0] for row in rows]


def stated(text: str) -> set[tuple[str, bool]]:
    return {(one.code, one.negated) for one in read_statements(text)}


@pytest.mark.parametrize(
    ("kind", "report", "answer"),
    [
        ("rhythm", REPORTS[1], "Sinus bradycardia."),
        ("rhythm", REPORTS[3], "Atrial fibrillation with rapid ventricular response."),
        ("rhythm", REPORTS[8], "The rhythm is not stated."),
        ("abnormal", REPORTS[0], "Nothing abnormal."),
        ("abnormal", REPORTS[1], "Sinus bradycardia."),
        ("abnormal", REPORTS[2], "Left axis deviation. Incomplete right bundle branch block."),
        ("abnormal", REPORTS[5], REPORTS[5].removeprefix("Sinus rhythm. ")),
        ("abnormal", REPORTS[8], "None is stated."),
        ("compare", REPORTS[0], "Normal ECG."),
        ("compare", REPORTS[4], "Differs from normal: Possible old inferior infarction. Low voltage in limb leads."),
        ("compare", REPORTS[8], "No difference is stated."),
    ],
)
def test_the_report_s_own_sentences(kind, report, answer):
    assert answer_of(kind, report) == answer


@pytest.mark.parametrize(
    ("name", "report", "answer"),
    [
        ("atrial fibrillation", REPORTS[3], "Yes: Atrial fibrillation with rapid ventricular response."),
        ("AFib", REPORTS[0], "No AFib."),
        ("a paced rhythm", REPORTS[0], "No paced rhythm."),
        ("ischemia", REPORTS[3], "No ischemia."),
        ("inferior infarction", REPORTS[4], "Possible: Possible old inferior infarction."),
        ("an infarction", REPORTS[7], "Possible: Infarction?"),
        ("right bundle branch block", REPORTS[2], "Yes: Incomplete right bundle branch block."),
        ("complete right bundle branch block", REPORTS[2], "No complete right bundle branch block."),
        ("a short QT interval", REPORTS[2], "No short QT interval."),  # in no row, but the statements know it
    ],
)
def test_yes_no_or_possible(name, report, answer):
    assert answer_of(FINDING, report, name) == answer


def test_what_names_no_finding_is_said():
    with pytest.raises(ValueError, match="'green hair' names no finding"):
        answer_of(FINDING, REPORTS[0], "green hair")


@pytest.mark.parametrize("report", REPORTS)
def test_the_full_report_is_the_report(report):
    assert answer_of(REPORT, report) == report


def test_no_answer_states_what_the_report_does_not():
    """Of the reports above, and of each of the sentences that the statements are tested with."""
    checked = 0
    for report in [*REPORTS, *sentences()]:
        said = stated(report)
        for kind in set(KINDS) - {REPORT, FINDING}:
            answer = answer_of(kind, report)
            assert stated(answer) - {("NORM", False)} <= said, (kind, report, answer)
            if ("NORM", False) in stated(answer):
                assert ("NORM", False) in said, (kind, report, answer)
            checked += answer != report
    assert checked > 100


def test_yes_and_no_agree_with_the_statements():
    """For every finding that can be asked for: what the answer asserts of it is what the report asserts."""
    for report in REPORTS:
        codes = asserted(read_statements(report))
        for finding in askable_findings():
            answer = answer_of(FINDING, report, finding.names[0])
            word = answer.split()[0]
            assert (word == "No") == (not finding.stated(codes)), (report, answer)
            of_it = [one for one in read_statements(answer) if one.code in finding.codes]
            assert of_it and all(one.negated == (word == "No") for one in of_it), (report, answer)
            assert {one.code for one in read_statements(answer) if not one.negated} <= codes, (report, answer)
            if word == "Yes":
                assert any(one.certainty == "definite" for one in of_it), (report, answer)


def test_a_comparison_is_never_taken_for_a_normal_ecg():
    for report in REPORTS:
        answer = answer_of(COMPARE, report)
        if answer.startswith("Differs"):
            assert "NORM" not in asserted(read_statements(answer.partition(":")[0] + ":")), answer


def test_answers_have_the_form_of_their_question_and_reports_have_not():
    for report in REPORTS:
        for kind in set(KINDS) - {REPORT, FINDING}:
            assert has_form(kind, answer_of(kind, report)), (kind, report)
        for finding in askable_findings():
            assert has_form(FINDING, answer_of(FINDING, report, finding.names[-1]), finding.names[-1]), report
    for kind in set(KINDS) - {REPORT}:
        assert not has_form(kind, "Sinus rhythm. Left axis deviation.", "left axis deviation"), kind
    assert not has_form("rhythm", "Sinus rhythm. Normal ECG.") and not has_form("abnormal", "Sinus rhythm.")
    assert not has_form(FINDING, "No ischemia.", "atrial fibrillation")
    assert not has_form(COMPARE, "Differs from normal: Sinus rhythm.")
    assert has_form(REPORT, REPORTS[0]) and not has_form(REPORT, "")
