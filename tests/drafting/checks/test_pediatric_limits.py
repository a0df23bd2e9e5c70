"""Below 16 years adults' limits decide nothing; the limits of the age do."""

import pytest

from meit.drafting.checks.grounding import CONTRADICTED, MEASURED, UNCHECKED, check_statements, ground, omissions
from meit.drafting.checks.grounding_rules import SexAge
from meit.drafting.checks.pediatric_limits import Limits, beside, limits_of
from meit.drafting.checks.urgent_findings import urgent_findings
from meit.ecg.measure.measurements import Measure, Measurements
from meit.ecg.stated import age_words
from meit.reports.statements import read_statements

DAY, MONTH = 1 / 365.25, 1 / 12
TEN_DAYS = 10 * DAY


def measured(leads=None, **values) -> Measurements:
    def row(found):
        return {name: Measure(float(value), 1.0) for name, value in found.items()}

    return Measurements(row(values), {lead: row(found) for lead, found in (leads or {}).items()})


def support(text, found, age, sex=None):
    return check_statements(read_statements(text), found, SexAge(sex, age))[-1].support


def named(found, age, sex=None):
    return {one.code for one in omissions([], found, SexAge(sex, age))}


def test_a_newborn_is_not_an_adult():
    """F08: 150/min and an axis of 127 degrees are what ten days have."""
    found = measured(heart_rate_bpm=150, axis_deg=127, p_present=1, p_axis_deg=55, qrs_ms=62, pr_ms=100)
    for text in ("Sinus tachycardia.", "Right axis deviation.", "Short PR interval.", "Abnormal ECG."):
        assert support(text, found, TEN_DAYS) != MEASURED, text
    assert support("Normal ECG.", found, TEN_DAYS) == UNCHECKED
    assert named(found, TEN_DAYS) == set() and urgent_findings(found, SexAge(None, TEN_DAYS)) == []
    (note,) = ground("Sinus rhythm.", found, None, TEN_DAYS).warnings
    assert note.startswith("age 10 days: held against the limits of that age")
    for age in (None, 16.0, 60.0):  # the age decides, and where it is not known, adults' limits
        assert support("Sinus tachycardia.", found, age) == support("Right axis deviation.", found, age) == MEASURED
        assert not any("age" in line for line in ground("Sinus rhythm.", found, None, age).warnings)


@pytest.mark.parametrize(
    ("age", "low", "high"),
    [
        (0.5 * DAY, 75, 245),
        (TEN_DAYS, 85, 245),
        (2 * MONTH, 95, 225),
        (4 * MONTH, 85, 215),
        (8 * MONTH, 85, 220),
        (1.5, 70, 200),
        (4, 58, 155),
        (6, 50, 150),
        (10, 42, 148),
        (15.9, 38, 135),
    ],
)
def test_rates_by_age(age, low, high):
    """Both are outside of the limits of the age; the middle between them is not."""
    slow, fast = measured(heart_rate_bpm=low, p_present=1), measured(heart_rate_bpm=high, p_present=1)
    usual = measured(heart_rate_bpm=(low + high) / 2, p_present=1)
    assert support("Sinus bradycardia.", slow, age) == support("Sinus tachycardia.", fast, age) == MEASURED
    assert named(slow, age) == {"BRADY"} and named(fast, age) >= {"TACHY"}
    assert support("Normal ECG.", slow, age) == support("Normal ECG.", fast, age) == CONTRADICTED
    assert named(usual, age) == set()
    assert support("Sinus bradycardia.", usual, age) == support("Sinus tachycardia.", usual, age) == CONTRADICTED


def test_intervals_axis_and_voltages():
    child = 4.0
    assert support("First degree AV block.", measured(pr_ms=170), child) == MEASURED  # no adult's block
    assert support("First degree AV block.", measured(pr_ms=130), child) == CONTRADICTED
    assert "1AVB" in named(measured(pr_ms=190), child) and "1AVB" not in named(measured(pr_ms=190), 40)
    assert support("Right bundle branch block.", measured({"V1": NET_UP}, qrs_ms=105), child) == MEASURED
    assert "IVCD" in named(measured(qrs_ms=115), child)
    assert support("Prolonged QT interval.", measured(qtc_bazett_ms=455, qtc_ms=430), child) == MEASURED
    assert support("Prolonged QT interval.", measured(qtc_bazett_ms=410, qtc_ms=390), child) == CONTRADICTED
    assert "LAD" in named(measured(axis_deg=-60), child) and "LAD" in named(measured(axis_deg=-60), TEN_DAYS)
    assert support("Left axis deviation.", measured(axis_deg=5), 2 * MONTH) == MEASURED
    assert support("Right axis deviation.", measured(axis_deg=130), child) == MEASURED
    tall = {"V1": {"r_mv": 2.4, "s_mv": -0.3}, "V6": {"r_mv": 1.0, "s_mv": -0.3}}
    assert support("Right ventricular hypertrophy.", measured(tall), child) == MEASURED
    assert support("Right ventricular hypertrophy.", measured(tall), 2 * DAY) == UNCHECKED
    left = {"V1": {"r_mv": 0.5, "s_mv": -2.6}, "V6": {"r_mv": 4.0, "s_mv": -0.1}}
    assert support("Left ventricular hypertrophy.", measured(left), child) == MEASURED
    assert named(measured(left), child) == {"VCLVH"}
    small = {"V1": {"r_mv": 0.3, "s_mv": -0.4}, "V6": {"r_mv": 0.9, "s_mv": -0.1}}
    assert support("Left ventricular hypertrophy.", measured(small), child) == CONTRADICTED


