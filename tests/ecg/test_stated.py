"""What files state of the patient and of the ECG: ages of infants, names, and the cart's own words and numbers."""

import re
import struct
from datetime import date
from pathlib import Path

import numpy as np
import pydicom
import pytest
from made_files import scp_section, write_cardiosoft, write_edf, write_ishne, write_mfer, write_mortara, write_scp
from pydicom.data import get_testdata_file

from meit.ecg.files.formats import read_ecg
from meit.ecg.files.vendor.scp import POINTER, POINTERS
from meit.ecg.recording import Recording

SAMPLES = Path(__file__).parents[1] / "samples" / "ecg" / "vendor"
DAYS_10, MONTHS_18, WEEKS_3 = 10 / 365.25, 1.5, 21 / 365.25


@pytest.fixture(scope="module")
def truth(ptb_xl_500) -> Recording:
    return read_ecg(ptb_xl_500)


# -- ages --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("age", "born", "years"),
    [
        ("010D", "", DAYS_10),
        ("018M", "", MONTHS_18),
        ("003W", "", WEEKS_3),
        ("045Y", "", 45),
        ("000Y", "", 0),
        ("000D", "", 0),
        ("", "", None),
        ("999Y", "", None),
        ("", "20130115", DAYS_10),
        ("000Y", "20130115", DAYS_10),
        ("000Y", "19700101", 43),  # was never entered
        ("001Y", "20110425", 641 / 365.25),
        ("045Y", "19010101", 45),
    ],
)
def test_dicom_age(tmp_path, age, born, years):
    dataset = pydicom.dcmread(get_testdata_file("waveform_ecg.dcm", download=False))  # of 25 January 2013
    dataset.PatientAge, dataset.PatientBirthDate = age, born
    dataset.save_as(tmp_path / "x")
    assert read_ecg(tmp_path / "x").patient.age == (None if years is None else pytest.approx(years))


@pytest.mark.parametrize(
    ("age", "unit", "years"),
    [
        ("10", "DAYS", DAYS_10),
        ("18", "MONTHS", MONTHS_18),
        ("3", "WEEKS", WEEKS_3),
        ("12", "HOURS", 0.5 / 365.25),
        ("0", "DAYS", 0),
        ("45", "YEARS", 45),
        ("", "", None),
        ("0", "", None),
    ],
)
def test_ages_in_xml(tmp_path, truth, age, unit, years):
    expected = None if years is None else pytest.approx(years)
    text = (SAMPLES / "muse.xml").read_text(encoding="utf-8")
    for name, value in (("PatientAge", age), ("AgeUnits", unit), ("DateofBirth", "")):
        text, changed = re.subn(f"<{name}>[^<]*<", f"<{name}>{value}<", text)
        assert changed
    (tmp_path / "muse").write_text(text, encoding="utf-8")
    assert read_ecg(tmp_path / "muse").patient.age == expected

    codes = {"DAYS": "d", "MONTHS": "mo", "WEEKS": "wk", "HOURS": "h", "YEARS": "a", "": "x"}
    text = re.sub(r"<birthTime[^>]*>", "", (SAMPLES / "aecg.xml").read_text())
    stated = f'<code code="21612-7" displayName="Age"/><value value="{age}" unit="{codes[unit]}"/>'
    text, changed = re.subn(r'<code code="21612-7"[^>]*?/>\s*<value[^>]*?/>', stated, text)
    assert changed
    (tmp_path / "aecg").write_text(text)
    assert read_ecg(tmp_path / "aecg").patient.age == expected

    path = write_mortara(tmp_path / "mortara", truth)
    stated = f'AGE="{age}" AGE_UNITS="{unit}"' if unit else ""
    path.write_text(path.read_text().replace('AGE="69" AGE_UNITS="YEARS"', stated).replace(' DOB="19500507"', ""))
    assert read_ecg(path).patient.age == expected

    about = f'<PatientInfo><Age units="{unit.lower() or "x"}">{age}</Age></PatientInfo>'
    assert read_ecg(write_cardiosoft(tmp_path / "cardiosoft", truth, about=about)).patient.age == expected


