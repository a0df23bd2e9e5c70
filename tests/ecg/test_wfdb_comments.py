"""Comments of WFDB headers, in the ways that public sets write them; and headers of which only the form is odd."""

from datetime import date, datetime

import numpy as np
import pytest
import wfdb
from hypothesis import given
from hypothesis import strategies as st
from support import reason

from meit.ecg.files.formats import list_folder, read_ecg
from meit.ecg.files.wfdb_comments import stated_in
from meit.ecg.recording import LEADS
from meit.ecg.stated import Patient

START = datetime(2020, 3, 6, 7, 8, 9)


@pytest.mark.parametrize(
    ("comments", "patient"),
    [
        (["#<age>: 65 <sex>: F <diagnoses> Coronary artery disease", "# patient 1"], Patient(None, 65.0, "F")),
        (["# Age: 65, Sex: F"], Patient(None, 65.0, "F")),
        (["#Age: 65; Gender: male; Dx: 1"], Patient(None, 65.0, "M")),
        (["# age=65 sex=F"], Patient(None, 65.0, "F")),
        (["#<age> 65 <sex> F"], Patient(None, 65.0, "F")),
        (["# Sex: F Age: 18 months"], Patient(None, 1.5, "F")),
        (["#Age: 74", "#Sex: Male", "#Dx: 59118001"], Patient(None, 74.0, "M")),
        (["#Age: NaN", "# age: 50", "#Sex: Unknown"], Patient(None, 50.0, None)),
        (["# subject_id: P 17 ", "#<age>: 90+"], Patient("P 17", 90.0, None)),
        (["#Reason for admission: chest pain at the age: 50"], Patient(None, 50.0, None)),
        (["#Message: manage: 5 sex:F"], Patient(None, None, "F")),
        (["# nothing", "#", "", "#:", "#<>: x"], Patient()),
    ],
)
def test_fields_of_a_line(comments, patient):
    assert stated_in(comments, START)[0] == patient


def test_name_and_birth_date():
    patient, _ = stated_in(["# Name: Jane Doe", "# Date of birth: 2019-09-06"], START)
    assert (patient.name, patient.birth_date) == ("Jane Doe", date(2019, 9, 6))
    assert patient.age == 182 / 365.25
    assert "Jane" not in repr(patient) and "2019" not in repr(patient)


@pytest.mark.parametrize(
    ("comments", "statements"),
    [
        (["#<age>: 65 <sex>: F <diagnoses> Coronary artery disease", "# patient 1"], ("Coronary artery disease",)),
        (
            ["#<diagnoses>:", "#Rhythm: Sinus rhythm.", "#Left ventricular hypertrophy."],
            ("Rhythm: Sinus rhythm.", "Left ventricular hypertrophy."),
        ),
        (["#Dx: 59118001", "#Rx: Unknown"], ("59118001", "Rx: Unknown")),
        (["#<age>: 65", "# a remark"], ()),
    ],
)
def test_diagnoses_are_statements(comments, statements):
    assert stated_in(comments, None)[1].statements == statements


@given(st.lists(st.text(max_size=60), max_size=6))
def test_any_comments_are_read(lines):
    patient, cart = stated_in([f"#{line}" for line in lines], START)
    assert patient.age is None or 0 <= patient.age <= 120
    assert all(cart.statements)


@given(st.integers(0, 120), st.sampled_from("FM"), st.permutations(range(3)), st.sampled_from([" ", ", ", "; ", "\t"]))
def test_several_fields_in_any_order(age, sex, order, between):
    fields = [f"<age>: {age}", f"<sex>: {sex}", "<diagnoses> Pericarditis"]
    patient, cart = stated_in(["#" + between.join(fields[n] for n in order)], None)
    assert (patient.age, patient.sex, cart.statements) == (age, sex, ("Pericarditis",))


# -- headers and signal files of an odd form ---------------------------------------------------------------------


@pytest.fixture
def write(tmp_path):
    """Writes a record of 12 leads, 6 s at 100 Hz; gain: as the header has it."""

    def record(name: str, steps: np.ndarray, gain: str = "1000(0)/mV") -> None:
        lines = [f"{name} 12 100 {len(steps)}", *(f"{name}.dat 16 {gain} 16 0 0 0 0 {lead}" for lead in LEADS)]
        (tmp_path / f"{name}.hea").write_text("\n".join(lines) + "\n")
        (tmp_path / f"{name}.dat").write_bytes(steps.astype("<i2").tobytes())

    return record


STEPS = np.random.default_rng(0).integers(-900, 900, (600, 12))


@pytest.mark.parametrize(("baseline", "value"), [("0.0", 0), ("0.", 0), ("-12.00", -12), ("+5", 5), ("100", 100)])
def test_a_whole_baseline_however_written(write, tmp_path, baseline, value):
    write("x", STEPS, f"1000({baseline})/mV")
    np.testing.assert_allclose(read_ecg(tmp_path / "x.hea").signal, (STEPS - value) / 1000, atol=1e-6)


@pytest.mark.parametrize("gain", ["1000(0.5)/mV", "1000(x)/mV", "1000()/mV"])
def test_a_baseline_that_is_none_is_named(write, tmp_path, gain):
    write("x", STEPS, gain)
    assert repr(gain) in reason(tmp_path / "x.hea") and "baseline" in reason(tmp_path / "x.hea")


def test_a_float_baseline_of_a_record_that_wfdb_reads(tmp_path):
    """Format 24, which is read by wfdb: it takes "(0.0)" for another unit."""
    wfdb.wrsamp(
        "x",
        100,
        ["mV"] * 12,
        list(LEADS),
        STEPS / 1000,
        fmt=["24"] * 12,
        adc_gain=[1000] * 12,
        baseline=[0] * 12,
        write_dir=str(tmp_path),
    )
    header = tmp_path / "x.hea"
    text = header.read_text()
    assert "1000(0)/mV" in text
    header.write_text(text.replace("1000(0)/mV", "1000(0.0)/mV"))
    np.testing.assert_allclose(read_ecg(header).signal, STEPS / 1000, atol=1e-6)


@pytest.mark.parametrize("printable", [2, 3, 20])
def test_a_segment_of_few_printable_samples(write, tmp_path, printable):
    """Two samples of twelve leads are 48 bytes, which may all be printable."""
    steps = np.full((printable, 12), 0x2020)
    write("a", STEPS)
    write("b", steps)
    (tmp_path / "all.hea").write_text(f"all/2 12 100 {600 + printable}\na 600\nb {printable}\n")
    signal = read_ecg(tmp_path / "all.hea").signal
    np.testing.assert_allclose(signal, np.concatenate([STEPS, steps]) / 1000, atol=1e-6)


def test_a_text_in_place_of_samples_is_still_named(write, tmp_path):
    write("x", STEPS)
    (tmp_path / "x.dat").write_text("time,I,II\n" * 2000)
    assert "is a text file" in reason(tmp_path / "x.dat")


def test_a_folder_lists_a_record_of_segments_once(write, tmp_path):
    write("a", STEPS)
    write("b", STEPS)
    (tmp_path / "all.hea").write_text("all/2 12 100 1200\na 600\nb 600\n")
    (tmp_path / "a.dat").rename(tmp_path / "other.sig")
    header = tmp_path / "a.hea"
    header.write_text(header.read_text().replace("a.dat", "other.sig"))
    listing = list_folder(tmp_path)
    assert listing.recordings == (tmp_path / "all.hea",) and listing.left_out == ()
    assert len(read_ecg(tmp_path / "all.hea").signal) == 1200
