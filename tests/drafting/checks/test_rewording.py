"""Statements leave a text, and hedges enter it, without touching what else it says."""

import pytest

from meit.drafting.checks.rewording import hedged, without
from meit.reports.statements import read_statements


def cut(text, *unwanted):
    statements = read_statements(text)
    report, left = without(text, statements, [one.code in unwanted for one in statements])
    assert [one.code for one in read_statements(report)] == [statements[index].code for index in left]
    return report


@pytest.mark.parametrize(
    ("text", "codes", "rest"),
    [
        ("Sinus rhythm. Left axis deviation. Normal ECG.", "NORM", "Sinus rhythm. Left axis deviation."),
        ("Sinus rhythm. Normal ECG.", "SR NORM", ""),
        (
            "Sinus bradycardia with first-degree AV block, left axis deviation.",
            "SBRAD",
            "First-degree AV block, left axis deviation.",
        ),
        (
            "Sinus bradycardia with first-degree AV block, left axis deviation.",
            "1AVB",
            "Sinus bradycardia, left axis deviation.",
        ),
        (
            "Sinus rhythm with ST depression in V5 and V6 and left axis deviation.",
            "STD_",
            "Sinus rhythm and left axis deviation.",
        ),
        (
            "Abnormal QRS-T: possible anterolateral infarction; inferior infarction, probably old.",
            "IMI",
            "Abnormal QRS-T: possible anterolateral infarction.",
        ),
        (
            "ST-T abnormality, probably inferolateral ischemia or left ventricular strain.",
            "ISCIL",
            "ST-T abnormality. Probable left ventricular strain.",
        ),
        ("ST depressions and T wave inversions in V4-V6.", "STD_", "T wave inversion in V4-V6."),
        ("Ventricular bigeminy.", "PVC", "Bigeminy."),
        ("Paced rhythm", "PACE", ""),
    ],
)
def test_what_is_left(text, codes, rest):
    assert cut(text, *codes.split()) == rest


def test_nothing_unwanted_changes_nothing():
    text = "sinus rhythm , odd words;  left axis.\n\nNormal ECG"
    assert cut(text) == text


@pytest.mark.parametrize(
    ("text", "confidence", "expected"),
    [
        ("Left axis deviation.", 0.8, "Left axis deviation."),
        ("Left axis deviation.", 0.6, "Probable left axis deviation."),
        ("Left axis deviation.", 0.4, "Possible left axis deviation."),
        ("Left axis deviation.", None, "Left axis deviation."),
        ("Possible left axis deviation.", 0.1, "Possible left axis deviation."),
        ("Normal ECG.", 0.6, "Probably normal ECG."),
        ("ST depression in V5.", 0.4, "Possible ST depression in V5."),
        ("Wolff-Parkinson-White syndrome.", 0.4, "Possible Wolff-Parkinson-White syndrome."),
        ("Inferior infarction, age undetermined.", 0.4, "Possible inferior infarction, age undetermined."),
        ("The QT interval is prolonged.", 0.1, "The QT interval is prolonged."),
    ],
)
def test_hedges(text, confidence, expected):
    assert hedged(text, [confidence]) == expected


def test_a_hedge_reaches_its_own_statement_alone():
    text = "Sinus rhythm with first-degree AV block, left axis deviation."
    assert hedged(text, [0.9, 0.4, 0.9]) == "Sinus rhythm with possible first-degree AV block, left axis deviation."
    assert hedged("Atrial fibrillation with rapid ventricular response.", [0.9, 0.1]) == (
        "Atrial fibrillation with rapid ventricular response."
    )
    assert hedged("Ventricular bigeminy.", [0.9, 0.1]) == "Ventricular bigeminy."
