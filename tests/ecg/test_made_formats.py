"""CardioSoft XML, MFER, Kardia, EDAN, and DICOM without its header: written from known waves, read back."""

import struct
from datetime import date, datetime

import numpy as np
import pydicom
import pytest
from made_files import write_cardiosoft, write_kardia, write_mfer
from pydicom.data import get_testdata_file
from support import reason

from meit.ecg.files.formats import find_recordings, read_ecg
from meit.ecg.recording import LEADS, Recording
from meit.ecg.stated import Cart, Patient

EIGHT = ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")
START = datetime(2020, 5, 6, 7, 8, 9)


@pytest.fixture(scope="module")
def truth(ptb_xl_500) -> Recording:
    return read_ecg(ptb_xl_500)


# -- GE CardioSoft XML -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("step", "leads"), [(5, LEADS), (1, EIGHT), (2.5, LEADS)])
def test_cardiosoft_is_its_steps_and_not_the_median_beat(tmp_path, truth, step, leads):
    recording = read_ecg(write_cardiosoft(tmp_path / "x", truth, step, leads))
    np.testing.assert_allclose(recording.signal, truth.signal, atol=max(step, 2) / 1000 * 1.01)
    assert (recording.rate, recording.start, recording.seconds) == (500, START, 10)
    assert set(recording.derived) == set(LEADS) - set(leads)
    assert recording.patient == Patient("MRN4711007", 69.0, "F")
    assert (recording.patient.name, recording.patient.birth_date) == ("Janeane Doequist", date(1950, 5, 7))
    assert recording.cart == Cart(
        ("Sinus rhythm", "Abnormal ECG"),
        {"heart_rate_bpm": 72, "pr_ms": 154, "qrs_ms": 86, "qt_ms": 402, "p_axis_deg": 0, "axis_deg": 48},
        "GE",
        "CardioSoft",
    )


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (' units="uVperLsb">5<', ">5<", "does not say what one step is"),
        ('units="uVperLsb">5<', 'units="counts">5<', "in 'counts'"),
        ("Total>5000<", "Total>5001<", "is truncated"),
        ('lead="V3"', 'lead="V2"', "lead V2 occurs twice"),
        ('lead="V3"', 'lead="X"', "V3 is missing"),
        ('units="Hz">500<', 'units="Hz"><', "sampling rate"),
        ('<WaveformData lead="V3">', '<WaveformData lead="V3">x', "V3 are not numbers"),
        ("</CardiologyXML>", "", "is no whole GE CardioSoft XML file"),
        ("StripData>", "Other>", "no StripData"),
    ],
)
def test_damaged_cardiosoft(tmp_path, truth, old, new, words):
    path = write_cardiosoft(tmp_path / "x.xml", truth)
    text = path.read_text(encoding="latin-1")
    assert old in text
    path.write_text(text.replace(old, new), encoding="latin-1")
    assert words in reason(path)


def test_a_stress_test_is_named(tmp_path, truth):
    strip = "<FullDisclosure><FullDisclosureData>1,2</FullDisclosureData></FullDisclosure>"
    assert "a stress test" in reason(write_cardiosoft(tmp_path / "x.xml", truth, strip=strip))


# -- MFER --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("leads", [LEADS, EIGHT])
@pytest.mark.parametrize(("big", "preamble"), [(False, True), (True, True), (False, False)])
@pytest.mark.parametrize("step_nv", [1000, 2500])
def test_mfer_is_its_steps(tmp_path, truth, leads, big, preamble, step_nv):
    recording = read_ecg(write_mfer(tmp_path / "x", truth, step_nv, leads, big, preamble))
    np.testing.assert_allclose(recording.signal, truth.signal, atol=step_nv / 1e6 * 2.01)
    assert (recording.rate, recording.start) == (500, START)
    assert recording.patient == Patient("MRN4711007", None, "F") and recording.patient.name == "Janeane Doequist"
    assert (recording.cart.maker, recording.cart.device) == ("Maker", "Cart 3")


