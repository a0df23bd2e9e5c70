"""A compound claim needs all of its parts; critical rhythms that are measured are named, support and contradict."""

import pytest

from meit.drafting.checks.grounding import CONTRADICTED, MEASURED, UNCHECKED, check_statements, ground, omissions
from meit.drafting.checks.grounding_rules import SexAge
from meit.ecg.measure.measurements import Measure, Measurements
from meit.reports.statements import read_statements


def measured(leads=None, **values) -> Measurements:
    def row(found):
        return {name: Measure(float(value), 1.0) for name, value in found.items()}

    return Measurements(row(values), {lead: row(found) for lead, found in (leads or {}).items()})


def supports(text, found):
    return [one.support for one in check_statements(read_statements(text), found, SexAge("F", 70.0))]


def support(text, found):
    return supports(text, found)[-1]


def named(text, found):
    return {one.code for one in omissions(read_statements(text), found, SexAge("F", 70.0))}


NO_P = measured(heart_rate_bpm=45, p_present=0, rr_irregularity=0.01, qrs_ms=90)
COMPLETE = measured(
    heart_rate_bpm=35, p_present=0, rr_irregularity=0.01, qrs_ms=90, atrial_rate_bpm=83, av_dissociation=1
)
TWO_TO_ONE = measured(
    heart_rate_bpm=42, p_present=1, pr_ms=180, rr_irregularity=0.01, atrial_rate_bpm=84, p_per_qrs=2, qrs_ms=90
)
FLUTTER = measured(
    heart_rate_bpm=75, p_present=0, rr_irregularity=0.01, rr_sd_ms=5, flutter_rate_bpm=300, atrial_rate_bpm=300
)
SINUS = measured(
    heart_rate_bpm=75,
    p_present=1,
    p_axis_deg=50,
    rr_irregularity=0.01,
    rr_sd_ms=10,
    atrial_rate_bpm=75,
    p_per_qrs=1,
    av_dissociation=0,
    pr_ms=150,
    qrs_ms=90,
    longest_rr_ms=830,
)


def test_sinus_needs_p_waves():
    slow, fast = measured(heart_rate_bpm=45), measured(heart_rate_bpm=130)
    assert support("Sinus bradycardia.", slow) == support("Sinus tachycardia.", fast) == UNCHECKED
    assert support("Bradycardia.", slow) == support("Tachycardia.", fast) == MEASURED
    for text in ("Sinus bradycardia.", "Sinus rhythm.", "Sinus arrhythmia.", "Normal ECG.", "Normal sinus rhythm."):
        assert support(text, NO_P) == CONTRADICTED, text
    assert {"BRADY", "NOP"} <= named("Sinus bradycardia.", NO_P)
    assert named("Junctional rhythm.", NO_P) == set()


def test_sinus_p_waves_point_down():
    upwards = measured(heart_rate_bpm=130, p_present=1, p_axis_deg=-98, rr_irregularity=0.01)
    for text in ("Sinus tachycardia.", "Sinus rhythm."):
        assert support(text, upwards) == CONTRADICTED, text
    assert support("Ectopic atrial rhythm.", upwards) == MEASURED
    assert support("Ectopic atrial rhythm.", SINUS) == CONTRADICTED
    sideways = measured(heart_rate_bpm=130, p_present=1, p_axis_deg=-60, rr_irregularity=0.01)
    assert support("Sinus tachycardia.", sideways) == support("Sinus rhythm.", sideways) == UNCHECKED


def test_p_waves_at_a_rate_of_their_own():
    assert supports("Sinus rhythm. Third-degree AV block.", COMPLETE) == [UNCHECKED, MEASURED]
    assert support("AV dissociation.", COMPLETE) == support("AV block.", COMPLETE) == MEASURED
    for text in ("Sinus bradycardia.", "First degree AV block.", "No AV dissociation.", "Sinus rhythm. Normal ECG."):
        assert support(text, COMPLETE) == CONTRADICTED, text
    assert "AVDISS" in named("Sinus rhythm.", COMPLETE) and "AVDISS" in named("Possible complete AV block.", COMPLETE)
    assert "AVDISS" in named("First degree AV block.", COMPLETE)
    assert named("Complete AV block.", COMPLETE) == set()
    (line,) = [line for line in ground("Sinus bradycardia.", COMPLETE).warnings if "dissociation" in line]
    assert line == "not mentioned: P waves at 83/min, QRS complexes at 35/min (AV dissociation)"


