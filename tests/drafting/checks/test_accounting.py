"""An excuse has to hold: what accounts for a measurement, and what does not."""

import pytest

from meit.drafting.checks.grounding import CONTRADICTED, MEASURED, UNCHECKED, check_statements, ground, omissions
from meit.drafting.checks.grounding_rules import SexAge
from meit.ecg.measure.measurements import Measure, Measurements
from meit.reports.statements import read_statements


def measured(leads=None, reliability=1.0, **values) -> Measurements:
    def row(found):
        return {name: Measure(float(value), reliability) for name, value in found.items()}

    return Measurements(row(values), {lead: row(found) for lead, found in (leads or {}).items()})


def raised(*leads, mv=0.27, **more) -> Measurements:
    """ST elevation in these leads, none in the others; small voltages, a narrow QRS."""
    waves = {"q_mv": 0, "q_ms": 0, "r_mv": 0.7, "s_mv": -0.1, "t_mv": 0.3}
    every = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
    found = {lead: {**waves, "st_mv": mv if lead in leads else 0.0, "st60_mv": 0.0} for lead in every}
    usual = {"heart_rate_bpm": 72, "qrs_ms": 90, "p_present": 1, "sokolow_lyon_mv": 1.5, "cornell_mv": 0.8}
    return measured(found, **(usual | more))


INFERIOR = raised("II", "III", "aVF")
ANTERIOR = raised("V2", "V3", "V4", mv=0.35)


def named(text, found, sex="M", age=60.0):
    return {one.code for one in omissions(read_statements(text), found, SexAge(sex, age))}


def support(text, found, sex="M", age=60.0):
    return check_statements(read_statements(text), found, SexAge(sex, age))[-1].support


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Sinus rhythm.",
        "Possible old inferior myocardial infarction.",
        "Old inferior myocardial infarction.",
        "Inferior infarction, age undetermined.",
        "Inferior infarction, probably old.",
        "Possible acute inferior infarction.",
        "No acute myocardial infarction.",
        "No evidence of acute infarction or ischemia.",
        "Acute anterior myocardial infarction.",
        "Acute lateral infarction.",
        "Acute posterior infarction.",
        "ST elevation in V1-V3.",
        "Anterior ST elevation.",
        "No ST elevation.",
        "Possible ST elevation in II, III, aVF.",
        "Possible early repolarization.",
        "Pericarditis cannot be excluded.",
        "Left ventricular hypertrophy.",  # the voltages contradict it
        "Left bundle branch block.",  # the QRS contradicts it
        "Indication: acute inferior infarction.",
        "Abnormal ECG.",
        "Normal ECG.",
    ],
)
def test_what_does_not_account_for_st_elevation(text):
    assert "STE_" in named(text, INFERIOR)


@pytest.mark.parametrize(
    "text",
    [
        "ST elevation in II, III, aVF.",
        "ST elevation.",
        "Inferior ST elevation.",
        "Acute inferior myocardial infarction.",
        "Probable acute inferior infarction.",
        "Recent inferolateral infarction.",
        "Acute MI.",
        "Inferior injury.",
        "Old anterior infarction. Acute inferior infarction.",
        "Pericarditis.",
        "Early repolarization.",
    ],
)
def test_what_accounts_for_st_elevation(text):
    assert "STE_" not in named(text, INFERIOR)


def test_an_acute_infarction_is_not_an_old_one():
    assert support("Acute inferior infarction.", INFERIOR) == MEASURED
    assert support("Acute MI.", INFERIOR) == support("STEMI.", INFERIOR) == support("Acute MI.", ANTERIOR) == MEASURED
    for text in ("Possible old inferior myocardial infarction.", "Old infarction.", "Inferior infarction."):
        assert support(text, INFERIOR) == UNCHECKED
    for text in ("No acute myocardial infarction.", "No myocardial infarction.", "No acute inferior infarction."):
        assert support(text, INFERIOR) == CONTRADICTED
    assert support("No acute anterior infarction.", INFERIOR) != CONTRADICTED
    assert support("No old infarction.", INFERIOR) == UNCHECKED
    q = {"q_ms": 45, "q_mv": -0.3, "r_mv": 0.4, "s_mv": 0, "st_mv": 0}
    scar = measured({"II": q, "III": q, "aVF": q})
    assert support("Old inferior infarction.", scar) == support("Old infarction.", scar) == MEASURED
    assert support("Acute inferior infarction.", scar) == UNCHECKED
    assert support("No acute infarction.", scar) == UNCHECKED and support("No old infarction.", scar) == CONTRADICTED


