"""Where to look for a statement, on a real recording."""

import pytest

from meit.drafting.examine import examine
from meit.ecg import read_ecg
from meit.ecg.recording import LEADS
from meit.station.tracing_places import Place, places_of
from meit.station.viewer_document import document


@pytest.fixture(scope="module")
def view(example):
    return document(examine(read_ecg(example)))


@pytest.mark.parametrize(
    ("code", "territory", "evidence", "leads"),
    [
        ("CRBBB", "", "net QRS +0.57 mV in V1: complete right bundle branch block", ("V1",)),
        ("LAD", "", "axis -70 degrees: marked left axis deviation", ("I", "aVF")),
        ("SR", "", "P waves before the QRS complexes, P axis 12 degrees: sinus rhythm", ("II",)),
        ("SBRAD", "", "rate 48/min: sinus bradycardia", ("II",)),
        ("VCLVH", "", "SV1 + RV5/V6 3.9 mV, RaVL + SV3 2.9 mV", ("aVL", "V1", "V3", "V5", "V6")),
        ("STE_", "", "ST 0.21 mV in V2, V3", ("V2", "V3")),
        ("LVOLT", "", "largest QRS 0.40 mV in the limb leads, 0.90 mV in the chest leads", LEADS),
        ("IMI", "inferior", "", ("II", "III", "aVF")),
        ("INVT", "V3-V5", "", ("V3", "V4", "V5")),
        ("PMI", "posterior", "", ("V1", "V2", "V3")),
        ("AFIB", "", "", ("II", "V1")),
        ("LVH", "", "", ("V1", "V5", "aVL")),
        ("ABECG", "", "", LEADS),
    ],
)
def test_leads(view, code, territory, evidence, leads):
    (found,) = places_of(code, territory, evidence, view)
    assert found == Place(leads)


def test_an_interval_is_a_stretch_of_a_real_beat(view):
    (qrs,) = places_of("IVCD", "", "QRS 146 ms", view)
    assert qrs.to_s - qrs.from_s == pytest.approx(0.146, abs=0.002) and 0 <= qrs.from_s < 2
    (pr,) = places_of("1AVB", "", "PR 178 ms: first degree AV block", view)
    assert pr.to_s == pytest.approx(qrs.from_s, abs=0.01)  # it ends where the QRS complex begins
    (in_v1,) = places_of("CRBBB", "", "QRS 146 ms, net QRS +0.57 mV in V1", view)
    assert in_v1.leads == ("V1",) and 5 <= in_v1.from_s < 6.5  # where a sheet of 3 x 4 shows V1
    assert in_v1.to_s - in_v1.from_s == pytest.approx(0.146, abs=0.002)


def test_premature_beats_are_marked_one_by_one(view):
    beats = [{"at_s": one, "usual": one != 2.4} for one in (0.2, 1.0, 1.8, 2.4, 3.4)]
    (found,) = places_of("PVC", "", "premature wide beats: 1", {**view, "beats": beats})
    assert found == Place(("II", "V1"), 2.2, 2.8)
    early = [{"at_s": one, "usual": True} for one in (0.2, 1.0, 1.8, 2.4, 3.2)]
    (found,) = places_of("SVPC", "", "premature narrow beats: 1", {**view, "beats": early})
    assert found.from_s == 2.2