def test_two_p_waves_to_a_qrs():
    assert support("Second degree AV block.", TWO_TO_ONE) == support("2:1 AV block.", TWO_TO_ONE) == MEASURED
    assert support("Sinus bradycardia.", TWO_TO_ONE) == support("Normal ECG.", TWO_TO_ONE) == CONTRADICTED
    assert "2AVB" in named("Sinus bradycardia.", TWO_TO_ONE) and "2AVB" not in named("2:1 AV block.", TWO_TO_ONE)
    assert support("Second degree AV block.", SINUS) == support("Complete AV block.", SINUS) == CONTRADICTED


def test_flutter_waves():
    assert support("Atrial flutter.", FLUTTER) == MEASURED and support("Normal ECG.", FLUTTER) == CONTRADICTED
    assert "AFLT" in named("Sinus rhythm.", FLUTTER) and named("Atrial flutter with 4:1 conduction.", FLUTTER) == set()
    assert support("Atrial flutter.", SINUS) == CONTRADICTED


def test_flutter_with_variable_conduction_is_no_fibrillation():
    variable = measured(heart_rate_bpm=75, p_present=0, rr_irregularity=0.2, rr_sd_ms=150, flutter_rate_bpm=300)
    assert "AFLT" in named("Normal ECG.", variable) and "AFIB" not in named("Normal ECG.", variable)


def test_fibrillation_with_a_rate():
    fast_regular = measured(heart_rate_bpm=130, p_present=1, rr_irregularity=0.01)
    assert supports("Atrial fibrillation with rapid ventricular response.", fast_regular) == [CONTRADICTED] * 2
    fibrillating = measured(heart_rate_bpm=130, p_present=0, rr_irregularity=0.2)
    assert supports("Atrial fibrillation with rapid ventricular response.", fibrillating) == [MEASURED] * 2
    slow = measured(heart_rate_bpm=70, p_present=0, rr_irregularity=0.2)
    assert supports("Atrial fibrillation with rapid ventricular response.", slow) == [MEASURED, CONTRADICTED]
    assert "TACHY" in named("Atrial fibrillation.", measured(heart_rate_bpm=170, p_present=0, rr_irregularity=0.2))


def test_sinus_rhythm_with_a_long_pr():
    found = measured(heart_rate_bpm=70, p_present=1, p_axis_deg=50, pr_ms=230)
    assert supports("Sinus rhythm with first degree AV block.", found) == [MEASURED, MEASURED]
    assert support("Sinus arrhythmia.", measured(p_present=0, rr_irregularity=0.2, rr_sd_ms=120)) == CONTRADICTED


def test_two_blocks_need_two_signs():
    v1 = {"V1": {"q_mv": 0, "r_mv": 0.9, "s_mv": -0.2}}
    both, one = measured(v1, qrs_ms=150, axis_deg=-60), measured(v1, qrs_ms=150, axis_deg=40)
    text = "Complete right bundle branch block with left anterior fascicular block."
    assert supports(text, both) == [MEASURED, MEASURED] and supports(text, one) == [MEASURED, CONTRADICTED]
    assert support("Bifascicular block.", both) == MEASURED and support("Bifascicular block.", one) == CONTRADICTED
    assert support("Trifascicular block.", both) == UNCHECKED
    assert support("Trifascicular block.", measured(v1, qrs_ms=150, axis_deg=-60, pr_ms=240)) == MEASURED


