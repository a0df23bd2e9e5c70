"""Formats of which no real sample was to be had: one is written here, and read back.

EDF is written by pyedflib, ISHNE by ishneholterlib. SCP-ECG has no writer in Python: the one below follows EN 1064, and
biosig 2.5 read what it wrote (all encodings, to 0.0003 uV). Mortara publishes no specification; the layout is the one
that ecgdatakit and ecg2dcm 1.3 read, and ecg2dcm (which needs another pydicom, so is not run here) read it the same.
"""

import struct
from datetime import datetime
from functools import partial
from pathlib import Path

import ishneholterlib
import numpy as np
import pyedflib
import pytest
from made_files import EIGHT, write_edf, write_ishne, write_mortara, write_scp
from support import reason

from meit.ecg.files.formats import read_ecg
from meit.ecg.recording import LEADS, Patient, Recording


@pytest.fixture(scope="module")
def truth(ptb_xl_500) -> Recording:
    """The recording to be written; in whole microvolts."""
    return read_ecg(ptb_xl_500)


def patch(path: Path, at: int, content: bytes) -> Path:
    raw = bytearray(path.read_bytes())
    raw[at : at + len(content)] = content
    path.write_bytes(raw)
    return path


# -- EDF, by pyedflib --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("unit", "steps", "factor"), [("uV", 1, 1), ("uV", 0.5, 0.5), ("mV", 0.001, 1), ("V", 1, 1e6)])
def test_edf_is_what_pyedflib_wrote_and_reads(tmp_path, truth, unit, steps, factor):
    path = write_edf(tmp_path / "x", truth, unit, steps)
    recording = read_ecg(path)
    np.testing.assert_allclose(recording.signal, truth.signal * factor, rtol=1e-4, atol=1e-5)
    to_millivolts = {"uV": 1e-3, "mV": 1, "V": 1e3}[unit]
    with pyedflib.EdfReader(str(path)) as file:
        for column in range(12):
            expected = file.readSignal(column) * to_millivolts
            np.testing.assert_allclose(recording.signal[:, column], expected, rtol=1e-5, atol=1e-9)
    assert (recording.rate, recording.start) == (500, datetime(2020, 5, 6, 7, 8, 9))
    assert recording.patient == Patient(id="P17", age=69.0, sex="F")  # the day before the birthday


def test_plain_edf_has_one_free_text_for_the_patient(tmp_path, truth):
    path = write_edf(tmp_path / "x.edf", truth, plus=False)
    patch(path, 8, b"Doe, Jane 17.05.1950".ljust(80))
    recording = read_ecg(path)
    np.testing.assert_allclose(recording.signal, truth.signal, atol=1e-6)
    assert recording.patient == Patient()


def test_edf_rate_that_is_no_whole_number(tmp_path, truth):
    path = patch(write_edf(tmp_path / "x.edf", truth, plus=False), 244, b"1.024   ")  # seconds of a data record
    assert read_ecg(path).rate == 488.28125


@pytest.mark.parametrize(("unit", "words"), [("", "does not say"), ("mmHg", "in 'mmHg'"), ("uVxx", "in 'uVxx'")])
def test_edf_without_a_voltage_is_refused(tmp_path, truth, unit, words):
    assert words in reason(write_edf(tmp_path / "x.edf", truth, unit))


def test_edf_with_gaps_truncated_or_with_a_lead_twice(tmp_path, truth):
    path = write_edf(tmp_path / "x.edf", truth)
    raw = path.read_bytes()
    path.write_bytes(raw.replace(b"EDF+C", b"EDF+D").replace(b"+3\x14\x14", b"+7\x14\x14"))
    assert "gaps" in reason(path)
    path.write_bytes(raw[:-1000])
    assert "truncated" in reason(path)
    path.write_bytes(raw.replace(b"ECG V6", b"ECG V5"))
    assert "lead V5 occurs twice" in reason(path)
    path.write_bytes(raw[:236] + b"99999999" + raw[244:])  # data records
    assert "truncated" in reason(path)


# -- ISHNE, by ishneholterlib ------------------------------------------------------------------------------------


@pytest.fixture
def ishne(tmp_path, truth):
    return partial(write_ishne, tmp_path / "x.ecg", truth)


