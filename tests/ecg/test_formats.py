"""Real WFDB records of four sources, and every way in which a file can be wrong."""

import re
import shutil
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
import wfdb
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from meit.ecg import LEADS, Recording, find_recordings, read_ecg
from meit.ecg.files.formats import list_folder
from meit.ecg.files.wfdb_files import read_wfdb
from meit.ecg.recording import Patient
from meit.errors import RecordingError

STEP = 0.021  # mV; the coarsest steps that MIMIC-IV-ECG's carts wrote, and a bit


def copy_record(header: Path, folder: Path) -> Path:
    for file in header.parent.glob(header.stem + ".*"):
        shutil.copyfile(file, folder / file.name)
    return folder / header.name


def edit(header: Path, old: str, new: str, count: int = 0) -> None:
    text, n = re.subn(old, new, header.read_text(encoding="utf-8"), count=count)
    assert n, f"{old} is not in the header"
    header.write_text(text, encoding="utf-8")


@pytest.fixture
def record(ptb_xl_100, tmp_path) -> Path:
    return copy_record(ptb_xl_100, tmp_path)


def write_mv(folder: Path, name: str, leads, values, fs=100, **options) -> Path:
    """values in mV, (n, leads), written by wfdb."""
    options = {"units": ["mV"] * len(leads), "fmt": ["16"] * len(leads)} | options
    wfdb.wrsamp(name, fs=fs, sig_name=list(leads), p_signal=values, write_dir=str(folder), **options)
    return folder / f"{name}.hea"


def reason(path, **options) -> str:
    with pytest.raises(RecordingError) as caught:
        read_ecg(path, **options)
    message = str(caught.value)
    assert "\n" not in message and "Traceback" not in message
    assert message.startswith(str(Path(path).parent)), message  # names the file
    return message


def test_ptb_xl_is_what_wfdb_reads(ptb_xl_100, ptb_xl_500):
    for header in (ptb_xl_100, ptb_xl_500):
        recording = read_ecg(header)
        reference = wfdb.rdrecord(str(header.with_suffix("")))
        for column, name in enumerate(reference.sig_name):  # it spells AVR, AVL, AVF
            np.testing.assert_array_equal(recording.lead(name), reference.p_signal[:, column].astype(np.float32))
        assert (recording.rate, recording.seconds, recording.name) == (reference.fs, 10.0, header.stem)
        assert recording.start is None and recording.patient == Patient()
        assert recording.derived == recording.missing == ()


def test_a_record_is_named_by_any_of_its_files(ptb_xl_100):
    for path in (ptb_xl_100, ptb_xl_100.with_suffix(".dat"), ptb_xl_100.with_suffix(""), str(ptb_xl_100)):
        assert read_ecg(path).name == "00001_lr"


def test_mimic_iv_ecg_leads_go_by_name(shared):
    for header in find_recordings(shared("mimic-iv-ecg")):
        assert [line.split()[-1] for line in header.read_text().splitlines()[5:7]] == ["aVF", "aVL"]
        recording = read_ecg(header)
        lead = recording.lead
        assert np.percentile(np.abs(lead("I") + lead("III") - lead("II")), 99) < 3 * STEP
        assert np.percentile(np.abs(lead("aVR") + lead("aVL") + lead("aVF")), 99) < 3 * STEP
        assert np.percentile(np.abs(lead("aVL") - (lead("I") - lead("III")) / 2), 99) < 3 * STEP
        assert recording.patient.id == header.parents[1].name[1:]
        assert recording.start is not None and recording.rate == 500


def test_cinc_mat_with_its_comments_and_date(shared):
    recording = read_ecg(shared("cinc2021") / "A0001.mat")
    assert recording.patient == Patient(id=None, age=74.0, sex="M")
    assert recording.start == datetime(2020, 5, 12, 12, 33, 59)  # the date stands before the time there
    assert (recording.rate, recording.seconds) == (500, 15)
    assert recording.lead("I")[0] == np.float32(0.028)
    assert read_ecg(shared("cinc2021") / "E00001.hea").patient.age is None  # "NaN"


