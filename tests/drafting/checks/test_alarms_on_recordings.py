"""Findings that are named on public recordings whose references do not say them: what is measured there, and the tracing, show
that they are right; and one that was named wrongly.

Each is told from the median beat's own waves, not from the rule that names it.
"""

import csv
from ast import literal_eval

import pytest
from known_ecgs import Heart, regular

from meit.drafting.checks.grounding import CONTRADICTED, check_statements, omissions
from meit.drafting.checks.grounding_rules import SexAge
from meit.ecg import read_ecg
from meit.ecg.measure import measure
from meit.reports.statements import read_statements


def named(found, patient=SexAge()):
    return {one.code for one in omissions([], found, patient)}


def net(found, lead):
    """mV: R with the deeper of Q and S."""
    waves = [found.lead(lead, name).value for name in ("q_mv", "r_mv", "s_mv")]
    return waves[1] + min(waves[0], waves[2])


@pytest.mark.parametrize("name", ["A0001", "JS20005"])
def test_a_northwest_axis(shared, name):
    """QRS complexes that point down in I and in aVF, and up in aVR: no other quadrant has these (Surawicz 2009)."""
    found = measure(read_ecg(shared / "cinc2021" / f"{name}.hea"))
    assert net(found, "I") < -0.1 and net(found, "aVF") < -0.1 and net(found, "aVR") > 0.1
    assert -180 < found["axis_deg"].value < -95
    assert "ARAD" in named(found)


def test_low_voltage_and_qs_complexes(shared):
    """No QRS complex reaches 0.5 mV in the limb leads or 1 mV in the chest leads, and V1 to V4 begin with no R wave."""
    found = measure(read_ecg(shared / "cinc2021" / "A0009.hea"))
    assert found["limb_qrs_mv"].value < 0.45 and found["chest_qrs_mv"].value < 0.95
    for lead in ("V1", "V2", "V3"):
        assert found.lead(lead, "r_mv").value < 0.03 and found.lead(lead, "s_mv").value < -0.3
    assert {"LVOLT", "ASMI"} <= named(found)


def test_st_depression_from_v1_to_v4(shared):
    """The report says inferior infarction alone; its annotators' codes have the anteroseptal injury too."""
    folder = shared / "ptb-xl"
    found = measure(read_ecg(folder / "records500" / "00000" / "00483_hr.hea"))
    for lead in ("V2", "V3", "V4"):
        assert found.lead(lead, "st_mv").value < -0.12 and found.lead(lead, "st60_mv").value < -0.12
        assert found.lead(lead, "st_mv").reliability > 0.9
    assert found["qrs_ms"].value < 115  # no block that would move ST
    with (folder / "ptbxl_database.csv").open(encoding="utf-8") as lines:
        codes = next(row["scp_codes"] for row in csv.DictReader(lines) if row["ecg_id"] == "483")
    assert literal_eval(codes)["INJAS"] == 100
    assert "STD_" in named(found)


def test_p_waves_too_small_to_see_are_not_called_absent(shared):
    """A sinus tachycardia by its reference, of QRS complexes of 0.2 mV in the limb leads."""
    found = measure(read_ecg(shared / "cinc2021" / "E00009.hea"))
    assert found["limb_qrs_mv"].value < 0.3 and found["p_present"].value != 1
    assert "NOP" not in named(found) and "LVOLT" in named(found)
    assert check_statements(read_statements("Sinus tachycardia."), found)[0].support != CONTRADICTED


@pytest.mark.parametrize(("mv", "told"), [(0.15, False), (0.2, False), (0.35, True), (1.2, True)])
def test_absent_p_waves_beside_small_qrs_complexes(mv, told):
    found = measure(regular(Heart(p_mv=0, qrs_mv=mv), 60))
    assert found["p_present"].value == 0
    assert ("NOP" in named(found)) == told
    sinus = check_statements(read_statements("Sinus rhythm."), found)[0]
    assert (sinus.support == CONTRADICTED) == told
