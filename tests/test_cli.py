"""The command as its user meets it: a real recording in, a draft out; wrong input, one clear line."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from forked_meit import run_meit

from meit.ecg.recording import LEADS


@pytest.fixture(scope="module")
def model(build, tmp_path_factory):
    """A tiny random one, for what does not hang on what is written."""
    folder = tmp_path_factory.mktemp("tiny") / "model"
    build("llama").save(folder)
    return folder


def write_record(folder, name, signal, rate=100, leads=None):
    import wfdb

    leads = leads or ["I", "II", "III", "AVR", "AVL", "AVF", "V1", "V2", "V3", "V4", "V5", "V6"]
    wfdb.wrsamp(name, rate, ["mV"] * len(leads), leads, p_signal=signal, fmt=["16"] * len(leads), write_dir=str(folder))
    return folder / name


def test_report_of_a_real_recording(example, tmp_path):
    done = run_meit("report", example, "--format", "json", "--plot", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    draft = json.loads(done.stdout)
    assert {"recording", "report", "statements", "measurements", "quality", "warnings", "model"} <= set(draft)
    assert draft["recording"]["rate_hz"] == 500 and draft["report"].endswith(".")
    named = {statement["code"]: statement for statement in draft["statements"]}
    assert {"SR", "CRBBB"} <= named.keys(), "the cardiologist's findings (examples/README.md)"
    assert named["CRBBB"]["support"] == "measured" and "QRS" in named["CRBBB"]["evidence"]
    assert "not a diagnosis" in draft["note"] and len(draft["model"]["sha256"]) == 64
    assert (tmp_path / "00195_hr.png").read_bytes()[:4] == b"\x89PNG"


def test_one_failing_file_does_not_stop_the_others(example, tmp_path, model):
    folder = tmp_path / "in"
    shutil.copytree(example.parent, folder)
    (folder / "00041_lr.dat").write_bytes(b"short")
    done = run_meit("report", folder, "--model", model, "--out", tmp_path / "out")
    assert done.returncode == 1
    assert "00041_lr" in done.stderr and "1 of 3 recordings failed" in done.stderr
    written = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert written == [".meit", "00178_lr.txt", "00195_hr.txt", "manifest.json"]
    assert "Draft for a clinician's review" in (tmp_path / "out" / written[1]).read_text()


def test_recordings_of_one_name_keep_apart(example, tmp_path, model):
    for place in ("monday", "tuesday/late"):
        (tmp_path / "in" / place).mkdir(parents=True)
        for suffix in (".hea", ".dat"):
            shutil.copy(example.with_suffix(suffix), tmp_path / "in" / place)
    done = run_meit("report", tmp_path / "in", "--model", model, "--out", tmp_path / "out", "--format", "json")
    assert done.returncode == 0, done.stderr
    monday, tuesday = (tmp_path / "out" / place / "00195_hr.json" for place in ("monday", "tuesday/late"))
    assert json.loads(monday.read_text())["report"] == json.loads(tuesday.read_text())["report"]


def test_one_recording_in_two_formats_keeps_both(tmp_path, model):
    muse = Path(__file__).parent / "samples" / "ecg" / "vendor" / "muse.xml"
    (tmp_path / "in").mkdir()
    for suffix in (".xml", ".old"):
        shutil.copy(muse, tmp_path / "in" / f"one{suffix}")
    done = run_meit("report", tmp_path / "in", "--model", model, "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in (tmp_path / "out").glob("*.txt")) == ["one.old.txt", "one.xml.txt"]


def test_a_recordings_own_json_is_not_overwritten(tmp_path, model):
    (tmp_path / "ecg.json").write_text('{"rate_hz": 100, "unit": "mV", "leads": ' + json.dumps(list(LEADS)) + "}")
    stated = (tmp_path / "ecg.json").read_text()
    np.save(tmp_path / "ecg.npy", np.random.default_rng(0).normal(0, 0.2, (1000, 12)))
    command = ("report", tmp_path / "ecg.npy", "--model", model, "--format", "json", "--out")
    done = run_meit(*command, tmp_path)
    assert done.returncode == 1 and "recording's own .json" in done.stderr
    assert (tmp_path / "ecg.json").read_text() == stated
    done = run_meit(*command, tmp_path / "drafts")
    assert done.returncode == 0 and (tmp_path / "drafts" / "ecg.json").exists()


def wrong_inputs(folder):
    ecg = np.random.default_rng(0).normal(0, 0.2, (1000, 12))
    (folder / "empty.hea").touch()
    (folder / "text.dat").write_text("this is no signal\n" * 20)
    truncated = write_record(folder, "truncated", ecg)
    truncated.with_suffix(".dat").write_bytes(truncated.with_suffix(".dat").read_bytes()[:500])
    (folder / "nothing").mkdir()
    nan = write_record(folder, "nan", ecg)  # -32768 is format 16's mark for a sample that is not there
    nan.with_suffix(".dat").write_bytes(np.full(ecg.shape, -32768, dtype="<i2").tobytes())
    return {
        "missing": folder / "missing",
        "empty": folder / "empty.hea",
        "text": folder / "text.dat",
        "truncated": truncated,
        "three leads": write_record(folder, "three", ecg[:, :3], leads=["I", "II", "V1"]),
        "two seconds": write_record(folder, "two", ecg[:200]),
        "all NaN": nan,
        "no recordings": folder / "nothing",
    }


def test_each_wrong_input_gives_one_line_and_exit_code_2(tmp_path):
    for name, path in wrong_inputs(tmp_path).items():
        done = run_meit("report", path)
        assert done.returncode == 2, (name, done.stderr)
        assert done.stdout == "" and len(done.stderr.strip().splitlines()) == 1, (name, done.stderr)
        assert done.stderr.startswith("meit: ") and path.stem in done.stderr, (name, done.stderr)


def test_one_missing_chest_lead_is_masked_and_named(example, tmp_path):
    import meit

    recording = meit.read_ecg(example)
    names = [lead for lead in meit.LEADS if lead != "V3"]
    kept = [meit.LEADS.index(lead) for lead in names]
    path = write_record(tmp_path, "eleven", recording.signal[:, kept].astype(float), 500, names)
    done = run_meit("report", path, "--format", "json")
    assert done.returncode == 0, done.stderr
    draft = json.loads(done.stdout)
    assert draft["recording"]["missing_leads"] == ["V3"]
    assert any("V3 is not recorded" in warning for warning in draft["warnings"])
    two = write_record(tmp_path, "ten", recording.signal[:, kept[:-1]].astype(float), 500, names[:-1])
    done = run_meit("report", two)
    assert done.returncode == 2 and "V3, V6 are missing" in done.stderr


@pytest.mark.parametrize("command", [["train", "absent.yaml"], ["evaluate", "absent", "absent", "--out", "out"]])
def test_wrong_recipe_or_model(command, tmp_path):
    done = run_meit(*command, folder=tmp_path)
    assert done.returncode == 2 and len(done.stderr.strip().splitlines()) == 1


def test_the_program_itself():
    done = subprocess.run([sys.executable, "-m", "meit.cli", "--help"], capture_output=True, text=True)
    assert done.returncode == 0 and "usage: meit" in done.stdout


@pytest.mark.parametrize("command", [[], ["report"], ["prepare"], ["prepare", "ptb-xl"], ["train"], ["evaluate"]])
def test_help(command):
    done = run_meit(*command, "--help")
    assert done.returncode == 0 and "usage: meit" in done.stdout