def test_tachycardias_by_the_width_of_the_qrs():
    wide = measured(heart_rate_bpm=160, qrs_ms=160, p_present=0, rr_irregularity=0.01)
    assert support("Ventricular tachycardia.", wide) == support("Wide-QRS tachycardia.", wide) == MEASURED
    assert support("Supraventricular tachycardia.", wide) == UNCHECKED
    assert "WCT" in named("Sinus tachycardia.", wide) and "WCT" not in named("Ventricular tachycardia.", wide)
    hidden = measured(heart_rate_bpm=140, qrs_ms=160)  # P waves not known
    assert "WCT" in named("Tachycardia.", hidden)
    assert "WCT" not in named("", measured(heart_rate_bpm=125, qrs_ms=150, p_present=1))
    narrow = measured(heart_rate_bpm=180, qrs_ms=80)
    assert support("Supraventricular tachycardia.", narrow) == MEASURED


def test_pacing_that_fails():
    failing = measured(paced_beats=0.6, spikes_without_capture=3)
    assert support("Pacemaker failure to capture.", failing) == MEASURED
    assert support("Normal ECG.", failing) == CONTRADICTED
    assert "PACEFAIL" in named("Paced rhythm.", failing)
    assert "PACEFAIL" not in named("Paced rhythm.", measured(paced_beats=1, spikes_without_capture=0))
    assert "PACEFAIL" in named("Sinus rhythm.", measured(paced_beats=0, spikes_without_capture=8))
    assert "PACEFAIL" not in named("Sinus rhythm.", measured(paced_beats=0, spikes_without_capture=2))  # artefacts


@pytest.mark.parametrize("text", ["Sinus rhythm.", "Sinus rhythm. Normal ECG."])
def test_sinus_rhythm_itself_is_left_alone(text):
    assert CONTRADICTED not in supports(text, SINUS) and named(text, SINUS) == set()
    assert ground(text, SINUS).warnings == ()


@pytest.mark.parametrize("axis", [-95.5, -106, -150, -179.9, 178, 150])
def test_the_axis_goes_round_the_circle(axis):
    found = measured(axis_deg=axis, p_present=1, p_axis_deg=50)
    assert support("Sinus rhythm. Normal ECG.", found) == CONTRADICTED
    assert "ARAD" in named("Sinus rhythm. Normal ECG.", found)
    assert support("Extreme right axis deviation.", found) == MEASURED
    assert support("Normal axis.", found) == CONTRADICTED
    for text in ("Right axis deviation.", "Northwest axis.", "Extreme axis deviation.", "Superior axis."):
        assert support(text, found) != CONTRADICTED and "ARAD" not in named(text, found), text


def test_left_and_northwest():
    northwest, left = measured(axis_deg=-150), measured(axis_deg=-70)
    for text in (
        "Left axis deviation.",
        "Marked left axis deviation.",
        "Left anterior fascicular block.",
    ):
        assert support(text, northwest) == CONTRADICTED and support(text, left) != CONTRADICTED, text
    assert support("Vertical axis.", northwest) == support("Left axis.", northwest) == CONTRADICTED
    assert support("Northwest axis.", measured(axis_deg=50)) == CONTRADICTED
    assert named("", left) == {"ALAD"}


def test_what_does_not_add_up_decides_nothing():
    """Limb leads that break I + III = II: what rests on them has no value, or no reliability."""
    away = Measure(-150.0, 0.0, "the limb leads do not add up")
    voltages = ("cornell_mv", "sokolow_lyon_mv", "limb_qrs_mv")
    for axis in (away, Measure(None, 0.0, away.why)):
        found = Measurements({"axis_deg": axis} | {name: Measure(5.0, 0.0, away.why) for name in voltages})
        found = Measurements(found.values, {lead: {"st_mv": Measure(0.4, 0.0)} for lead in ("I", "II", "III", "aVF")})
        for text in ("Normal ECG.", "Right axis deviation.", "Left ventricular hypertrophy.", "Low voltage."):
            assert support(text, found) == UNCHECKED
        assert named("", found) == set()
