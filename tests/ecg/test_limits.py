"""Files that announce more than they hold, or more than one ECG has: refused before the memory or the time is spent."""

import io
import os
import time

import pydicom
import pytest

from meit.ecg import LEADS, read_ecg
from meit.errors import RecordingError

PLAIN = "x.dat 16 1000(0)/mV 16 0 0 0 0 {}\n"


def header(tmp_path, record: str, line: str = PLAIN, size: int = 24_000, **lines):
    """A WFDB record of size bytes in which some leads have another line."""
    (tmp_path / "x.dat").write_bytes(b"\x80\x01")
    os.truncate(tmp_path / "x.dat", size)
    path = tmp_path / "x.hea"
    path.write_text(record + "\n" + "".join(lines.get(lead, line).format(lead) for lead in LEADS))
    return path


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"record": "x 12 500", "size": 3 << 30}, "too many samples"),
        ({"record": "x 12 500 0", "size": 3 << 30, "line": PLAIN.replace(" 16 1", " 212 1")}, "too many samples"),
        ({"record": "x 12 500 1000", "aVR": "x.dat 16:999999999 1000(0)/mV 16 0 0 0 0 aVR\n"}, "too many samples"),
        ({"record": "x 12 500 1000", "aVR": "x.dat 16x99999999 1000(0)/mV 16 0 0 0 0 aVR\n"}, "too many samples"),
        ({"record": "x 12 500 1000", "aVR": "x.dat 212 1000(0)/mV 16 0 0 0 0 aVR\n"}, "different formats"),
        ({"record": "x 12 500 1000", "aVR": "~ 16 1000(0)/mV 16 0 0 0 0 aVR\n"}, "wfdb cannot read"),
        ({"record": "x 12 500 1000", "aVR": f"{'x' * 300}.dat 16 1000 16 0 0 0 0 aVR\n"}, "does not describe a signal"),
        ({"record": "x/12 12 500 12000", "line": "x 1000\n" * 100}, "too many for one ECG"),
    ],
)
def test_wfdb(tmp_path, options, words):
    path = header(tmp_path, **options)
    started = time.monotonic()
    with pytest.raises(RecordingError, match=words):
        read_ecg(path)
    assert time.monotonic() - started < 2


def test_segments_that_are_long_together(tmp_path):
    header(tmp_path, "x 12 500 500000", size=12_000_000)
    (tmp_path / "long.hea").write_text("long/10 12 500 5000\n" + "x 500000\n" * 10)
    with pytest.raises(RecordingError, match="segments have too many samples"):
        read_ecg(tmp_path / "long.hea")


@pytest.mark.parametrize("name", ["x.hea", "x.dat", "x.csv", "x.npy", "x.xml", "x"])
def test_pipes_are_not_waited_for(tmp_path, name):
    os.mkfifo(tmp_path / name)
    with pytest.raises(RecordingError, match="no regular file"):
        read_ecg(tmp_path / name)


def test_dicom_element_that_ends_after_the_file(shared, tmp_path):
    whole = (shared("vendor") / "dicom" / "synthetic_muse.dcm").read_bytes()
    path = tmp_path / "x.dcm"
    path.write_bytes(whole)
    reference = read_ecg(path).signal
    assert reference.shape == (5000, 12)
    path.write_bytes(whole + b"\xfe\xff\x00\x00OB\x00\x00\x00\x00\x00\xf0abc")
    with pytest.raises(RecordingError, match="announces more than it holds"):
        read_ecg(path)
    padded = pydicom.dcmread(io.BytesIO(whole))
    padded.add_new(0xFFFCFFFC, "OB", bytes(1000))  # trailing padding, which is legal
    padded.save_as(path)
    assert (read_ecg(path).signal == reference).all()
