"""A model on another hospital's recordings, beside what knows the wording alone."""

import json
from dataclasses import replace

import pytest
from forked_meit import run_meit
from support import write_prepared

from meit.data.shards import read_examples


@pytest.fixture
def elsewhere(simulated, tmp_path):
    """The same hearts, in other words."""
    words = {"fast": "tachycardia", "slow": "bradycardia slow"}
    rows = [replace(e, report=replace(e.report, text=words[e.report.text])) for e in read_examples(simulated)]
    return write_prepared(tmp_path / "elsewhere", rows)


def evaluate(*arguments):
    return run_meit("evaluate", *arguments)


def test_wording_and_skill_stand_apart(build, elsewhere, simulated, tmp_path):
    build("llama").save(tmp_path / "model")
    task = ("--task", "zero-shot", "--out", tmp_path / "out")
    done = evaluate(tmp_path / "model", elsewhere, *task, "--tuned-on", simulated)
    assert done.returncode == 0, done.stderr
    kept = json.loads((tmp_path / "out" / "results.json").read_text())
    assert kept["task"] == "zero-shot" and kept["n"] == 30 and kept["split"] == "all"
    assert kept["tuned_on"] == [simulated.name] and kept["data"][0]["folder"] == "elsewhere"
    shift = kept["vocabulary_shift"]
    assert shift["unknown_words"] == pytest.approx(2 / 3) and shift["unknown_reports"] == 1
    rows = [json.loads(line) for line in (tmp_path / "out" / "predictions.jsonl").read_text().splitlines()]
    assert len({row["untuned backbone"] for row in rows}) == 1
    assert {row["most frequent report of the tuning set"] for row in rows} <= {"fast", "slow"}
    assert {row["most frequent report of this hospital"] for row in rows} <= {"tachycardia", "bradycardia slow"}
    assert "do not stand in the tuning set" in done.stdout
    done = evaluate(tmp_path / "model", elsewhere, *task)
    assert done.returncode == 2 and "--tuned-on" in done.stderr
