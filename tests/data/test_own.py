"""A hospital's own files, in several formats, become prepared data that name nobody."""

import csv
import shutil
from pathlib import Path

import pytest
from forked_meit import run_meit

from meit.data.shards import read_examples, read_manifest
from meit.data.sources import own_files
from meit.data.splits import fold_of
from meit.errors import DataError

VENDOR = Path(__file__).parents[1] / "samples" / "ecg" / "vendor"
NAMED = "Sinus rhythm.  Normal\n ECG."


@pytest.fixture
def hospital(example, tmp_path):
    """Recordings of three patients, in WFDB and two carts' formats, one of them broken, and a table."""
    folder = tmp_path / "hospital"
    (folder / "monday").mkdir(parents=True)
    for file in example.parent.glob("*.*"):
        shutil.copy(file, folder / "monday")
    for name in ("muse.xml", "philips.xml"):
        shutil.copy(VENDOR / name, folder / f"DOE_JANE_{name}")
    (folder / "broken.xml").write_bytes((VENDOR / "muse.xml").read_bytes()[:20_000])
    return folder


ROWS = [
    ("monday/00041_lr.hea", "MRN-1", NAMED),
    ("monday/00178_lr", "MRN-1", "Second."),
    ("DOE_JANE_muse.xml", "MRN-2", "Third."),
    ("DOE_JANE_philips.xml", "MRN-3", "Fourth."),
    ("broken.xml", "MRN-3", "Fifth."),
    ("gone.hea", "MRN-3", "Sixth."),
    ("monday/00195_hr.hea", "MRN-2", "  "),
]


def table(folder, rows=ROWS, columns=("file", "patient_id", "report")):
    with open(folder / "reports.csv", "w", newline="") as file:
        csv.writer(file).writerows([columns, *rows])
    return folder / "reports.csv"


def prepare(source, reports, out, *more):
    return run_meit("prepare", "folder", source, out, "--reports", reports, *more)


def test_every_format_is_read_and_everything_is_counted(hospital, tmp_path):
    done = prepare(hospital, table(tmp_path), tmp_path / "out")
    assert done.returncode == 0, done.stderr
    manifest = read_manifest(tmp_path / "out")
    assert manifest["recordings"] == 4 and manifest["reports"] == 6
    assert manifest["dropped"] == {"no report in the text": 1, "no recording file": 1, "unreadable": 1}
    assert "unreadable: 1" in done.stdout and "broken.xml: " in done.stderr
    assert manifest["unreadable"][0]["reason"] in done.stderr
    examples = list(read_examples(tmp_path / "out"))
    assert [e.report.text for e in examples] == ["Sinus rhythm. Normal ECG.", "Second.", "Third.", "Fourth."]
    assert len({e.report.patient_id for e in examples}) == 3
    assert all(e.rate == 100 and e.signal.shape[1] == 12 and 900 < len(e.signal) < 1200 for e in examples)
    assert [(e.report.age, e.report.sex) for e in examples[2:]] == [(11, "M"), (50, "M")]  # of the carts' files
    assert [e.report.fold for e in examples] == [fold_of(e.report.patient_id) for e in examples]


def test_nobody_is_named(hospital, tmp_path):
    assert prepare(hospital, table(tmp_path), tmp_path / "out").returncode == 0
    written = b"".join(path.read_bytes() for path in (tmp_path / "out").iterdir())
    for word in (b"MRN-", b"DOE", b"JANE", b"monday", b"00041", b"broken", str(tmp_path).encode()):
        assert word not in written, word
    key = tmp_path / "out.key"
    assert key.stat().st_mode & 0o077 == 0 and key.read_bytes().strip() not in written


def test_the_key_decides_the_ids(hospital, tmp_path):
    reports = table(tmp_path)

    def ids(name, key):
        assert prepare(hospital, reports, tmp_path / name, "--key", tmp_path / key).returncode == 0
        return [e.report.record_id for e in read_examples(tmp_path / name)]

    one = ids("a", "first.key")
    assert one == ids("b", "first.key") and not set(one) & set(ids("c", "second.key"))


def test_files_without_a_row_are_counted_and_own_folds_kept(hospital, tmp_path):
    rows = [(*row, 9 + (number > 1)) for number, row in enumerate(ROWS[:3])]
    columns = ("file", "patient_id", "report", "fold")
    assert prepare(hospital, table(tmp_path, rows, columns), tmp_path / "out").returncode == 0
    manifest = read_manifest(tmp_path / "out")
    assert manifest["recordings_by_fold"] == {"9": 2, "10": 1}
    assert manifest["dropped"] == {"recording without a row in the table": 3}


@pytest.mark.parametrize(
    ("rows", "columns", "says"),
    [
        (ROWS, ("file", "patient", "report"), "has no column patient_id"),
        ([(*ROWS[0], 12)], ("file", "patient_id", "report", "fold"), "folds are 1 to 10"),
        ([("gone.hea", "1", "Text.")], ("file", "patient_id", "report"), "no recording of own recordings was found"),
        ([(*ROWS[0], "x")], ("file", "patient_id", "report", "fold"), "fold 'x'"),
    ],
)
def test_a_wrong_table_is_named(hospital, tmp_path, rows, columns, says):
    done = prepare(hospital, table(tmp_path, rows, columns), tmp_path / "out")
    assert (
        done.returncode == 2 and says in done.stderr and done.stderr.count("meit: ") == 1 + ("new key" in done.stderr)
    )
    assert not (tmp_path / "out" / "manifest.json").exists()


def test_a_missing_table_is_named(hospital, tmp_path):
    done = prepare(hospital, tmp_path / "none.csv", tmp_path / "out")
    assert done.returncode == 2 and "none.csv: No such file" in done.stderr


def test_one_patient_however_the_id_is_written(hospital, tmp_path):
    """Blanks, an accent in two characters, what cannot be seen; case and leading zeros tell patients apart."""
    ids = ["M\u00fcller 1", " Mu\u0308ller  1\u00a0", "\ufeffM\u00fcller 1\t", "m\u00fcller 1"]
    files = ("monday/00041_lr.hea", "monday/00178_lr", "DOE_JANE_muse.xml", "DOE_JANE_philips.xml")
    rows = [(file, patient, "Normal ECG.") for file, patient in zip(files, ids, strict=True)]
    done = prepare(hospital, table(tmp_path, rows), tmp_path / "out")
    assert done.returncode == 0, done.stderr
    found = [e.report.patient_id for e in read_examples(tmp_path / "out")]
    assert len(found) == 4 and len(set(found[:3])) == 1 and found[3] != found[0]


@pytest.mark.parametrize("other", ["00041_lr.hea", "00041_lr", ".//00041_lr.dat ", "x/../00041_lr"])
def test_one_file_under_two_patients_is_refused(example, tmp_path, other):
    reports = table(tmp_path, [("00041_lr.hea", "P1", "One."), (other, "P2", "Two.")])
    with pytest.raises(DataError, match="stands under two patients, 'P1' and 'P2'; keep one of them"):
        own_files.prepare(example.parent, reports, tmp_path / "out", bytes(32))