def test_cinc_headers_that_wfdb_refuses(shared):
    recording = read_ecg(shared("cinc2021") / "E00009.hea")  # "E00009.mat 12 500 ..."
    assert recording.seconds == 10 and recording.start == datetime(2020, 5, 5, 14, 50, 55)


@pytest.mark.parametrize("folder", ["ptb-xl", "mimic-iv-ecg", "cinc2021"])
def test_every_shared_record_reads(shared, folder):
    for header in find_recordings(shared(folder)):
        recording = read_ecg(header)
        assert recording.signal.shape[1] == 12 and recording.missing == ()


@pytest.mark.parametrize(
    ("unit", "factor"), [("mV", 1), ("uV", 1e-3), ("\u00b5V", 1e-3), ("\u03bcV", 1e-3), ("V", 1e3), ("UV", 1e-3)]
)
def test_units_are_converted(record, unit, factor):
    millivolts = read_ecg(record).signal
    edit(record, "/mV", f"/{unit}")
    np.testing.assert_allclose(read_ecg(record).signal, millivolts * factor, rtol=1e-6)


def test_baseline_and_comments(record):
    millivolts = read_ecg(record).signal
    edit(record, r"1000\.0\(0\)", "1000.0(100)")
    with record.open("a") as file:
        file.write("# age: 300\n# Gender: f\n#<patient>: 17\n#nonsense\n")
    recording = read_ecg(record)
    np.testing.assert_allclose(recording.signal, millivolts - 0.1, atol=1e-6)
    assert recording.patient == Patient(id="17", age=None, sex="F")


@pytest.mark.parametrize(
    ("text", "start"),
    [
        (" 10:20:30 05/06/2021", datetime(2021, 6, 5, 10, 20, 30)),
        (" 05-Jun-2021 10:20:30", datetime(2021, 6, 5, 10, 20, 30)),
        (" 10:20:30.5 05/06/2021", datetime(2021, 6, 5, 10, 20, 30, 500_000)),
        (" 10:20:30", None),
        (" 10:20:30 99/99/2021", None),
    ],
)
def test_start_in_either_order(record, text, start):
    edit(record, "12 100 1000", "12 100 1000" + text)
    assert read_ecg(record).start == start


def test_derived_limb_leads_equal_the_recorded_ones(ptb_xl_500, tmp_path):
    full = read_ecg(ptb_xl_500)
    for kept in (("I", "II"), ("I", "III"), ("II", "III")):
        leads = kept + LEADS[6:]
        values = np.stack([full.lead(lead) for lead in leads], axis=1).astype(np.float64)
        recording = read_ecg(write_mv(tmp_path, "_".join(kept), leads, values, fs=500))
        assert set(recording.derived) == set(LEADS[:6]) - set(kept)
        np.testing.assert_allclose(recording.signal, full.signal, atol=0.002)  # steps of 0.001 mV


@pytest.mark.parametrize("format_", ["16", "24", "32", "80", "212"])
def test_other_sample_formats_and_gaps(ptb_xl_100, tmp_path, format_):
    full = read_ecg(ptb_xl_100)
    values = full.signal.astype(np.float64)
    values[100:150, 7] = np.nan
    recording = read_ecg(write_mv(tmp_path, "x", LEADS, values, fmt=[format_] * 12))
    assert np.isnan(recording.lead("V2")).sum() == 50 and np.isnan(recording.signal).sum() == 50
    step = 0.05 if format_ == "80" else 0.002
    np.testing.assert_allclose(recording.signal, values, atol=step)


def test_multi_segment_record(ptb_xl_100, tmp_path):
    for n in (1, 2):
        segment = copy_record(ptb_xl_100, tmp_path)
        for suffix in (".hea", ".dat"):
            segment.with_suffix(suffix).rename(tmp_path / f"s{n}{suffix}")
        edit(tmp_path / f"s{n}.hea", "00001_lr", f"s{n}")
    master = tmp_path / "both.hea"
    master.write_text("both/2 12 100 2000\ns1 1000\ns2 1000\n")
    recording = read_ecg(master)
    once = read_ecg(ptb_xl_100).signal
    np.testing.assert_array_equal(recording.signal, np.concatenate([once, once]))
    (tmp_path / "s2.hea").unlink()
    assert "s2.hea is not beside it" in reason(master)


