"""Files of ECG carts and archives against independent readers: real samples first, then what is wrong with files."""

import base64
import re
import shutil
import xml.etree.ElementTree as ET
from datetime import datetime
from pathlib import Path

import numpy as np
import pydicom
import pytest
import sierraecg
from pydicom.data import get_testdata_file
from support import reason

from meit.ecg.files.formats import find_recordings, read_ecg
from meit.ecg.recording import LEADS, Patient, Recording

SAMPLES = Path(__file__).parents[1] / "samples" / "ecg" / "vendor"
DICOM = Path(get_testdata_file("waveform_ecg.dcm", download=False))  # a cart's object, with a median beat


@pytest.fixture
def edited(tmp_path):
    """A copy of a sample, with a pattern replaced; every edit must change something."""

    def edit(name: str, old: str, new: str, count: int = 0) -> Path:
        text, changed = re.subn(old, new, (SAMPLES / name).read_text(encoding="utf-8"), count=count)
        assert changed
        (tmp_path / name).write_text(text, encoding="utf-8")
        return tmp_path / name

    return edit


# -- GE MUSE XML -------------------------------------------------------------------------------------------------


def test_muse_is_its_base64_of_microvolts_and_not_the_median_beat():
    recording = read_ecg(SAMPLES / "muse.xml")
    rhythm = next(w for w in ET.parse(SAMPLES / "muse.xml").iter("Waveform") if w.findtext("WaveformType") == "Rhythm")
    leads = {lead.findtext("LeadID"): lead for lead in rhythm.iter("LeadData")}
    assert set(leads) == {"I", "II", "V1", "V2", "V3", "V4", "V5", "V6"}
    for name, lead in leads.items():
        steps = np.frombuffer(base64.b64decode(lead.findtext("WaveFormData")), "<i2")
        assert lead.findtext("LeadAmplitudeUnitsPerBit") == "4.88"
        np.testing.assert_allclose(recording.lead(name), steps * 0.00488, atol=1e-6)
    assert recording.derived == ("III", "aVR", "aVL", "aVF") and recording.missing == ()
    assert (recording.rate, recording.seconds, recording.name) == (500, 10, "muse")
    assert recording.start == datetime(2024, 1, 1, 10, 35, 17)
    assert recording.patient == Patient(id="00000000", age=11.0, sex="M")  # the stated age, not 1900's birthday


def test_muse_and_dicom_of_one_ecg_are_the_same_samples(shared):
    for name in ("guangxi_teaching_sinus_rhythm", "synthetic_muse"):
        muse = read_ecg(shared("vendor") / "muse" / f"{name}.xml")
        dicom = read_ecg(shared("vendor") / "dicom" / f"{name}.dcm")
        measured = [LEADS.index(lead) for lead in LEADS if lead not in muse.derived]
        np.testing.assert_allclose(muse.signal[:, measured], dicom.signal[:, measured], atol=1e-6)
        np.testing.assert_allclose(muse.signal, dicom.signal, atol=0.00489)  # it rounds derived leads to a step
        assert muse.rate == dicom.rate and muse.patient.age == dicom.patient.age and muse.patient.sex == "M"


@pytest.mark.parametrize(("unit", "factor"), [("MILLIVOLTS", 1000), ("NANOVOLTS", 1e-3), ("microvolts", 1)])
def test_muse_unit_as_stated(edited, unit, factor):
    path = edited("muse.xml", "<LeadAmplitudeUnits>MICROVOLTS<", f"<LeadAmplitudeUnits>{unit}<")
    np.testing.assert_allclose(read_ecg(path).signal, read_ecg(SAMPLES / "muse.xml").signal * factor, rtol=1e-5)


@pytest.mark.parametrize("unit", ["<LeadAmplitudeUnits>COUNTS</LeadAmplitudeUnits>", ""])
def test_muse_without_a_voltage_is_refused(edited, unit):
    path = edited("muse.xml", "<LeadAmplitudeUnits>MICROVOLTS</LeadAmplitudeUnits>", unit)
    assert "does not say what one step of lead I is" in reason(path)


def test_muse_rate_has_an_exponent(edited):
    old, new = r"<SampleBase>500<(.*\s*<SampleExponent>)0<", r"<SampleBase>25<\g<1>1<"
    path = edited("muse.xml", old, new)
    assert read_ecg(path).rate == 250


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("<SampleBase>500</SampleBase>", "", "no valid SampleBase"),
        ("<LeadID>V3<", "<LeadID>V2<", "lead V2 occurs twice"),
        ("<LeadID>V3<", "<LeadID>V3R<", "V3 is missing"),
        ("<LeadSampleCountTotal>5000<", "<LeadSampleCountTotal>500000000000<", "5000 samples decoded"),
        ("<WaveformType>Rhythm<", "<WaveformType>Other<", "No rhythm waveform"),
        ("<LeadAmplitudeUnitsPerBit>4.88<", "<LeadAmplitudeUnitsPerBit>0<", "millivolts are unknown"),
        ("</RestingECG>", "", "Malformed XML"),
    ],
)
def test_damaged_muse(edited, old, new, words):
    assert words in reason(edited("muse.xml", old, new))