NET_UP = {"q_mv": 0.0, "r_mv": 0.9, "s_mv": -0.2}


def test_adults_limits_say_nothing_of_a_child():
    st = {lead: {"st_mv": 0.25, "st60_mv": 0.25, "t_mv": -0.4} for lead in ("II", "III", "aVF", "V4", "V5", "V6")}
    found = measured(st, sokolow_lyon_mv=5, cornell_mv=4, limb_qrs_mv=0.4, chest_qrs_mv=0.8, qtc_ms=455)
    assert named(found, 5.0) == set() and urgent_findings(found, SexAge(None, 5.0)) == []
    for text in ("Normal ECG.", "ST elevation in II, III, aVF.", "Low voltage."):
        assert support(text, found, 5.0) == UNCHECKED


def test_what_is_urgent_at_any_age():
    for age in (TEN_DAYS, 5.0, 15.0):
        patient = SexAge("F", age)
        for found, finding in (
            (measured(av_dissociation=1, atrial_rate_bpm=140, heart_rate_bpm=100), "AV dissociation"),
            (measured(longest_rr_ms=3300), "pause"),
            (measured(qtc_bazett_ms=510), "long_qt"),
            (measured(p_per_qrs=2, atrial_rate_bpm=140, heart_rate_bpm=100), "2:1 AV block"),
            (measured(spikes_without_capture=1, paced_beats=0.8), "pacing failure"),
        ):
            assert finding in {one.row.finding for one in urgent_findings(found, patient)}
    for age, rate, expected in (
        (TEN_DAYS, 60, "rate below 40"),
        (TEN_DAYS, 240, "rate above 220"),
        (TEN_DAYS, 200, None),
        (5.0, 190, "rate above 180"),
        (5.0, 160, None),
        (15.0, 42, None),
    ):
        found = {one.row.finding for one in urgent_findings(measured(heart_rate_bpm=rate), SexAge(None, age))}
        assert found == ({expected} if expected else set()), (age, rate)


def test_where_sources_differ_the_wider_limits_hold():
    assert limits_of("heart_rate_bpm", "M", TEN_DAYS) == Limits(107, 192)
    assert limits_of("heart_rate_bpm", None, TEN_DAYS) == Limits(107, 216)
    assert limits_of("qtc_bazett_ms", "F", 10.0) == Limits(365, 447)
    assert limits_of("heart_rate_bpm", None, None) is limits_of("heart_rate_bpm", None, 16.0) is None
    assert limits_of("p_ms", None, 4.0) is None
    for day in range(int(16 * 365.25)):
        for name in ("heart_rate_bpm", "pr_ms", "qrs_ms", "axis_deg", "qtc_bazett_ms", "r_mv@V1", "s_mv@V6"):
            limits = limits_of(name, "F" if day % 2 else None, (day + 0.5) * DAY)
            assert limits and limits.lower < limits.upper, (day, name)


def test_an_axis_beside_limits_beyond_180():
    newborn = Limits(59, 197)
    assert beside(-170, newborn) == 190 and beside(127, newborn) == 127
    assert support("Normal axis.", measured(axis_deg=-170), 0.5 * DAY) == MEASURED
    assert support("Normal axis.", measured(axis_deg=-60), 0.5 * DAY) == CONTRADICTED


@pytest.mark.parametrize(
    ("age", "words"),
    [
        (TEN_DAYS, "10 days"),
        (1 * DAY, "1 day"),
        (0.5, "6 months"),
        (1.5, "18 months"),
        (15.9, "15 years"),
        (60, "60 years"),
    ],
)
def test_ages_in_words(age, words):
    assert age_words(age) == words
