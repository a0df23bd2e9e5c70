"""Measured findings written into a draft: what is written, what goes, what is left alone, and how it is marked."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from report_texts import FINDINGS

from meit.drafting.checks.grounding import CONTRADICTED, MEASURED, Grounded, ground
from meit.drafting.checks.measured_conditions import SexAge
from meit.drafting.checks.measured_findings import (
    FORBIDDING,
    LEAST_PROVEN,
    is_from_measurements,
    may_be_written,
    measured_findings,
    measured_rows,
)
from meit.drafting.checks.text_check import hold_against, read_whole
from meit.ecg.measure.measurements import Measure, Measurements
from meit.ecg.quality.verdicts import REASONS
from meit.proportions import Proportion
from meit.reports.statements import asserted, codes, read, read_statements


def measured(**values) -> Measurements:
    return Measurements({name: Measure(float(value), 1.0) for name, value in values.items()})


LONG_PR = measured(pr_ms=240, p_present=1, p_axis_deg=50, heart_rate_bpm=70)
SLOW = measured(heart_rate_bpm=44, p_present=1, p_axis_deg=50)
FIBRILLATING = measured(heart_rate_bpm=88, p_present=0, rr_irregularity=0.22)


def written(text, found, age=60.0, **options):
    return ground(text, found, "F", age, write=True, **options)


@pytest.mark.parametrize(
    ("draft", "found", "report"),
    [
        ("Sinus rhythm.", LONG_PR, "Sinus rhythm. First-degree AV block (measured: PR 240 ms)."),
        ("Sinus rhythm. Normal ECG.", LONG_PR, "Sinus rhythm. First-degree AV block (measured: PR 240 ms)."),
        (
            "Sinus rhythm. Normal ECG.",
            SLOW,
            "Sinus bradycardia (measured: rate 44/min). Otherwise normal ECG.",
        ),
        (
            "Sinus rhythm. Left axis deviation. Normal ECG.",
            FIBRILLATING,
            "Atrial fibrillation (measured: no P waves, RR irregular by 22%). Left axis deviation.",
        ),
        (
            "Sinus rhythm, otherwise normal ECG.",
            measured(premature_ventricular=3),
            "Sinus rhythm, otherwise normal ECG. Ventricular premature complexes (measured: 3).",
        ),
        (
            "Sinus rhythm. Left axis. Otherwise normal ECG.",
            LONG_PR,
            "Sinus rhythm. Left axis. First-degree AV block (measured: PR 240 ms). Otherwise normal ECG.",
        ),
        (
            "Sinus rhythm. Left bundle branch block.",
            measured(paced_beats=0.83),
            "Paced rhythm (measured: spikes before 83% of the QRS complexes). Left bundle branch block.",
        ),
    ],
)
def test_what_is_written_and_what_goes(draft, found, report):
    given = written(draft, found)
    assert given.report == report
    assert given.omissions == () and not any("not mentioned" in line for line in given.warnings)
    (added,) = [one for one in given.statements if one.from_measurements]
    assert added.support == MEASURED and "written from the measurements" in added.evidence
    assert any(line.startswith("written from the measurements: ") for line in given.warnings)
    assert not any(line.startswith("contradicted") for line in given.warnings)
    if "Normal ECG" in draft:
        assert any("'normal ECG'" in line for line in given.warnings)


@pytest.mark.parametrize(
    ("draft", "found", "age"),
    [
        ("Sinus rhythm. Possible first degree AV block.", LONG_PR, 60.0),  # said already
        ("Sinus rhythm. No first degree AV block.", LONG_PR, 60.0),  # excluded: a reader has to decide
        ("Sinus rhythm. Prolonged PR interval.", LONG_PR, 60.0),  # said in other words
        ("Atrial flutter.", FIBRILLATING, 60.0),  # accounts for it
        ("Pacemaker rhythm.", SLOW, 60.0),  # excludes it, and nothing measured speaks against that
        ("Sinus rhythm.", measured(qtc_ms=560, qtc_bazett_ms=560, qrs_ms=90), 60.0),  # not proven: a warning
        ("Sinus rhythm.", LONG_PR, 6.0),  # proven on adults
        ("Sinus rhythm.", Measurements({"pr_ms": Measure(240.0, 0.2)}), 60.0),  # not reliably measured
        ("", LONG_PR, 60.0),
    ],
)
def test_what_is_left_alone(draft, found, age):
    given = written(draft, found, age)
    assert given.report == draft and not any(one.from_measurements for one in given.statements)
    assert given.warnings == ground(draft, found, "F", age).warnings


def test_it_is_not_hedged_and_knows_how_often_it_is_right():
    given = written("Sinus rhythm. Left axis deviation.", LONG_PR, confidences=lambda found: [0.3] * len(found))
    assert given.report.endswith("First-degree AV block (measured: PR 240 ms).")
    row = next(row for row in measured_findings() if row.named == "1AVB")
    assert given.statements[-1].confidence == round(row.proven.value, 3)
    assert Grounded.from_dict(given.statements[-1].to_dict()) == given.statements[-1]


def test_strict_takes_out_the_contradicted_as_well():
    found = measured(pr_ms=240, p_present=1, p_axis_deg=50, heart_rate_bpm=70, axis_deg=50)
    given = written("Sinus rhythm. Sinus tachycardia.", found, strict=True)
    assert given.report == "Sinus rhythm. First-degree AV block (measured: PR 240 ms)."


def test_whoever_reads_the_text_sees_the_mark():
    text = written("Sinus rhythm.", LONG_PR).report
    checked = hold_against(text, LONG_PR, "F", 60.0)
    assert [one.from_measurements for one in checked.statements] == [False, True] and not checked.unread
    assert "1AVB" in {one.code for one in read_whole(text)}


def test_a_disturbed_recording_or_exchanged_electrodes_forbid_it():
    assert REASONS.keys() >= FORBIDDING and may_be_written(["mains_hum", "derived"])
    assert not any(may_be_written(["mains_hum", reason]) for reason in FORBIDDING)


def test_each_row_reads_back_as_its_finding_alone():
    """Its brackets say nothing further, its codes are codes, and it stands only where it is proven."""
    whole = dict.fromkeys(("axis_deg", "pr_ms", "qrs_ms", "qtc_ms", "cornell_mv", "limb_qrs_mv"), 300.0)
    names = ("chest_qrs_mv", "heart_rate_bpm", "rr_irregularity", "p_per_qrs", "flutter_rate_bpm", "paced_beats")
    found = measured(**whole, **dict.fromkeys((*names, "premature_ventricular", "premature_supraventricular"), 3.0))
    for row in measured_findings():
        text = f"{row.says(found, SexAge())}."
        (one,), unread = read(text)
        assert one.code == row.code and is_from_measurements(text, one) and not unread and "{" not in text, text
        assert {row.named, *row.right_as, *row.excludes, *row.instead_of} <= codes().keys() and row.code in row.right_as
        assert row.is_written == (row.proven.cases > 0 and row.proven.ci95[0] >= LEAST_PROVEN)
    proven = {row.named for row in measured_findings() if row.is_written}
    assert {"1AVB", "AFIB", "BRADY"} <= proven and not {"LNGQT", "VCLVH"} & proven


VALUES = st.fixed_dictionaries(
    {},
    optional={
        "heart_rate_bpm": st.floats(25, 220),
        "pr_ms": st.floats(80, 400),
        "qrs_ms": st.floats(60, 200),
        "axis_deg": st.floats(-180, 180),
        "p_axis_deg": st.floats(-180, 180),
        "p_present": st.floats(0, 1),
        "rr_irregularity": st.floats(0, 0.5),
        "premature_ventricular": st.integers(0, 5),
        "paced_beats": st.floats(0, 1),
    },
)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from([*FINDINGS, "normal ECG"]), min_size=1, max_size=4), VALUES)
def test_no_contradiction_arises(said, values):
    """What is written is not contradicted, no plain normal ECG stands beside it, and what it excludes is gone."""
    text, found = ". ".join(said).capitalize() + ".", measured(**values)
    given = written(text, found)
    added = [one for one in given.statements if one.from_measurements]
    assert not any(one.support == CONTRADICTED for one in added)
    if not added:
        assert given.report == text
        return
    there = [one.statement for one in given.statements if not one.from_measurements]
    rows = measured_rows([row.named for row in measured_findings()], found, SexAge("F", 60.0))
    excluded = {code for row in rows if row.code in {one.statement.code for one in added} for code in row.excludes}
    assert not asserted(there) & excluded
    assert not any(one.code == "NORM" and one.certainty == "definite" for one in there)
    assert read_statements(given.report) == [one.statement for one in given.statements]


def test_wilsons_interval():
    """Of 28 in 31, as Brown, Cai and DasGupta's formula (Statistical Science 16, 2001) gives it."""
    low, high = Proportion(28, 31).ci95
    assert (low, high) == (pytest.approx(0.7510, abs=1e-3), pytest.approx(0.9665, abs=1e-3))
    assert Proportion(0, 0).ci95 == (0.0, 1.0) and Proportion(10, 10).ci95[1] == 1.0
    assert str(Proportion(28, 31)) == "28 of 31"