@pytest.mark.parametrize("step_nv", [1000, 2500])
def test_ishne_is_what_ishneholterlib_wrote_and_reads(ishne, truth, step_nv):
    path = ishne(step_nv)
    recording = read_ecg(path)
    np.testing.assert_allclose(recording.signal, truth.signal * step_nv / 1000, atol=1e-5)
    holter = ishneholterlib.Holter(str(path), check_valid=False)
    holter.load_data()
    for lead in holter.lead:
        np.testing.assert_allclose(recording.lead(str(lead)), lead.data, atol=1e-5)
    assert (recording.rate, recording.start) == (500, datetime(2020, 5, 6, 7, 8, 9))
    assert recording.patient == Patient(id="P17", age=69.0, sex="F")


def test_ishne_eight_leads_and_lead_off(ishne):
    codes = dict(zip(EIGHT, (5, 6, 11, 12, 13, 14, 15, 16), strict=True))
    recording = read_ecg(ishne(codes=codes, lost=slice(100, 150)))
    assert recording.derived == ("III", "aVR", "aVL", "aVF")
    assert np.isnan(recording.signal[100:150]).all() and np.isfinite(recording.signal[150:]).all()


def test_ishne_without_resolution(ishne):
    assert "does not say what one step of lead I is" in reason(ishne(step_nv=-9))


def test_ishne_of_three_orthogonal_leads(ishne):
    assert "none of its signals" in reason(ishne(codes={"V1": 2, "V2": 3, "V3": 4}))  # X, Y, Z


def test_truncated_ishne(ishne):
    path = ishne()
    path.write_bytes(path.read_bytes()[:-7])
    assert "truncated" in reason(path)


# -- SCP-ECG, by hand --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("leads", [LEADS, EIGHT])
@pytest.mark.parametrize(("huffman", "order"), [(False, 0), (False, 1), (False, 2), (True, 0), (True, 1), (True, 2)])
def test_scp_as_the_standard_has_it(tmp_path, truth, leads, huffman, order):
    recording = read_ecg(write_scp(tmp_path / "x.scp", truth, leads, huffman, order=order))
    for lead in leads:
        np.testing.assert_allclose(recording.lead(lead), truth.lead(lead), atol=1e-6)
    np.testing.assert_allclose(recording.signal, truth.signal, atol=0.0021)  # steps of the recorded aVR, aVL, aVF
    assert set(recording.derived) == set(LEADS) - set(leads)
    assert (recording.rate, recording.start) == (500, datetime(2020, 5, 6, 7, 8, 9))
    assert recording.patient == Patient(id="P17", age=69.0, sex="F")


def test_scp_step_in_nanovolts(tmp_path, truth):
    recording = read_ecg(write_scp(tmp_path / "x.scp", truth, avm=2500))
    np.testing.assert_allclose(recording.signal, truth.signal * 2.5, atol=1e-5)
    assert "does not say what one step of lead I is" in reason(write_scp(tmp_path / "y.scp", truth, avm=0))


def test_scp_leads_one_after_another(tmp_path, truth):
    starts = [1 + 1250 * (n // 3) for n in range(12)]
    assert "recorded at once" in reason(write_scp(tmp_path / "x.scp", truth, starts=starts))


def test_damaged_scp(tmp_path, truth):
    path = write_scp(tmp_path / "x.scp", truth, huffman=True, order=2)
    whole = path.read_bytes()
    path.write_bytes(whole[:-100])
    assert "declares" in reason(path)
    patch(path, 0, whole)
    patch(path, 20_000, bytes([whole[20_000] ^ 1]))
    assert "checksum" in reason(path) or "Huffman" in reason(path)
    lead = whole.index(struct.pack("<IIB", 1, 5000, 1))
    patch(path, 0, whole)
    patch(path, lead, struct.pack("<II", 1, 2**32 - 1))  # samples, of which the header can claim any number
    assert "announces more than it holds" in reason(path)


# -- Mortara, by hand --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("units", [1000, 400])
def test_mortara_rhythm_and_not_the_typical_cycle(tmp_path, truth, units):
    path = write_mortara(tmp_path / "x.xml", truth, f'UNITS_PER_MV="{units}" ')
    recording = read_ecg(path)
    np.testing.assert_allclose(recording.signal, truth.signal * 1000 / units, atol=1e-5)
    assert recording.rate == 500
    assert recording.start == datetime(2020, 5, 6, 7, 8, 9)
    assert recording.patient == Patient(id="P17", age=69.0, sex="F")


def test_mortara_without_a_scale_is_refused(tmp_path, truth):
    assert "does not say what one step of lead I is" in reason(write_mortara(tmp_path / "x.xml", truth, ""))


def test_any_other_xml_with_such_a_root(tmp_path):
    (tmp_path / "x.xml").write_text("<ECG><wave>1 2 3</wave></ECG>")
    assert "no whole Mortara XML file" in reason(tmp_path / "x.xml")
