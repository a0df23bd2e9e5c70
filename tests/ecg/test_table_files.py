"""CSV and NPY files that state rate, unit and leads: the same samples as the WFDB record they were written from."""

import json
from datetime import datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meit.ecg import LEADS, find_recordings, read_ecg
from meit.ecg.files import recognise, table_files
from meit.ecg.recording import Patient, canonical_lead
from meit.errors import RecordingError

STATED = "# rate_hz: 500\n# unit: mV\n"
SIDECAR = {"rate_hz": 500, "unit": "mV", "leads": list(LEADS)}


@pytest.fixture(scope="module")
def record(ptb_xl_500):
    return read_ecg(ptb_xl_500)


def write_csv(path, leads, values, stated=STATED, separator=",", encoding="utf-8"):
    """values: (n_samples, n_leads). Written by hand, so that the test does not rest on the reader's own library."""
    rows = [separator.join("" if np.isnan(v) else repr(float(v)) for v in row) for row in values]
    path.write_bytes((stated + "\n".join([separator.join(leads), *rows]) + "\n").encode(encoding))
    return path


def write_npy(path, values, **stated):
    np.save(path, values)
    path.with_suffix(".json").write_text(json.dumps({**SIDECAR, **stated}))
    return path


def is_csv(path) -> bool:
    return table_files.is_csv(path, recognise.first_bytes(path))


def is_npy(path) -> bool:
    return table_files.is_npy(path, recognise.first_bytes(path))


def reason(path, **options) -> str:
    with pytest.raises(RecordingError) as caught:
        read_ecg(path, **options)
    message = str(caught.value)
    assert "\n" not in message and message.startswith(str(path.parent)), message
    return message


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
def test_csv_gives_the_samples_that_were_written(record, tmp_path, separator, encoding):
    recording = read_ecg(write_csv(tmp_path / "x.csv", LEADS, record.signal, STATED, separator, encoding))
    np.testing.assert_array_equal(recording.signal, record.signal)
    assert (recording.rate, recording.name, recording.derived, recording.missing) == (500, "x", (), ())


@pytest.mark.parametrize(("unit", "to_mv"), [("mV", 1), ("uV", 1e-3), ("\u00b5V", 1e-3), ("\u03bcV", 1e-3), ("V", 1e3)])
def test_units(record, tmp_path, unit, to_mv):
    csv = write_csv(tmp_path / "x.csv", LEADS, record.signal / to_mv, f"# rate_hz: 500\n# unit: {unit}\n")
    npy = write_npy(tmp_path / "y.npy", record.signal.astype(np.float64) / to_mv, unit=unit)
    for path in (csv, npy):
        np.testing.assert_allclose(read_ecg(path).signal, record.signal, rtol=1e-6, atol=1e-9)


def test_a_latin_1_micro_sign_is_no_volt(record, tmp_path):
    csv = write_csv(tmp_path / "x.csv", LEADS, record.signal, "# rate_hz: 500\n# unit: \u00b5V\n", encoding="latin-1")
    np.testing.assert_allclose(read_ecg(csv).signal, record.signal / 1000, rtol=1e-6)


@pytest.mark.parametrize("dtype", ["<f4", ">f8", "<i2", "<f2", "<i4"])
@pytest.mark.parametrize("turned", [False, True])
def test_npy_of_any_number_type_and_either_way_round(record, tmp_path, dtype, turned):
    values = np.round(record.signal * 1000).astype(dtype)
    path = write_npy(tmp_path / "x.npy", values.T if turned else values, unit="uV")
    np.testing.assert_allclose(read_ecg(path).signal, values.astype(np.float64) / 1000, rtol=1e-6)


def test_leads_go_by_name_and_others_are_left_out(record, tmp_path):
    order = ("V6", "time", "AVF", "lead ii", "V1", "V2", "V3", "V4", "V5", "I")
    columns = np.stack([record.lead(name) if canonical_lead(name) else np.arange(5000) / 500 for name in order], axis=1)
    for path in (write_csv(tmp_path / "x.csv", order, columns), write_npy(tmp_path / "y.npy", columns, leads=order)):
        recording = read_ecg(path)
        assert recording.derived == ("III", "aVR", "aVL")
        np.testing.assert_allclose(recording.signal, record.signal, atol=0.002)