@pytest.mark.parametrize(
    ("age", "years"),
    [
        (b"\x45\0\0", 69),
        (b"\0\x0a\0", 10 / 365.25),
        (b"\0\0\0", None),
        (b"\x45\0\0" + struct.pack("<HBB", 1950, 5, 7), 69),
        (b"\0\0\0" + struct.pack("<HBB", 2020, 4, 26), 10 / 365.25),
    ],
)
def test_mfer_age(tmp_path, truth, age, years):
    assert read_ecg(write_mfer(tmp_path / "x", truth, age=age)).patient.age == years


def test_mfer_without_a_voltage_or_cut(tmp_path, truth):
    assert "does not say what one step of lead I is" in reason(write_mfer(tmp_path / "x.mwf", truth, unit=1))
    path = write_mfer(tmp_path / "y.mwf", truth)
    path.write_bytes(path.read_bytes()[:60_000])
    assert "is no whole MFER file" in reason(path)


# -- Kardia ------------------------------------------------------------------------------------------------------


def test_kardia_has_limb_leads_only(tmp_path, truth):
    path = write_kardia(tmp_path / "x.json", truth)
    assert "V1, V2, V3, V4, V5, V6 are missing" in reason(path)
    recording = read_ecg(path, allow_missing=True)
    np.testing.assert_allclose(recording.signal[:, :6], truth.signal[:, :6], atol=1e-6)
    assert recording.rate == 500 and recording.patient.id == "MRN4711007"
    assert recording.cart.statements == ("normal",) and recording.cart.measurements == {"heart_rate_bpm": 72}
    assert find_recordings(tmp_path) == [path]


def test_kardia_without_a_step(tmp_path, truth):
    path = write_kardia(tmp_path / "x.json", truth, step_nv=None)
    assert "does not say what one step of lead I is" in reason(path, allow_missing=True)
    path.write_text(path.read_text().replace('"data"', '"data12L"'))
    assert "Kardia 12L" in reason(path)


# -- EDAN --------------------------------------------------------------------------------------------------------


def test_edan_does_not_say_what_a_step_is(tmp_path):
    (tmp_path / "patient.hea").write_bytes(bytes(12) + b"\x0c" + bytes(3659))
    (tmp_path / "ecgraw.dat").write_bytes(np.full(120_000, 16384, "<u2").tobytes())
    (tmp_path / "x.arc").write_bytes(struct.pack("<I", 3) + b"##NEUTRAL HOLTER RECORDING##" + bytes(9000))
    for name in ("patient.hea", "ecgraw.dat", "x.arc"):
        assert "EDAN" in reason(tmp_path / name) and "what one step" in reason(tmp_path / name)


# -- DICOM without its header ------------------------------------------------------------------------------------


@pytest.mark.parametrize("syntax", [pydicom.uid.ImplicitVRLittleEndian, pydicom.uid.ExplicitVRLittleEndian])
@pytest.mark.parametrize("meta", [False, True])
def test_dicom_without_its_header_is_read(tmp_path, syntax, meta):
    """As some archives hand objects on: no preamble, and no file meta information either."""
    whole = get_testdata_file("waveform_ecg.dcm", download=False)
    dataset = pydicom.dcmread(whole)
    dataset.file_meta.TransferSyntaxUID = syntax
    path = tmp_path / "x"
    dataset.save_as(tmp_path / "whole", implicit_vr=syntax.is_implicit_VR, little_endian=True)
    raw = (tmp_path / "whole").read_bytes()[132:]
    path.write_bytes(raw if meta else raw[raw.index(b"\x08\0\x05\0") if b"\x08\0\x05\0" in raw else 0 :])
    if not meta:
        length = struct.unpack_from("<I", raw, 8)[0]
        path.write_bytes(raw[12 + length :])
    recording, expected = read_ecg(path), read_ecg(whole)
    np.testing.assert_array_equal(recording.signal, expected.signal)
    assert (recording.start, recording.patient) == (expected.start, expected.patient)


def test_another_dicom_object_without_its_header_is_named(tmp_path):
    raw = open(get_testdata_file("CT_small.dcm", download=False), "rb").read()  # noqa: SIM115
    length = struct.unpack_from("<I", raw, 140)[0]
    (tmp_path / "x").write_bytes(raw[144 + length :])
    assert "is a DICOM object without a waveform, and without the header of its file" in reason(tmp_path / "x")
