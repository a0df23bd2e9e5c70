"""What is measured puts a recording first, whatever its text says; and nothing else does."""

from pathlib import Path

import pytest

from meit.drafting.checks.grounding import CONTRADICTED, check_statements, ground
from meit.drafting.checks.measured_conditions import CHILDREN, SexAge
from meit.drafting.checks.urgency import Urgency, urgency_of
from meit.drafting.checks.urgent_findings import urgent_findings, urgent_rows
from meit.drafting.draft_types import Draft, ModelInfo, RecordingInfo
from meit.ecg.measure.measurements import Measure, Measurements
from meit.reports.gravity import critical_words
from meit.reports.statements import Statement, codes, read_statements

TEXTS = ("Sinus rhythm.", "Sinus rhythm. Normal ECG.", "Possible old inferior myocardial infarction.", "Artefact.")


def measured(leads=None, reliability=1.0, **values) -> Measurements:
    def row(found):
        return {name: Measure(float(value), reliability) for name, value in found.items()}

    return Measurements(row(values), {lead: row(found) for lead, found in (leads or {}).items()})


def st(mv, *leads, **more):
    return {lead: {"st_mv": mv, "st60_mv": mv, **more} for lead in leads}


def urgency(text, found, age=60.0, sex="M"):
    info = RecordingInfo("one", "one.hea", 500.0, 10.0, None, age, sex, (), ())
    given = ground(text, found, sex, age)
    return urgency_of(Draft(info, text, given.statements, given.warnings, ModelInfo("m", "1", "0"), None, found))


FOUND = [
    ("ST elevation", measured(st(0.25, "II", "III", "aVF"), qrs_ms=90)),
    ("ST elevation", measured(st(0.25, "III", "aVF"), heart_rate_bpm=41)),  # the QRS duration is not known
    ("ST elevation", measured(st(0.2, "I", "aVL"), qrs_ms=100)),
    ("ST elevation", measured(st(0.2, "V5", "V6"), qrs_ms=100)),
    ("ST elevation", measured(st(0.35, "V2", "V3"), qrs_ms=100)),
    ("ST elevation", measured(st(0.35, "V1", "V2"), qrs_ms=100)),
    ("ST elevation", measured(st(0.3, "III", "aVF", q_mv=0, r_mv=0.8, s_mv=-0.1), qrs_ms=150)),
    ("marked ST depression", measured(st(-0.25, "V4", "V5"), qrs_ms=90)),
    ("marked ST depression", measured(st(-0.12, "I", "II", "aVF", "V4", "V5", "V6"), qrs_ms=90)),
    ("rate below 40", measured(heart_rate_bpm=38)),
    ("rate above 150", measured(heart_rate_bpm=160)),
    ("pause", measured(longest_rr_ms=3200, heart_rate_bpm=60)),
    ("wide-QRS tachycardia", measured(heart_rate_bpm=140, qrs_ms=150)),
    ("AV dissociation", measured(av_dissociation=1, atrial_rate_bpm=90, heart_rate_bpm=45)),
    ("2:1 AV block", measured(p_per_qrs=2, atrial_rate_bpm=90, heart_rate_bpm=45)),
    ("atrial flutter", measured(flutter_rate_bpm=290, heart_rate_bpm=73)),
    ("long_qt", measured(qtc_ms=510, qtc_bazett_ms=520, qrs_ms=90)),
    ("long_qt", measured(qtc_ms=505, qtc_bazett_ms=492, qrs_ms=90)),  # a slow rate: Bazett's is lower
    ("long_qt", measured(qtc_ms=560, qtc_bazett_ms=570, qrs_ms=150)),
    ("pacing failure", measured(spikes_without_capture=2, paced_beats=0.7)),
]


@pytest.mark.parametrize(("finding", "found"), FOUND)
@pytest.mark.parametrize("text", [*TEXTS, ""])
def test_what_is_measured_is_read_first(finding, found, text):
    level, why = urgency(text, found)
    assert level == Urgency.CRITICAL and finding in why
    (row,) = {one.row for one in urgent_findings(found, SexAge("M", 60)) if one.row.finding == finding}
    assert row.codes[0] in {one.code for one in ground(text, found, "M", 60.0).omissions}
    if "Normal ECG" in text:
        assert check_statements(read_statements(text), found, SexAge("M", 60))[-1].support == CONTRADICTED
    unreliable = Measurements(
        {name: Measure(one.value, 0.3) for name, one in found.values.items()},
        {lead: {name: Measure(one.value, 0.3) for name, one in row.items()} for lead, row in found.leads.items()},
    )
    assert urgency("Sinus rhythm.", unreliable) == (Urgency.NORMAL, ())


@pytest.mark.parametrize(
    "found",
    [
        measured(st(0.12, "II", "III", "aVF"), qrs_ms=90),
        measured(st(0.25, "III"), qrs_ms=90),  # one lead
        measured(st(0.35, "V2", "V3"), qrs_ms=150),  # a wide QRS moves ST
        measured(st(0.35, "V2", "V3"), qrs_ms=100, sokolow_lyon_mv=4.5),
        measured(st(0.3, "II", "III", "aVF"), paced_beats=1, qrs_ms=100),
        measured(st(-0.1, "V5", "V6"), qrs_ms=90),
        measured(heart_rate_bpm=42),
        measured(heart_rate_bpm=145, qrs_ms=90),
        measured(heart_rate_bpm=125, qrs_ms=150, p_present=1),
        measured(longest_rr_ms=2600),
        measured(qtc_ms=505, qtc_bazett_ms=560, qrs_ms=150),
        measured(qtc_ms=480, qtc_bazett_ms=520, qrs_ms=90),
        measured(p_per_qrs=1, av_dissociation=0, spikes_without_capture=0, heart_rate_bpm=70),
    ],
)
def test_what_is_not_urgent(found):
    assert urgent_findings(found, SexAge("M", 60)) == []


def test_what_is_left_out_of_a_text_is_at_least_abnormal():
    assert urgency("Sinus rhythm.", measured(heart_rate_bpm=45)) == (Urgency.ABNORMAL, ())
    assert urgency("Sinus bradycardia. Normal ECG.", measured(heart_rate_bpm=62)) == (Urgency.NORMAL, ())


def test_the_table_is_well_formed():
    for row in urgent_rows():
        assert row.finding and row.measured and row.codes and row.words and row.source, row
        assert set(row.codes) | row.unless <= set(codes()), row
        assert row.urgency in ("critical", "abnormal") and "," not in row.finding, row
        assert any(one.by_lead for one in row.measured) == bool(row.leads), row
        assert all(row.patients == CHILDREN for one in row.measured if one.limit), row
        for code in row.codes:  # none of its own statements is contradicted by what it stands for
            assert Statement(code, code, 0, 1)


def test_names_in_the_worklist():
    names = {critical_words(row.finding) for row in urgent_rows()}
    assert {"ST elevation", "long QT", "AV dissociation", "rate below 40"} <= names


def test_real_recordings(shared):
    """An acute inferior infarction that a cart found, and a ventricular tachycardia."""
    from meit.drafting.examine import examine
    from meit.ecg.files.formats import read_ecg

    for name, finding in (("vendor/philips/129DYPRG.XML", "ST elevation"), ("cinc2021/JS45549.hea", "wide-QRS")):
        recording = read_ecg(Path(shared) / name)
        found = examine(recording).measurements
        for text in TEXTS:
            level, why = urgency(text, found, recording.patient.age, recording.patient.sex)
            assert level == Urgency.CRITICAL and any(finding in one for one in why), (name, text)