def test_normal_is_refuted_by_what_no_statement_accounts_for():
    assert support("Possible old inferior infarction. Otherwise normal ECG.", INFERIOR) == CONTRADICTED
    assert support("Acute inferior infarction. Otherwise normal ECG.", INFERIOR) == UNCHECKED


def test_the_warning_tells_what_was_hedged():
    (warning,) = ground("Possible ST elevation in II, III, aVF.", INFERIOR, "M", 60.0).warnings
    assert warning.startswith("measured, though the text says possible: ST +0.27")


DEPRESSED = measured(
    {lead: {"st_mv": -0.15, "st60_mv": -0.15, "t_mv": 0.2} for lead in ("V4", "V5", "V6")},
    heart_rate_bpm=70,
    qrs_ms=90,
    sokolow_lyon_mv=1.5,
    cornell_mv=0.8,
)
INVERTED = measured({lead: {"t_mv": -0.4, "st_mv": 0, "st60_mv": 0} for lead in ("V4", "V5", "V6")}, qrs_ms=90)
SCAR = measured(
    {lead: {"q_ms": 50, "q_mv": -0.3, "r_mv": 0.4, "s_mv": 0, "st_mv": 0} for lead in ("II", "III", "aVF")}, qrs_ms=90
)
LONG = measured(qtc_ms=540, qtc_bazett_ms=560, qrs_ms=90)
FIBRILLATING = measured(p_present=0, rr_irregularity=0.25, heart_rate_bpm=80)


@pytest.mark.parametrize(
    ("found", "code", "holding", "failing"),
    [
        (
            DEPRESSED,
            "STD_",
            ["ST depression in V4-V6.", "Lateral ischemia.", "Nonspecific ST changes.", "Acute lateral infarction."],
            [
                "Possible lateral ischemia.",
                "Old lateral infarction.",
                "Inferior ischemia.",
                "ST depression in II, III, aVF.",
                "No ischemia.",
                "Left ventricular hypertrophy.",
                "Abnormal ECG.",
            ],
        ),
        (
            INVERTED,
            "INVT",
            ["T wave inversion in V4-V6.", "T wave abnormality.", "Lateral ischemia.", "Old anterolateral infarction."],
            [
                "T wave inversion in III.",
                "Possible T wave abnormality.",
                "Inferior infarction.",
                "No T wave inversion.",
            ],
        ),
        (
            SCAR,
            "IMI",
            ["Old inferior infarction.", "Q waves in II, III, aVF.", "Acute inferior infarction."],
            ["Possible inferior infarction.", "Anterior infarction.", "Q waves in V1-V3.", "No inferior infarction."],
        ),
        (
            LONG,
            "LNGQT",
            ["Prolonged QT interval."],
            ["Possible QT prolongation.", "No QT prolongation.", "Left bundle branch block."],
        ),
        (measured(heart_rate_bpm=45), "BRADY", ["Bradycardia.", "Second degree AV block."], ["Possible bradycardia."]),
        (
            measured(heart_rate_bpm=130, p_present=1, rr_irregularity=0.01),
            "TACHY",
            ["Sinus tachycardia."],
            ["Atrial fibrillation.", "No tachycardia.", "Possible sinus tachycardia."],
        ),
        (measured(paced_beats=1), "PACE", ["Paced rhythm."], ["Possible pacing.", "Sinus rhythm."]),
        (
            FIBRILLATING,
            "AFIB",
            ["Atrial fibrillation.", "Probable atrial fibrillation."],
            ["Possible atrial fibrillation.", "No atrial fibrillation.", "Sinus rhythm."],
        ),
    ],
)
def test_the_same_of_other_measurements(found, code, holding, failing):
    assert code in named("", found)
    assert [text for text in holding if code in named(text, found)] == []
    assert [text for text in failing if code not in named(text, found)] == []