def test_gaps_are_empty_fields_or_nan(record, tmp_path):
    values = record.signal.copy()
    values[100:200, 7] = np.nan
    for path in (write_csv(tmp_path / "x.csv", LEADS, values), write_npy(tmp_path / "y.npy", values)):
        np.testing.assert_array_equal(np.isnan(read_ecg(path).signal), np.isnan(values))


def test_patient_and_start(record, tmp_path):
    stated = STATED + "# age: 63\n# Sex: female\n# start: 2021-06-05T10:20:30\n# patient_id: 17\n# a remark\n\n"
    csv = write_csv(tmp_path / "x.csv", LEADS, record.signal, stated)
    npy = write_npy(
        tmp_path / "y.npy", record.signal, age=63, sex="F", start="2021-06-05 10:20:30", patient_id=17, device="z"
    )
    for path in (csv, npy):
        recording = read_ecg(path)
        assert recording.patient == Patient(id="17", age=63.0, sex="F")
        assert recording.start == datetime(2021, 6, 5, 10, 20, 30)
    unusable = write_npy(tmp_path / "z.npy", record.signal, age=300, sex="?", start="yesterday", patient_id=None)
    assert read_ecg(unusable).patient == Patient() and read_ecg(unusable).start is None


def test_a_spreadsheets_comment_lines_and_a_json_file_beside_a_csv(record, tmp_path):
    commas = "# rate_hz: 500,,,,,,,,,,,\n# unit: mV,,,,,,,,,,,\n"
    np.testing.assert_array_equal(
        read_ecg(write_csv(tmp_path / "x.csv", LEADS, record.signal, commas)).signal, record.signal
    )
    bare = write_csv(tmp_path / "y.csv", LEADS, record.signal, "")
    bare.with_suffix(".json").write_text('{"rate_hz": 500, "unit": "mV"}')
    np.testing.assert_array_equal(read_ecg(bare).signal, record.signal)
    bare.with_suffix(".json").write_text('{"rate_hz": 250, "unit": "mV"}')
    assert read_ecg(bare).rate == 250
    contradicting = write_csv(bare, LEADS, record.signal, STATED)
    assert "rate_hz is '500' here but '250' in y.json" in reason(contradicting)


@pytest.mark.parametrize(
    ("stated", "words"),
    [
        ("", 'states no rate_hz; add the line "# rate_hz: 500" before its header row, or {"rate_hz": 500} to x.json'),
        ("# rate_hz: 500\n", 'states no unit; add the line "# unit: mV" before its header row'),
        ("# unit: mV\n", "states no rate_hz"),
        ("# rate_hz: fast\n# unit: mV\n", "states no rate_hz"),
        ("# rate_hz: nan\n# unit: mV\n", "states no rate_hz"),
        ("# rate_hz: 0\n# unit: mV\n", "sampling rate of 0 Hz"),
        ("# rate_hz: 1e9\n# unit: mV\n", "sampling rate of 1e+09 Hz"),
        ("# rate_hz: 500\n# unit: mmHg\n", "'mmHg' is not mV, uV or V"),
    ],
)
def test_a_csv_that_does_not_state_enough(record, tmp_path, stated, words):
    assert words in reason(write_csv(tmp_path / "x.csv", LEADS, record.signal, stated))


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (lambda text: text.replace("V6", "V5"), "V5 occurs twice"),
        (lambda text: text.replace("I,II,III,aVR", "1,2,3,4"), "aVR is missing|aVR are missing"),
        (lambda text: text.replace("I,II,III,aVR,aVL,aVF,V1,V2,V3,V4,V5,V6\n", ""), "none of the 12 leads"),
        (lambda text: text.rstrip() + ",0.1\n", "not every row has 12 fields|rows cannot be read"),
        (lambda text: text[: text.rindex("\n", 0, -9)] + "\n0.1,0.2,0.3", "not every row has 12 fields"),
        (lambda text: text.rstrip().rsplit(",", 1)[0] + ",high\n", "could not convert string to float.*decimal point"),
        (lambda text: STATED + ",".join(LEADS) + "\n", "rows cannot be read"),
        (lambda text: "".join(text.splitlines(keepends=True)[:1003]), "only 2 s recorded"),
    ],
)
def test_a_damaged_csv(record, tmp_path, edit, words):
    path = write_csv(tmp_path / "x.csv", LEADS, record.signal)
    path.write_text(edit(path.read_text()))
    with pytest.raises(RecordingError, match=words):
        read_ecg(path)