# -- Philips XML -------------------------------------------------------------------------------------------------


def check_philips(path: Path, n_samples: int) -> Recording:
    """Against sierraecg, which has its own decoder of the compression, and against the calibration pulse behind it."""
    recording = read_ecg(path)
    reference = {lead.label: np.asarray(lead.samples) for lead in sierraecg.read_file(str(path)).leads}
    assert set(reference) == set(LEADS) and recording.rate == 500 and len(recording.signal) == n_samples
    for name, steps in reference.items():
        np.testing.assert_allclose(recording.lead(name), steps[:n_samples] * 0.005, atol=1e-6)
        assert set(steps[n_samples:] * 0.005) == {0, 1}  # so a step is 5 uV, for the pulse is 1 mV
    np.testing.assert_allclose(recording.lead("I") + recording.lead("III"), recording.lead("II"), atol=0.011)
    return recording


def test_philips_is_what_sierraecg_reads():
    recording = check_philips(SAMPLES / "philips.xml", 5264)
    assert recording.start == datetime(2011, 12, 1, 7, 27, 34)
    assert recording.patient == Patient(id="1112010721168bdc", age=50.0, sex="M")


def test_philips_1_04_in_utf_16_is_what_sierraecg_reads(shared):
    recording = check_philips(shared("vendor") / "philips" / "3191723_ZZDEMOPTONLY_1-04_orig.xml", 5300)
    assert recording.patient == Patient(id="9999", age=60.0, sex="M")


@pytest.mark.parametrize(("step", "factor"), [("2.5", 0.5), ("10", 2)])
def test_philips_step_as_stated(edited, step, factor):
    path = edited("philips.xml", "<signalresolution>5<", f"<signalresolution>{step}<")
    np.testing.assert_allclose(read_ecg(path).signal, read_ecg(SAMPLES / "philips.xml").signal * factor, rtol=1e-5)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("<signalresolution>5</signalresolution>", "", "does not say what one step of lead I is"),
        ('durationperchannel="11000"', 'durationperchannel="900000000000"', "expected"),
        ("<samplingrate>500<", "<samplingrate>0<", "sampling rate"),
        ("</restingecgdata>", "", "Malformed XML"),
    ],
)
def test_damaged_philips(edited, old, new, words):
    assert words in reason(edited("philips.xml", old, new))


# -- HL7 aECG ----------------------------------------------------------------------------------------------------


def test_aecg_is_its_digits_times_the_scale():
    recording = read_ecg(SAMPLES / "aecg.xml")
    text = (SAMPLES / "aecg.xml").read_text()
    rhythm = text[: text.index("<derivation>")]
    for name in LEADS:
        lead = rhythm[rhythm.index(f'"MDC_ECG_LEAD_{name.upper()}"') :]
        assert re.search(r'<scale value="(\S+)" unit="(\S+)"', lead).groups() == ("2.5", "uV")
        digits = np.array(re.search(r"<digits>([^<]*)<", lead)[1].split(), dtype=float)
        np.testing.assert_allclose(recording.lead(name), digits * 0.0025, atol=1e-6)
    assert (recording.rate, recording.seconds) == (500, 10)
    assert recording.start == datetime(2002, 11, 22, 9, 10)
    assert recording.patient == Patient(id="subject1", age=46.0, sex="M")


def test_aecg_age_from_the_birth_date(edited):
    path = edited("aecg.xml", '<code code="21612-7"', '<code code="other"')
    assert read_ecg(path).patient.age == 49.0  # born 8 May 1953, recorded 22 November 2002


def test_aecg_units_and_rate_as_stated(edited):
    path = edited("aecg.xml", r'<scale value="2.5" unit="uV"', '<scale value="0.0025" unit="mV"')
    np.testing.assert_allclose(read_ecg(path).signal, read_ecg(SAMPLES / "aecg.xml").signal, atol=1e-6)
    path = edited("aecg.xml", r'<increment value="0.002" unit="s"', '<increment value="2.048" unit="ms"')
    assert read_ecg(path).rate == 488.28125  # not rounded


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (r'(<scale value="2.5") unit="uV"', r"\1", "does not say what one step of lead I is"),
        (r'(<scale value="2.5") unit="uV"', r'\1 unit="mm[Hg]"', "does not say what one step of lead I is"),
        (r'<increment value="0.002" unit="s"', '<increment value="0.002"', "time increment unit"),
        (r"<digits>\s*-2 ", "<digits>minus ", "Invalid digits"),
        ("</AnnotatedECG>", "", "Malformed XML"),
    ],
)
def test_damaged_aecg(edited, old, new, words):
    assert words in reason(edited("aecg.xml", old, new))