def test_missing_chest_lead_is_named_or_masked(record):
    edit(record, " V3\n", " ABP\n")
    assert "V3 is missing" in reason(record)
    recording = read_ecg(record, allow_missing=True)
    assert recording.missing == ("V3",) and np.isnan(recording.lead("V3")).all()


# -- wrong inputs: each is one line ------------------------------------------------------------------------------


def test_missing_file(tmp_path):
    for name in ("none.dat", "none.hea", "none", "none.xml"):
        assert "no such file" in reason(tmp_path / name)
        with pytest.raises(RecordingError, match="no such file"):
            find_recordings(tmp_path / name)


@pytest.mark.parametrize("name", ["x.dat", "x.hea", "x.mat", "x"])
def test_empty_file(tmp_path, name):
    (tmp_path / name).touch()
    assert "empty" in reason(tmp_path / name) or "not a WFDB header" in reason(tmp_path / name)


def test_text_named_dat_with_and_without_header(record):
    signal = record.with_suffix(".dat")
    signal.write_text("time,I,II\n0,1,2\n" * 3000)
    assert "text file" in reason(record)
    record.unlink()
    assert "text file and has no header 00001_lr.hea" in reason(signal)


def test_header_without_signal_file_and_the_reverse(record):
    signal = record.with_suffix(".dat")
    kept = signal.read_bytes()
    signal.unlink()
    assert "not beside it" in reason(record)
    signal.write_bytes(kept)
    record.unlink()
    assert "no header" in reason(signal)


def test_truncated_and_empty_signal_file(record):
    signal = record.with_suffix(".dat")
    signal.write_bytes(signal.read_bytes()[:10_001])
    assert "truncated: 10001 bytes of the 24000" in reason(record)
    signal.write_bytes(b"")
    assert "is empty" in reason(record)


def test_three_leads_two_seconds_all_nan(tmp_path):
    rng = np.random.default_rng(0)
    three = write_mv(tmp_path, "three", ("I", "II", "V1"), rng.normal(size=(1000, 3)))
    assert "V2, V3, V4, V5, V6 are missing" in reason(three)
    short = write_mv(tmp_path, "short", LEADS, rng.normal(size=(200, 12)))
    assert "only 2 s recorded; at least 5 s are needed" in reason(short)
    assert read_ecg(short, min_seconds=1).seconds == 2
    shutil.copyfile(short, tmp_path / "void.hea")
    (tmp_path / "void.dat").write_bytes(np.full(200 * 12, -32768, "<i2").tobytes())
    edit(tmp_path / "void.hea", "short", "void")
    assert "NaN" in reason(tmp_path / "void.hea")


def test_folders(tmp_path, ptb_xl_100):
    with pytest.raises(RecordingError, match="no recordings in this folder"):
        find_recordings(tmp_path)
    assert "is a folder" in reason(tmp_path)
    below = tmp_path / "b" / "c"
    below.mkdir(parents=True)
    copy_record(ptb_xl_100, below)
    copy_record(ptb_xl_100, tmp_path)
    assert find_recordings(tmp_path) == [tmp_path / "00001_lr.hea", below / "00001_lr.hea"]
    assert find_recordings(below / "00001_lr.dat") == [below / "00001_lr.dat"]
    assert find_recordings(below / "00001_lr") == [below / "00001_lr"]


