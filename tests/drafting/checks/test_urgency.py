"""How urgently a draft is to be read, and what of a text may be coded."""

from dataclasses import replace

import pytest

from meit.drafting.checks.grounding import ground
from meit.drafting.checks.text_check import hold_against, read_whole
from meit.drafting.checks.urgency import Urgency, urgency_of
from meit.drafting.draft_types import Draft, ModelInfo, RecordingInfo
from meit.ecg.measure.measurements import Measure, Measurements

INFO = RecordingInfo("one", "one.hea", 500.0, 10.0, None, 60.0, "F", (), ())


def draft(report, **values):
    found = Measurements({name: Measure(float(value), 1.0) for name, value in values.items()})
    grounding = ground(report, found, INFO.sex, INFO.age)
    return Draft(INFO, report, grounding.statements, grounding.warnings, ModelInfo("m", "1", "0"), None, found)


@pytest.mark.parametrize(
    ("report", "values", "urgency", "critical"),
    [
        ("Atrial fibrillation.", {}, Urgency.CRITICAL, ("atrial_fibrillation",)),
        ("Sinus rhythm.", {"qtc_ms": 530, "qtc_bazett_ms": 540, "qrs_ms": 90}, Urgency.CRITICAL, ("long_qt",)),
        ("Sinus rhythm. Right bundle branch block.", {}, Urgency.ABNORMAL, ()),
        ("Sinus rhythm. Normal ECG.", {"pr_ms": 240}, Urgency.ABNORMAL, ()),
        ("Sinus rhythm. Normal ECG.", {}, Urgency.NORMAL, ()),
        ("", {}, Urgency.UNREAD, ()),
    ],
)
def test_the_order_of_reading(report, values, urgency, critical):
    assert urgency_of(draft(report, **values)) == (urgency, critical)


def test_a_critical_finding_beside_words_that_nobody_understands_is_abnormal():
    assert urgency_of(draft("Sinus rhythm. Atrial fibrillation glorped.")) == (Urgency.ABNORMAL, ())


def test_what_was_not_measured_was_not_read():
    assert urgency_of(replace(draft("Normal ECG."), measurements=None))[0] == Urgency.UNREAD


def test_only_what_was_read_whole_may_be_coded():
    text = "Sinus rhythm. Atrial fibrillation glorped. Left axis deviation."
    assert [one.code for one in read_whole(text)] == ["SR", "LAD"]


def test_a_text_is_held_against_measurements():
    found = Measurements({"heart_rate_bpm": Measure(80.0, 1.0), "pr_ms": Measure(240.0, 1.0)})
    check = hold_against("Sinus bradycardia, glorped.", found, "F", 60.0)
    assert check.unread == ("glorped",) and [one.code for one in check.unmentioned] == ["1AVB"]
    (evidence,) = check.contradictions
    assert "'Sinus bradycardia' but rate 80" in evidence
