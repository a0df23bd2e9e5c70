"""Every benchmark command, as typed, on a tiny model and simulated recordings."""

import csv
import json

import pytest
from forked_meit import run_meit

from meit.benchmark.raters.rubric import rubric


@pytest.fixture
def evaluated(build, simulated, tmp_path):
    build("llama").save(tmp_path / "model")
    done = run_meit("evaluate", tmp_path / "model", simulated, "--split", "all", "--out", tmp_path / "quality")
    assert done.returncode == 0, done.stderr
    return tmp_path / "quality"


def test_drafts_are_rated_and_tabulated(evaluated, simulated, tmp_path):
    done = run_meit("study", "export", evaluated, simulated, "-n", 4, "--out", tmp_path / "study")
    assert done.returncode == 0, done.stderr
    with open(tmp_path / "study" / "ratings.csv", newline="", encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    axes = rubric().keys
    assert len(rows) == 8 and len(axes) == 4
    with open(tmp_path / "anna.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(row | dict.fromkeys(axes, 1 + number % 5) for number, row in enumerate(rows))
    done = run_meit("study", "score", tmp_path / "study", tmp_path / "anna.csv", "--out", tmp_path / "scored")
    assert done.returncode == 0, done.stderr
    done = run_meit("table", "expert", tmp_path / "scored", "--format", "csv")
    assert done.returncode == 0 and len(done.stdout.splitlines()) >= 2, done.stdout + done.stderr
    done = run_meit("table", "backbones", evaluated, "--format", "latex", "--out", tmp_path / "table.tex")
    assert done.returncode == 0 and "tabular" in (tmp_path / "table.tex").read_text()


def test_noise_is_added(build, simulated, tmp_path):
    build("llama").save(tmp_path / "model")
    task = ("evaluate", tmp_path / "model", simulated, "--task", "noise", "--out", tmp_path / "noise", "--noises")
    done = run_meit(*task, "missing lead=V1,V6")
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "noise" / "results.json").read_text())["task"] == "noise"
    assert json.loads((tmp_path / "noise" / "results.json").read_text())["scoring"]["protocol"] == "corpus"
    assert (tmp_path / "noise" / "curves.png").stat().st_size > 5_000
    done = run_meit(*task, "thunder")
    assert done.returncode == 2 and "no noise is called 'thunder'" in done.stderr


def test_noise_heeds_protocol_and_split(build, simulated, tmp_path):
    build("llama").save(tmp_path / "model")
    task = (
        "evaluate",
        tmp_path / "model",
        simulated,
        "--task",
        "noise",
        "--noises",
        "missing lead=V1",
        "--out",
        tmp_path,
    )
    done = run_meit(*task, "--protocol", "meit", "--split", "all")
    assert done.returncode == 0, done.stderr
    kept = json.loads((tmp_path / "results.json").read_text())
    assert kept["scoring"]["protocol"] == "meit" and kept["n"] == 30 and kept["split"] == "all"


def test_what_a_task_needs_is_said(build, simulated, tmp_path):
    build("llama").save(tmp_path / "model")
    done = run_meit("evaluate", tmp_path / "model", simulated, "--task", "expert", "--out", tmp_path / "out")
    assert done.returncode == 2 and "--table" in done.stderr
    done = run_meit("study", "judge", tmp_path, tmp_path / "no-model", "--out", tmp_path / "out")
    assert done.returncode == 2 and "cannot be loaded" in done.stderr
    assert "no results.json" in run_meit("table", "fusion", tmp_path / "empty").stderr