def test_unknown_format(tmp_path):
    (tmp_path / "x.xyz").write_bytes(b"\x00\x01\x02")
    assert "not a known ECG format" in reason(tmp_path / "x.xyz")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("12 100 1000", "12 100 1000000000000", "too many samples"),
        ("12 100 1000", "12 100 -5", "not a WFDB header"),
        ("12 100 1000", "1000000 100 1000", "too many samples"),
        ("12 100 1000", "12 0 1000", "sampling rate"),
        ("12 100 1000", "12 nan 1000", "sampling rate"),
        ("12 100 1000", "12 1e400 1000", "sampling rate"),
        ("12 100 1000", "12 2 1000", "sampling rate"),
        ("12 100 1000", "12", "not a WFDB header"),
        ("12 100 1000", "13 100 1000", "describes 12"),
        ("12 100 1000", "0 100 1000", "describes 12"),
        (r"1000\.0\(0\)/mV", "0/mV", "no gain"),
        (r"1000\.0\(0\)/mV", "", "no gain|no names"),
        (r"1000\.0\(0\)/mV", "1000(0)/mmHg", "mmHg"),
        (" V6", " V5", "V5 occurs twice"),
        (r"\.dat 16 ", ".dat 999 ", "wfdb cannot read"),
        (r"00001_lr\.dat", "../00001_lr.dat", "does not describe a signal"),
    ],
)
def test_damaged_header(record, old, new, words):
    edit(record, old, new)
    assert re.search(words, reason(record))


def test_damaged_lines_that_wfdb_reads_otherwise(ptb_xl_100, tmp_path):
    header = write_mv(tmp_path, "x", LEADS, read_ecg(ptb_xl_100).signal.astype(np.float64), fmt=["24"] * 12)
    edit(header, r"\(-?\d+\)/mV 24", "", count=1)
    assert "damaged" in reason(header, allow_missing=True) or "no gain" in reason(header, allow_missing=True)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_damage_to_a_header_is_a_recording_or_a_recording_error(record, ptb_xl_100, data):
    raw = bytearray(ptb_xl_100.read_bytes())
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(raw) - 1))
        if data.draw(st.booleans()):
            raw[at] = data.draw(st.integers(0, 255))
        else:
            raw[at : at + data.draw(st.integers(0, 8))] = data.draw(st.binary(max_size=8))
    record.write_bytes(raw)
    try:
        assert isinstance(read_ecg(record, allow_missing=True), Recording)
    except RecordingError as error:
        assert "\n" not in str(error)


@pytest.mark.parametrize("fmt", ["16", "212"])
@pytest.mark.parametrize(("stem", "suffix"), [("X", str.upper), ("x", str.upper)])
def test_records_in_capital_letters(ptb_xl_100, tmp_path, fmt, stem, suffix):
    signal = read_ecg(ptb_xl_100).signal
    write_mv(tmp_path, "x", LEADS, signal.astype(np.float64), fmt=[fmt] * 12)
    expected = read_ecg(tmp_path / "x.hea").signal
    for file in (tmp_path / "x.hea", tmp_path / "x.dat"):
        file.rename(tmp_path / f"other{file.suffix}")
        (tmp_path / f"other{file.suffix}").rename(tmp_path / (stem + suffix(file.suffix)))
    header, signals = tmp_path / (stem + suffix(".hea")), tmp_path / (stem + suffix(".dat"))
    assert find_recordings(tmp_path) == [header]
    for path in (header, signals, tmp_path / stem):
        np.testing.assert_array_equal(read_ecg(path).signal, expected)


def test_a_folder_names_what_it_leaves_out(record):
    folder = record.parent
    for name in ("a.txt", "b.pdf", "sub/c.csv", "sub/d", ".hidden"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("nothing")
    (folder / "00001_lr.atr").write_bytes(b"\0")  # annotations of the record
    found = list_folder(folder)
    assert list(found.recordings) == find_recordings(folder) == [record]
    assert [str(file.relative_to(folder)) for file in found.left_out] == ["a.txt", "b.pdf", "sub/c.csv", "sub/d"]
    assert found.warning() == f"{folder}: 4 files are no recordings that meit knows: a.txt, b.pdf, sub/c.csv, ..."
    for file in found.left_out[1:]:
        file.unlink()
    assert list_folder(folder).warning() == f"{folder}: 1 file is no recording that meit knows: a.txt"
    (folder / "a.txt").unlink()
    assert list_folder(folder).warning() == ""


def test_a_header_that_vanishes_before_it_is_read(record):
    record.unlink()
    with pytest.raises(RecordingError, match="has no header 00001_lr.hea beside it"):
        read_wfdb(record.with_suffix(".dat"), False)