@pytest.mark.parametrize(
    ("age", "unit", "years"),
    [(10, 4, DAYS_10), (18, 2, MONTHS_18), (3, 3, WEEKS_3), (45, 1, 45), (0, 1, 0), (0, 0, None), (7, 0, None)],
)
def test_scp_age(tmp_path, truth, age, unit, years):
    path = write_scp(tmp_path / "x", truth)
    raw = path.read_bytes()
    number, length, place = struct.unpack_from("<HII", raw, POINTERS + POINTER)
    body = raw[place - 1 + 16 : place - 1 + length]
    stated = body.replace(struct.pack("<BHHB", 4, 3, 0, 0), struct.pack("<BHHB", 4, 3, age, unit))
    stated = stated.replace(struct.pack("<BHHBB", 5, 4, 1950, 5, 7), struct.pack("<BHHBB", 5, 4, 0, 0, 0))
    assert number == 1 and stated != body
    path.write_bytes(raw[: place - 1] + scp_section(1, stated) + raw[place - 1 + length :])
    assert read_ecg(path).patient.age == (None if years is None else pytest.approx(years))


def test_infants_by_their_birth_date(tmp_path, truth):
    """EDF+ and ISHNE state no age: the recordings are of 6 May 2020."""
    born = date(2020, 4, 26)
    for path in (write_edf(tmp_path / "edf", truth, born=born), write_ishne(tmp_path / "ishne", truth, born=born)):
        recording = read_ecg(path)
        assert recording.patient.birth_date == date(2020, 4, 26)
        assert recording.patient.age == pytest.approx(DAYS_10)


# -- the patient and the cart ------------------------------------------------------------------------------------


def test_the_carts_own_words_and_numbers():
    philips = read_ecg(SAMPLES / "philips.xml").cart
    assert philips.statements[0] == "Sinus bradycardia, rate< 50" and philips.statements[-1] == ">>> Acute MI <<<"
    assert philips.measurements["heart_rate_bpm"] == 41 and philips.measurements["axis_deg"] == -21
    assert philips.device == "HeartstartMRx"
    muse = read_ecg(SAMPLES / "muse.xml").cart
    assert len(muse.statements) == 3  # the cart's; the reader's two are in the file too
    assert (muse.measurements["qrs_ms"], muse.measurements["qtc_ms"], muse.device) == (74, 384, "MAC P")
    aecg = read_ecg(SAMPLES / "aecg.xml").cart
    assert aecg.statements == ("Sinus Rhythm",) and aecg.measurements["p_ms"] == 102
    assert (aecg.maker, aecg.device) == ("Mortara Instrument, Inc.", "ELI250")


def test_names_and_birth_dates(tmp_path, truth):
    aecg = read_ecg(SAMPLES / "aecg.xml").patient
    assert (aecg.name, aecg.birth_date) == ("Clark", date(1953, 5, 8))
    assert read_ecg(write_mfer(tmp_path / "x", truth)).patient.name == "Janeane Doequist"
    assert read_ecg(SAMPLES / "philips.xml").patient.name is None


def test_real_carts_are_measured_as_they_say(shared):
    """The real SCP-ECG file and the two exports of one Philips cart; docs/formats.md has the table."""
    from meit.ecg.measure import measure

    vendor = shared("vendor")
    for place in (
        "scp_ecg/ecg_toolkit_example.scp",
        "dicom/ecg_toolkit_example_padding0.dcm",
        "philips/ad4d3d80-d165_1-04_orig.xml",
        "philips/ad4d3d80-d165_1-04_converted.xml",
    ):
        recording = read_ecg(vendor / place)
        measured, stated = measure(recording), recording.cart.measurements
        for name, apart in (("heart_rate_bpm", 2), ("pr_ms", 20), ("qrs_ms", 12), ("qt_ms", 20), ("axis_deg", 10)):
            if name in stated:
                assert abs(measured[name].value - stated[name]) <= apart, (place, name)


def test_a_recording_made_by_hand_states_nothing():
    recording = Recording("x", np.ones((100, 12)), 100)
    assert recording.patient.name is None and recording.cart.statements == () and not recording.cart.measurements