def test_incomplete_aecg_examples(shared):
    folder = shared("vendor") / "hl7_aecg"
    assert "No rhythm series" in reason(folder / "empty.xml")
    assert "recorded: II" in reason(folder / "minimum_aecg.xml")


# -- DICOM -------------------------------------------------------------------------------------------------------


def test_dicom_is_pydicoms_own_waveform_array():
    recording = read_ecg(DICOM)
    dataset = pydicom.dcmread(DICOM)
    rhythm = dataset.WaveformSequence[0]
    millivolts = dataset.waveform_array(0) / 1000  # the channels' sensitivity is in uV
    for channel, definition in enumerate(rhythm.ChannelDefinitionSequence):
        assert definition.ChannelSensitivityUnitsSequence[0].CodeValue == "uV"
        name = definition.ChannelSourceSequence[0].CodeMeaning.split("(")[0]
        np.testing.assert_allclose(recording.lead(name), millivolts[:, channel], atol=1e-6)
    assert (recording.rate, recording.seconds) == (1000, 10)
    assert recording.start == datetime(2013, 1, 25, 10, 59, 19)
    assert recording.patient == Patient(id=dataset.PatientID, age=42.0, sex="F")


@pytest.fixture
def dicom(tmp_path):
    """Writes the DICOM sample after a change of its dataset."""

    def change(edit, **options) -> Path:
        dataset = pydicom.dcmread(DICOM)
        edit(dataset, dataset.WaveformSequence[0])
        dataset.save_as(tmp_path / "x.dcm", **options)
        return tmp_path / "x.dcm"

    return change


def of_channels(rhythm, name: str, value) -> None:
    for channel in rhythm.ChannelDefinitionSequence:
        setattr(channel, name, value)


def test_dicom_scale_of_a_channel(dicom):
    def edit(_, rhythm):
        of_channels(rhythm, "ChannelSensitivityCorrectionFactor", "2")
        of_channels(rhythm, "ChannelBaseline", "50")
        rhythm.SamplingFrequency = "999.5"

    recording, plain = read_ecg(dicom(edit)), read_ecg(DICOM)
    np.testing.assert_allclose(recording.signal, plain.signal * 2 + 0.05, atol=1e-5)
    assert recording.rate == 999.5


def test_dicom_padding_was_not_recorded(dicom):
    def edit(_, rhythm):
        samples = np.frombuffer(rhythm.WaveformData, "<i2").copy()
        samples[: 12 * 100 : 12] = -32768
        rhythm.WaveformData = samples.tobytes()
        rhythm.add_new("WaveformPaddingValue", "OW", np.int16(-32768).tobytes())

    recording = read_ecg(dicom(edit))
    assert np.isnan(recording.lead("I")).sum() == np.isnan(recording.signal).sum() == 100


def _unit(dataset, rhythm):
    for channel in rhythm.ChannelDefinitionSequence:
        del channel.ChannelSensitivityUnitsSequence


def _pressure(dataset, rhythm):
    for channel in rhythm.ChannelDefinitionSequence:
        unit = channel.ChannelSensitivityUnitsSequence[0]
        unit.CodeValue, unit.CodeMeaning = "mm[Hg]", "millimetre of mercury"


def _claim(dataset, rhythm):
    rhythm.NumberOfWaveformSamples = 2**31


def _median_only(dataset, rhythm):
    del dataset.WaveformSequence[0]


def _picture(dataset, rhythm):
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID = "1.2.840.10008.5.1.4.1.1.104.1"


def _deflated(dataset, rhythm):
    dataset.file_meta.TransferSyntaxUID = pydicom.uid.DeflatedExplicitVRLittleEndian


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (_unit, "does not say what one step of lead I is"),
        (_pressure, "does not say what one step of lead I is"),
        (_claim, "expected"),
        (_median_only, "none of its signals"),
        (_picture, "DICOM object without a waveform"),
        (_deflated, "store it uncompressed"),
    ],
)
def test_dicom_that_cannot_be_read(dicom, edit, words):
    assert words in reason(dicom(edit))


def test_truncated_dicom(tmp_path):
    (tmp_path / "x.dcm").write_bytes(DICOM.read_bytes()[:100_000])
    assert "is no whole DICOM waveform file" in reason(tmp_path / "x.dcm")


# -- recognition -------------------------------------------------------------------------------------------------


