"""Statements against measurements: the issue's examples by hand, and what must hold for any report and measurement."""

from hypothesis import given, settings
from hypothesis import strategies as st
from report_texts import FINDINGS

from meit.drafting.checks.accounting import may_age, wall_of
from meit.drafting.checks.grounding import (
    CONTRADICTED,
    MEASURED,
    SUPPORTS,
    UNCHECKED,
    check_statements,
    ground,
    omissions,
)
from meit.drafting.checks.grounding_rules import SexAge
from meit.ecg.measure.measurements import BY_LEAD, GLOBAL, Measure, Measurements
from meit.ecg.recording import LEADS
from meit.reports.statements import Statement, codes, read_statements


def measured(leads=None, reliability=1.0, **values) -> Measurements:
    whole = {name: Measure(float(value), reliability) for name, value in values.items()}
    of_leads = {
        lead: {name: Measure(float(value), reliability) for name, value in found.items()}
        for lead, found in (leads or {}).items()
    }
    return Measurements(whole, of_leads)


def support(text, found, sex=None, age=None):
    """Of the last statement of a text, with its evidence."""
    one = check_statements(read_statements(text), found, SexAge(sex, age))[-1]
    return one.support, one.evidence


def test_the_issues_examples():
    assert support("Sinus bradycardia.", measured(heart_rate_bpm=48, p_present=1)) == (
        MEASURED,
        "rate 48/min, P waves before the QRS complexes: sinus bradycardia",
    )
    wide = measured({"V1": {"q_mv": 0, "r_mv": 0.9, "s_mv": -0.2}}, qrs_ms=148)
    assert support("Sinus rhythm. Normal ECG.", wide) == (
        CONTRADICTED,
        "'Normal ECG' but QRS 148 ms, net QRS +0.70 mV in V1",
    )
    long = measured(qtc_ms=512, qtc_bazett_ms=530, qrs_ms=90)
    assert ground("Sinus rhythm.", long).warnings == ("not mentioned: QTc 512 ms (long QT interval)",)
    assert ground("Sinus rhythm. Prolonged QT interval.", long).warnings == ()


def test_between_the_thresholds_nothing_is_said():
    for rate, expected in ((59, MEASURED), (62, UNCHECKED), (66, CONTRADICTED)):
        assert support("Sinus bradycardia.", measured(heart_rate_bpm=rate, p_present=1))[0] == expected
    for ms, expected in ((205, MEASURED), (192, UNCHECKED), (170, CONTRADICTED)):
        assert support("First degree AV block.", measured(pr_ms=ms))[0] == expected


def test_what_is_absent_or_unreliable_is_unchecked():
    for found in (Measurements(), measured(heart_rate_bpm=48, reliability=0.2)):
        assert support("Sinus bradycardia.", found) == (UNCHECKED, "")
        assert support("Normal ECG.", found) == (UNCHECKED, "")


def test_atrial_fibrillation_is_irregular_and_without_p():
    fibrillating = measured(p_present=0, rr_irregularity=0.2)
    assert support("Atrial fibrillation.", fibrillating)[0] == MEASURED
    assert support("Sinus rhythm.", fibrillating) == (
        CONTRADICTED,
        "'Sinus rhythm' but no P waves, RR irregular by 20%",
    )
    regular = measured(p_present=1, rr_irregularity=0.02, p_axis_deg=50)
    assert support("Atrial fibrillation.", regular)[0] == CONTRADICTED
    assert support("Sinus rhythm.", regular)[0] == MEASURED
    assert support("Atrial fibrillation.", measured(p_present=0, rr_irregularity=0.02))[0] == UNCHECKED
    assert [one.code for one in omissions([], fibrillating)] == ["AFIB"]


def test_long_qt_is_by_sex():
    found = measured(qtc_ms=455, qtc_bazett_ms=455)
    assert [support("Long QT interval.", found, sex)[0] for sex in ("M", "F", None)] == [MEASURED, UNCHECKED, UNCHECKED]