@pytest.mark.parametrize("key", ["rate_hz", "unit", "leads"])
def test_an_npy_that_does_not_state_enough(record, tmp_path, key):
    path = write_npy(tmp_path / "x.npy", record.signal, **{key: None})
    assert f"states no {key}; add " in reason(path) and "to x.json beside it" in reason(path)
    path.with_suffix(".json").unlink()
    assert "states no rate_hz" in reason(path)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (np.zeros((5000, 11)), r"of shape \(5000, 11\)"),
        (np.zeros(5000), "of shape"),
        (np.zeros((5000, 12), complex), "complex128"),
        (np.full((5000, 12), "0.1"), "<U3"),
        (np.full((5000, 12), None), "cannot read this array"),
        (np.full((5000, 12), np.nan), "no recorded sample"),
        (np.full((5000, 12), 1e300), "no recorded sample"),
    ],
)
def test_an_array_that_is_no_ecg(tmp_path, values, words):
    with pytest.raises(RecordingError, match=words):
        read_ecg(write_npy(tmp_path / "x.npy", values))


def test_a_json_file_that_is_damaged(record, tmp_path):
    path = write_npy(tmp_path / "x.npy", record.signal)
    for text, words in [("{", "is no JSON"), ("[1]", "must be an object"), ("[" * 100_000, "is no JSON")]:
        path.with_suffix(".json").write_text(text)
        assert words in reason(path)


def test_an_array_that_announces_gigabytes(record, tmp_path):
    path = write_npy(tmp_path / "x.npy", record.signal)
    raw = path.read_bytes()
    path.write_bytes(raw.replace(b"(5000, 12), }      ", b"(5000000000, 12), }"))
    assert "numpy cannot read this array" in reason(path)
    path.write_bytes(raw[:-1])
    assert "numpy cannot read this array" in reason(path)


def test_recognised_by_content_and_listed_in_a_folder(record, tmp_path):
    paths = {
        write_csv(tmp_path / "a.csv", LEADS, record.signal),
        write_npy(tmp_path / "b.npy", record.signal),
    }
    (tmp_path / "table.csv").write_text("ecg_id,report\n1,sinus rhythm\n")
    assert set(find_recordings(tmp_path)) == paths
    assert is_csv(write_csv(tmp_path / "x.whatever", LEADS, record.signal))
    assert not is_csv(tmp_path / "table.csv") and not is_csv(tmp_path) and not is_npy(tmp_path)
    for none in (tmp_path / "none.csv", tmp_path / "b.json"):
        assert not is_csv(none) and not is_npy(none)


@settings(max_examples=100, deadline=None)
@given(raw=st.binary(max_size=300), text=st.text(max_size=100))
def test_recognition_never_raises(tmp_path_factory, raw, text):
    path = tmp_path_factory.getbasetemp() / "any"
    for content in (raw, text.encode("utf-8", "ignore"), STATED.encode() + raw):
        path.write_bytes(content)
        assert is_csv(path) in (True, False) and is_npy(path) is content.startswith(b"\x93NUMPY")


def with_commas(path, values, separator, stated=STATED, quote=""):
    """As a spreadsheet in German writes numbers."""
    rows = [[quote + repr(round(float(v), 6)).replace(".", ",") + quote for v in row] for row in values]
    lines = [separator.join(LEADS), *(separator.join(row) for row in rows)]
    path.write_bytes(("\ufeff" + stated + "\r\n".join(lines) + "\r\n").encode())
    return path


