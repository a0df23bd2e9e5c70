"""Cart statements become report sentences; the lines are of MIMIC-IV-ECG (ODbL 1.0) or of the carts' manuals."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meit.reports.cart_statements import clean_machine_report

REPORTS = [
    (["Sinus rhythm.", "Left axis deviation", "", "Abnormal ECG"], "Sinus rhythm. Left axis deviation. Abnormal ECG."),
    (
        ["*** CONSIDER ACUTE ST ELEVATION MI ***", "Lateral ST elevation, CONSIDER ACUTE INFARCT"],
        "Consider acute ST elevation myocardial infarction. Lateral ST elevation, consider acute infarction.",
    ),
    (
        ["Sinus rhythm with PAC(s).", "Ventricular premature complex"],
        "Sinus rhythm with premature atrial contractions. Premature ventricular contraction.",
    ),
    (["Demand pacing", "Pacemaker rhythm - no further analysis"], "Demand pacing. Paced rhythm."),
    (
        ["Sinus bradycardia with borderline 1st degree A-V block", "Borderline EKG"],
        "Sinus bradycardia with borderline first-degree AV block. Borderline ECG.",
    ),
    (
        ["Sinus rhythm", "Lead(s) unsuitable for analysis: V5", "Normal ECG based on available leads"],
        "Sinus rhythm. Normal ECG.",
    ),
    (["--- Warning: Data quality may affect interpretation ---", "Atrial fibrillation"], "Atrial fibrillation."),
    (
        ["Possible inferior infarct - age undetermined", "Inferior/lateral ST-T changes are nonspecific"],
        "Possible inferior infarction, age undetermined. Nonspecific ST-T changes in inferolateral leads.",
    ),
    (["rSr'(V1) - probable normal variant", "Leftward axis"], "rSr' in V1, probably a normal variant. Left axis."),
    (
        ["LVH with IVCD and secondary repol abnrm", "Low QRS voltages in limb leads"],
        "Left ventricular hypertrophy with intraventricular conduction delay and secondary repolarization abnormality. "
        "Low voltage in limb leads.",
    ),
    (
        ["QRS changes V3/V4 may be due to LVH but cannot rule out anterior infarct"],
        "QRS changes in V3, V4 may be due to left ventricular hypertrophy but cannot rule out anterior infarction.",
    ),
    (["Nonspecific T abnormalities, lateral leads"], "Nonspecific T wave abnormality in lateral leads."),
    (["LAD, consider left anterior fascicular block"], "Left axis deviation, consider left anterior fascicular block."),
    (
        ["Marked anteroseptal ST depression, CONSIDER ACUTE INFARCT (proximal LAD occlusion)"],
        "Marked anteroseptal ST depression, consider acute infarction (proximal LAD occlusion).",
    ),
    (["Sinus rhythm", "Sinus rhythm."], "Sinus rhythm."),
    (
        ["Wide-QRS tachycardia: ventricular tachycardia", "or aberrant ventricular conduction"],
        "Wide-QRS tachycardia: ventricular tachycardia or aberrant ventricular conduction.",
    ),
    (["Summary: Abnormal"], "Abnormal ECG."),
    (["Sinus rhythm", "Analysis based on intervals", "=-=-=-", "Unconfirmed report"], "Sinus rhythm."),
]

NO_REPORTS = [
    ([], "empty report"),
    (["", "  ", "=-=-=-=-", "***"], "empty report"),
    (["Vent. rate 72 BPM", "PR 160 QRS 90 QT/QTc 380/410 ms", "P-R-T axes 40 -12 35"], "no finding, only measurement"),
    (["--- Recording unsuitable for analysis - please repeat ---"], "no finding, only data quality"),
    (["All 12 leads are missing", "Unconfirmed report"], "no finding, only data quality"),
    (["--- Suspect arm lead reversal - only aVF, V1-V6 analyzed ---"], "no finding, only data quality"),
    (["Report made without knowing patient's sex or age"], "no finding, only technical remark"),
    (["Analysis based on intervals"], "no finding, only technical remark"),
    (["12 lead ECG"], "no finding, only technical remark"),
    (["Confirmed by Dr. Smith on 3/4"], "no finding, only confirmation"),
    (["Compared to ECG of 2120-01-01 no significant change"], "no finding, only comparison"),
]


@pytest.mark.parametrize(("lines", "text"), REPORTS)
def test_reports(lines, text):
    assert clean_machine_report(lines).text == text
    assert clean_machine_report(lines).reason is None


@pytest.mark.parametrize(("lines", "reason"), NO_REPORTS)
def test_no_reports(lines, reason):
    assert clean_machine_report(lines).text is None
    assert clean_machine_report(lines).reason == reason


@pytest.mark.parametrize(
    "finding",
    [
        "2:1 A-V block",
        "Ventricular rate 150 with 2:1 conduction",
        "S1,S2,S3 pattern",
        "Limb leads: low voltage",
        "Sinus or ectopic atrial tachycardia",
        "Lateral leads are also involved",
        "QRS axis leftward for age",
        "Normal ECG except for rate",
        "Suggests dextrocardia",
        "Undetermined rhythm",
        "Failure to sense and/or capture",
    ],
)
def test_findings_that_look_like_remarks_stay(finding):
    assert clean_machine_report([finding]).text is not None


def test_every_shared_report_is_made_of_clean_sentences(shared):
    import pandas as pd

    table = pd.read_csv(shared / "mimic-iv-ecg" / "machine_measurements.csv", dtype=str)
    columns = [name for name in table.columns if name.startswith("report_")]
    for lines in table[columns].fillna("").values.tolist():
        text = clean_machine_report(lines).text
        assert re.fullmatch(r"(([A-Z]|rS)[^.*=]*\.)( ([A-Z]|rS)[^.*=]*\.)*", text), text
        assert not re.search(r"\s[,.]|  |EKG|A-V|[A-Z]{5}|\b(infarct|[LR]BBB|LVH|P[AV]Cs?|repol|abnrm|elev)\b", text)


def test_wording_is_final(shared):
    """What was worded once is not worded anew."""
    import pandas as pd

    table = pd.read_csv(shared / "mimic-iv-ecg" / "machine_measurements.csv", dtype=str)
    for line in set(table.filter(regex=r"^report_\d+$").stack().dropna()):
        text = clean_machine_report([line]).text
        assert text is None or clean_machine_report([text]).text == text


@given(st.lists(st.text(max_size=40), max_size=6))
def test_any_lines_give_a_report_or_a_reason(lines):
    result = clean_machine_report(lines)
    assert (result.text is None) != (result.reason is None)
    assert result.text is None or result.text.endswith(".")


FINDINGS = ["Sinus rhythm", "Normal ECG", "Atrial flutter"]


@given(st.lists(st.sampled_from([*FINDINGS, "Warning: noise", "PR 160"]), max_size=8))
def test_findings_keep_their_order_and_remarks_leave_no_trace(lines):
    kept = dict.fromkeys(line for line in lines if line in FINDINGS)
    assert (clean_machine_report(lines).text or "") == " ".join(f"{line}." for line in kept)