def test_voltage_is_by_sex():
    found = measured(sokolow_lyon_mv=2.0, cornell_mv=2.4)
    for text in ("Left ventricular hypertrophy.", "Voltage criteria for left ventricular hypertrophy."):
        assert [support(text, found, sex)[0] for sex in ("F", "M")] == [MEASURED, UNCHECKED]
    small = measured(sokolow_lyon_mv=1.2, cornell_mv=0.8)
    assert support("Left ventricular hypertrophy.", small, "M") == (
        CONTRADICTED,
        "'Left ventricular hypertrophy' but SV1 + RV5/V6 1.20 mV, RaVL + SV3 0.80 mV",
    )


def test_q_waves_and_st_are_looked_for_where_the_infarction_is():
    q = {"q_ms": 42, "q_mv": -0.3, "r_mv": 0.5, "s_mv": 0, "st_mv": 0}
    none = {"q_ms": 0, "q_mv": 0, "r_mv": 0.5, "s_mv": -0.2, "st_mv": 0}
    inferior = measured({"II": none, "III": q, "aVF": q, "V2": none, "V3": none})
    assert support("Inferior infarction.", inferior) == (
        MEASURED,
        "Q 42, 42 ms, -0.30, -0.30 mV, ST +0.00, +0.00 mV in III, aVF: inferior infarction",
    )
    assert support("Anterior infarction.", inferior)[0] == CONTRADICTED
    assert support("Infarction.", inferior)[0] == MEASURED  # of whatever wall
    assert support("Infarction.", measured({"II": none, "III": none, "aVF": none}))[0] == UNCHECKED
    assert support("Acute inferior infarction.", inferior)[0] == UNCHECKED  # Q waves do not show that it is acute
    assert support("Q waves in III, aVF.", inferior)[0] == MEASURED
    assert support("Q waves in V2, V3.", inferior)[0] == CONTRADICTED
    one_lead = measured({"II": none, "III": q, "aVF": none})
    assert support("Inferior infarction.", one_lead)[0] == UNCHECKED


def test_st_shift_in_the_stated_leads():
    found = measured({lead: {"st_mv": 0.15, "st60_mv": 0.2} for lead in ("II", "III", "aVF")})
    assert support("ST elevation in II, III, aVF.", found)[0] == MEASURED
    assert support("ST depression in II, III, aVF.", found)[0] == CONTRADICTED
    assert support("No ST elevation in II, III, aVF.", found) == (
        CONTRADICTED,
        "'ST elevation' is excluded, but ST +0.15, +0.15, +0.15 mV in II, III, aVF",
    )
    assert support("ST elevation in V1.", found)[0] == UNCHECKED
    named = ground("Sinus rhythm.", found).warnings
    assert "not mentioned: ST +0.15, +0.15, +0.15 mV in II, III, aVF (ST elevation)" in named


def test_normal_is_contradicted_only_by_what_the_report_leaves_out():
    slow = measured(heart_rate_bpm=45)
    assert support("Normal ECG.", slow) == (CONTRADICTED, "'Normal ECG' but rate 45/min")
    assert support("Sinus bradycardia. Otherwise normal ECG.", slow)[0] == UNCHECKED
    assert support("Abnormal ECG.", slow) == (MEASURED, "rate 45/min: abnormal ECG")


def test_low_voltage_pauses_pacing_premature_beats():
    low = measured(limb_qrs_mv=0.4, chest_qrs_mv=0.8)
    assert support("Low voltage in limb leads.", low)[0] == MEASURED
    found = measured(longest_rr_ms=3200, paced_beats=0.9, premature_ventricular=2)
    assert [one.words for one in omissions([], found)] == [
        "premature wide beats: 2",
        "longest RR interval 3200 ms",
        "pacing spikes before 90% of the beats",
    ]
    assert omissions(read_statements("Paced rhythm. Sinus pause. PVCs."), found) == []