@pytest.mark.parametrize(("separator", "quote"), [(";", ""), ("\t", ""), (";", '"'), (",", '"')])
def test_decimal_commas_are_read_where_they_can_be_told_from_separators(record, tmp_path, separator, quote):
    path = with_commas(tmp_path / "x.csv", record.signal[:3000], separator, quote=quote)
    np.testing.assert_allclose(read_ecg(path).signal, record.signal[:3000], atol=1e-6)


def test_a_german_spreadsheet_of_two_columns_of_what_is_stated(record, tmp_path):
    stated = "# rate_hz;500,0;;;;\r\n# unit;mV;;;;\r\n# age;63,5;;;;\r\n"
    recording = read_ecg(with_commas(tmp_path / "x.csv", record.signal[:3000], ";", stated))
    assert recording.rate == 500 and recording.patient.age == 63.5


def test_decimal_commas_between_commas_are_refused_with_the_remedy(record, tmp_path):
    assert "save it with semicolons" in reason(with_commas(tmp_path / "x.csv", record.signal[:3000], ","))


@pytest.mark.parametrize("odd", ["1.234,5", "1.5", "1,234,5"])
def test_points_and_commas_in_one_table_are_refused_with_what_is_needed(record, tmp_path, odd):
    path = with_commas(tmp_path / "x.csv", record.signal[:3000], ";")
    lines = path.read_text(encoding="utf-8-sig").splitlines()
    lines[10] = ";".join([odd, *lines[10].split(";")[1:]])
    path.write_text("\n".join(lines) + "\n")
    assert "decimal comma in all of them" in reason(path)


def test_tables_in_capital_letters(record, tmp_path):
    write_csv(tmp_path / "ONE.CSV", LEADS, record.signal)
    np.save(tmp_path / "x.npy", record.signal)
    (tmp_path / "x.npy").rename(tmp_path / "TWO.NPY")
    (tmp_path / "TWO.JSON").write_text(json.dumps(SIDECAR))
    write_csv(tmp_path / "three.csv", LEADS, record.signal)
    assert [path.name for path in find_recordings(tmp_path)] == ["ONE.CSV", "TWO.NPY", "three.csv"]
    for path in find_recordings(tmp_path):
        np.testing.assert_array_equal(read_ecg(path).signal, record.signal)


@pytest.mark.parametrize(
    "rows",
    [
        "-0.004,-0.002,0.002\n-0.002,-0.003,-0.001\n",
        "1;2;3\n4;5;6\n",
        "0.1\t.2\t-3e-2\r\n0.1\t0.2\t0.3\r\n",
        " 0.1  0.2  0.3\n 0.1  0.2  0.3\n",
        "1,nan,3\n",
        "a,b,c\n1,2,3\n",  # names, but of no leads
        "# made by hand\n1,2,3\n",
        "\ufeff1,2,3\n",
    ],
)
@pytest.mark.parametrize("name", ["x.csv", "x.txt", "x"])
def test_a_table_without_lead_names_says_what_is_missing(tmp_path, rows, name):
    (tmp_path / name).write_text(rows * 100, encoding="utf-8")
    line = reason(tmp_path / name)
    assert "first row" in line and "I,II,III" in line and "# rate_hz: 500" in line and "# unit: mV" in line


@pytest.mark.parametrize(
    "text", ["12", "one, two\n", "1. First of all, 2 things", "2020-01-02 10:20:30 log 1\n", "{}", "1.2.3.4,5"]
)
def test_other_texts_are_no_tables(tmp_path, text):
    (tmp_path / "x.txt").write_text(text)
    assert "not a known ECG format" in reason(tmp_path / "x.txt")


def test_an_age_with_its_unit(tmp_path, record):
    for age, years in (("18 months", 1.5), ("010D", 10 / 365.25), ("65", 65.0), ("63,5", 63.5), ("old", None)):
        path = write_csv(tmp_path / "x.csv", LEADS, record.signal, STATED + f"# age: {age}\n")
        assert read_ecg(path).patient.age == years
