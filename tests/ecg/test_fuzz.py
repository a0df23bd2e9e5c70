"""300 damaged files of every format; and the judge of them, who has to see what is wrong with a reader."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from meit.ecg import read_ecg
from meit.errors import RecordingError

FOLDER = Path(__file__).parent


@pytest.fixture(scope="module")
def fuzz():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(FOLDER)
        import fuzz

        yield fuzz


@pytest.fixture(scope="module")
def groups(fuzz):
    return fuzz.samples()


def test_300_damaged_files():
    command = [sys.executable, str(FOLDER / "fuzz.py"), "--cases", "300", "--seed", "0"]
    run = subprocess.run(command, capture_output=True, text=True, timeout=500)
    assert run.returncode == 0, run.stdout[-5000:] + run.stderr[-2000:]
    counts = {kind: int(n) for kind, n in re.findall(r"'(read|refused)': (\d+)", run.stdout.splitlines()[0])}
    assert sum(counts.values()) == 300 and min(counts.values()) > 30  # both ends are reached


def test_undamaged_samples_of_every_format_are_read(fuzz, groups, tmp_path):
    assert {"CSV", "NPY", "EDF", "SCP-ECG", "ISHNE", "Mortara", "WFDB of wfdb", ".xml vendor"} <= groups.keys()
    for number, group in enumerate(groups):
        kinds = [
            fuzz.attempt(read_ecg, fuzz.write(sample, tmp_path / f"{number}-{place}"), False)[0]
            for place, sample in enumerate(groups[group])
        ]
        assert "read" in kinds, group


def test_a_case_is_the_same_again(fuzz, groups):
    for number in range(50):
        assert fuzz.damaged(groups, 7, number) == fuzz.damaged(groups, 7, number)
    assert fuzz.damaged(groups, 7, 1) != fuzz.damaged(groups, 8, 1)


def allocates(path, allow_missing):
    held = np.ones((1 << 31) // 8)
    return read_ecg(path, allow_missing) if held.any() else None


def hides_allocation(path, allow_missing):
    try:
        return allocates(path, allow_missing)
    except MemoryError:
        raise RecordingError(f"{path}: is damaged") from None


def leaves_a_file(path, allow_missing):
    (path.parent / "partial").touch()
    raise RecordingError(f"{path}: is damaged")


def raises(error):
    def read(path, allow_missing):
        raise error

    return read


@pytest.mark.parametrize(
    ("read", "kind"),
    [
        (raises(ValueError("x")), "traceback"),
        (raises(SystemExit(1)), "traceback"),
        (raises(RecordingError("is damaged")), "file not named"),
        (lambda path, _: None, "no Recording"),
        (lambda path, _: raises(RecordingError(f"{path}: two\nlines"))(path, _), "no readable line"),
        (leaves_a_file, "left a file behind"),
    ],
)
def test_the_judge_sees_a_bad_end(fuzz, groups, tmp_path, read, kind):
    path = fuzz.write(groups["CSV"][0], tmp_path / "case")
    assert fuzz.attempt(read, path, True)[0] == kind


PATIENT = """
import sys, time
sys.path.insert(0, {folder!r})
import fuzz
from test_fuzz import hides_allocation
fuzz.MOST_SECONDS, fuzz.PATIENCE = 1, 3
groups = fuzz.samples()
fuzz.samples = lambda: {{name: groups[name] for name in ("CSV", "NPY")}}  # what is read is none of a judge's business

def sleeps(path, allow_missing):
    try:
        time.sleep(60)
    except Exception:
        pass

def hangs_in_c(path, allow_missing):
    import signal
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM])
    time.sleep(60)

def dies(path, allow_missing):
    import os
    os._exit(3)

for read in (sleeps, hangs_in_c, dies, hides_allocation):
    print([outcome.kind for outcome in fuzz.run(2, workers=2, read=read)])
"""


def test_the_judge_sees_hangs_deaths_and_memory():
    run = subprocess.run(
        [sys.executable, "-c", PATIENT.format(folder=str(FOLDER))], capture_output=True, text=True, timeout=120
    )
    expected = [[kind] * 2 for kind in ("too slow", "hangs", "worker died", "out of memory")]
    assert run.stdout.splitlines() == [str(line) for line in expected], run.stderr[-2000:]