def test_strict_removes_and_says_so():
    found = measured(heart_rate_bpm=80, pr_ms=240)
    text = "Sinus bradycardia. Left axis deviation. Normal ECG."
    lenient, strict = ground(text, found), ground(text, found, strict=True)
    assert lenient.report == text and len(lenient.statements) == 3
    assert strict.report == "Left axis deviation."
    assert [one.statement.code for one in strict.statements] == ["LAD"]
    assert [one.statement.code for one in strict.removed] == ["SBRAD", "NORM"]
    assert strict.warnings == (
        "removed: 'Sinus bradycardia' but rate 80/min",
        "removed: 'Normal ECG' but PR 240 ms",
        "not mentioned: PR 240 ms (first-degree AV block)",
    )
    assert lenient.warnings[0] == "contradicted: 'Sinus bradycardia' but rate 80/min"


def test_low_confidence_is_hedged_unless_measured():
    found = measured(heart_rate_bpm=48, p_present=1)
    given = ground("Sinus bradycardia. Left axis deviation.", found, confidences=lambda found: [0.3, 0.3])
    assert given.report == "Sinus bradycardia. Possible left axis deviation."
    assert [one.statement.certainty for one in given.statements] == ["definite", "possible"]
    assert [one.confidence for one in given.statements] == [0.3, 0.3]


VALUES = st.one_of(
    st.none(), st.floats(-200, 600), st.floats(allow_nan=True, allow_infinity=True), st.sampled_from([0.0, 1.0, -0.2])
)
MEASURES = st.builds(Measure, VALUES, st.sampled_from([0.0, 0.4, 1.0]))
FOUND = st.builds(
    Measurements,
    st.dictionaries(st.sampled_from(sorted(GLOBAL)), MEASURES),
    st.dictionaries(st.sampled_from(LEADS), st.dictionaries(st.sampled_from(sorted(BY_LEAD)), MEASURES)),
)
MORE = (
    "possible lateral ischemia or left ventricular strain",
    "no st elevation",
    "ventricular bigeminy",
    "abnormal qrs-t: anteroseptal infarction, age undetermined; inferior infarction, probably old",
    "st depressions and t wave inversions",
    "atrial fibrillation with rapid ventricular response",
    "low, flat or slightly inverted t waves in v4-v6",
    "pacing",
)
TEXTS = st.one_of(
    st.lists(st.sampled_from((*FINDINGS, *MORE)), max_size=5).map(lambda parts: ". ".join(parts)),
    st.lists(st.sampled_from((*FINDINGS, *MORE)), max_size=5).map(lambda parts: ", ".join(parts) + "."),
    st.lists(st.sampled_from((*FINDINGS, *MORE)), max_size=4).map(" and ".join),
    st.text(max_size=60),
)


@settings(deadline=None, max_examples=100)
@given(TEXTS, FOUND, st.sampled_from(["F", "M", None, "X"]), st.sampled_from([None, 10.0, 70.0]), st.floats(0, 1))
def test_whatever_is_written_and_measured(text, found, sex, age, sure):
    statements = read_statements(text)
    lenient = ground(text, found, sex, age, lambda given: [sure] * len(given))
    assert [one.statement.code for one in lenient.statements] == [one.code for one in statements]
    for one in lenient.statements:
        assert one.support in SUPPORTS and bool(one.evidence) == (one.support != UNCHECKED)
    sure_of = {one.statement.code for one in lenient.statements if one.support != CONTRADICTED}
    sure_of -= {one.statement.code for one in lenient.statements if one.statement.certainty in ("possible", "excluded")}
    anywhere = {code for code in sure_of if not may_age(code) and not wall_of(Statement(code, "", 0, 0))}
    stated_places = {one.code for one in statements if one.territory}
    assert {one.code for one in lenient.omissions} <= codes().keys() - (anywhere - stated_places)
    strict = ground(text, found, sex, age, lambda given: [sure] * len(given), strict=True)
    kept = [one.statement.code for one in strict.statements]
    assert [one.code for one in read_statements(strict.report)] == kept
    assert not any(one.support == CONTRADICTED for one in strict.statements)
    left = iter(one.code for one in statements)
    assert all(code in left for code in kept)  # none is new, and the order is kept
    removed = sum(one.support == CONTRADICTED for one in lenient.statements)
    assert len(strict.removed) == removed
    told = [line for line in strict.warnings if line.startswith("removed")]
    assert bool(told) == bool(removed)
    for one in strict.statements:
        assert strict.report[one.statement.start : one.statement.end] == one.statement.text