def test_content_counts_and_not_the_name(tmp_path):
    for source, name in (("muse.xml", "a.txt"), ("philips.xml", "b"), ("aecg.xml", "c.dcm")):
        shutil.copyfile(SAMPLES / source, tmp_path / name)
        np.testing.assert_array_equal(read_ecg(tmp_path / name).signal, read_ecg(SAMPLES / source).signal)


def test_a_named_xml_is_read_though_a_wfdb_header_has_its_stem(tmp_path, ptb_xl_100):
    shutil.copyfile(SAMPLES / "muse.xml", tmp_path / "00001_lr.xml")
    for suffix in (".hea", ".dat"):
        shutil.copyfile(ptb_xl_100.with_suffix(suffix), tmp_path / f"00001_lr{suffix}")
    assert read_ecg(tmp_path / "00001_lr.xml").rate == 500 and read_ecg(tmp_path / "00001_lr.dat").rate == 100
    assert [path.suffix for path in find_recordings(tmp_path)] == [".hea", ".xml"]


def test_a_folder_of_all_formats_lists_each_recording_once(tmp_path, ptb_xl_100):
    below = tmp_path / "below"
    below.mkdir()
    for suffix in (".hea", ".dat"):
        shutil.copyfile(ptb_xl_100.with_suffix(suffix), tmp_path / f"w{suffix}")
    shutil.copyfile(SAMPLES / "muse.xml", tmp_path / "b.XML")
    shutil.copyfile(SAMPLES / "aecg.xml", below / "a")
    shutil.copyfile(DICOM, tmp_path / "d.dat")  # a DICOM object whatever it is called
    for name in ("README.md", "LICENSE", "x.pdf", "y.xml", "z.json"):
        (tmp_path / name).write_text("<html></html>" if name == "y.xml" else "text")
    shutil.copyfile(get_testdata_file("CT_small.dcm", download=False), tmp_path / "ct.dcm")
    assert find_recordings(tmp_path) == [tmp_path / "b.XML", below / "a", tmp_path / "d.dat", tmp_path / "w.hea"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"<?xml version='1.0'?><html></html>", "XML with the root <html>"),
        (b"<?xml version='1.0'?><!-- <RestingECG> -->", "not a known ECG format"),
        (b"<", "not a known ECG format"),
        (b"\xff\xfe<", "not a known ECG format"),
        (b"%PDF-1.7 ...", "is a PDF"),
        (b"\x89PNG\r\n\x1a\n", "picture"),
        (b"PK\x03\x04", "zip"),
        (b"\xffBIOSEMI", "BDF"),
    ],
)
def test_what_is_often_taken_for_an_ecg(tmp_path, content, words):
    (tmp_path / "x").write_bytes(content)
    assert words in reason(tmp_path / "x")


def test_too_large_a_file_is_refused_unread(tmp_path):
    for name, start, size in (("x.xml", b"<RestingECG>", 21e6), ("x.ecg", b"ISHNE1.0", 1e12)):
        with (tmp_path / name).open("wb") as file:
            file.write(start)
            file.truncate(int(size))  # a hole, which takes no space
        assert "too large" in reason(tmp_path / name)


# -- XML that attacks its reader ---------------------------------------------------------------------------------

ROOTS = ("RestingECG", "restingecgdata", "AnnotatedECG", "ECG")


@pytest.mark.parametrize("root", ROOTS)
def test_entities_are_not_expanded(tmp_path, root):
    secret = tmp_path / "secret"
    secret.write_text("secret")
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    for entities, entity in ((f'<!ENTITY l0 "ha">{laughs}', "l9"), (f'<!ENTITY e SYSTEM "{secret.as_uri()}">', "e")):
        (tmp_path / "x.xml").write_text(f"<!DOCTYPE {root} [{entities}]><{root}>&{entity};</{root}>")
        assert "entity" in reason(tmp_path / "x.xml").lower()


@pytest.mark.parametrize("root", ROOTS)
def test_deep_nesting(tmp_path, root):
    (tmp_path / "x.xml").write_text(f"<{root}>" + "<a>" * 300_000 + "</a>" * 300_000 + f"</{root}>")
    assert "is no whole" in reason(tmp_path / "x.xml")


@pytest.mark.parametrize("field", ["LeadTimeOffset", "LeadOffsetFirstSample"])
def test_muse_leads_that_start_at_other_times(edited, field):
    # the median beat's eight and three of the rhythm's; the unit is not public
    path = edited("muse.xml", f"<{field}>0<", f"<{field}>2500<", count=11)
    assert "differ in rate or start" in reason(path)
    path = edited("muse.xml", f"<{field}>0<", f"<{field}>2500<")  # of all: they start together
    np.testing.assert_array_equal(read_ecg(path).signal, read_ecg(SAMPLES / "muse.xml").signal)
