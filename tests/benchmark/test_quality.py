"""`meit train`, then `meit evaluate`, as a user runs them, on a tiny model and simulated recordings."""

import json

import pytest
from forked_meit import run_meit
from report_texts import score


@pytest.fixture(scope="module")
def results(simulated, tiny_backbone, tmp_path_factory):
    folder = tmp_path_factory.mktemp("quality")
    recipe = folder / "recipe.yaml"
    recipe.write_text(
        f"out: {folder / 'run'}\ndata: [{simulated}]\nbackbone: {tiny_backbone}\npretrain_epochs: 20\npretrain_batch_size: 8\n"
        "cross_fits: 2\ntext_steps: 4\ntune_epochs: 30\nbatch_size: 8\nlearning_rate: 5.0e-3\n"
    )
    done = run_meit("train", recipe)
    assert done.returncode == 0, done.stderr
    assert str(folder / "run" / "model") in done.stdout
    done = run_meit("evaluate", folder / "run" / "model", simulated, "--split", "test", "--out", folder / "out")
    assert done.returncode == 0, done.stderr
    assert "most frequent report" in done.stdout
    return folder / "out"


def test_the_table_is_printed_and_kept(results):
    table = (results / "table.md").read_text()
    assert table.startswith("n = 3 recordings, test split")
    for system in ("model", "most frequent report", "nearest ECG", "another patient's ECG"):
        assert f"| {system} |" in table


def test_the_numbers_are_those_of_the_predictions(results, simulated):
    kept = json.loads((results / "results.json").read_text())
    rows = [json.loads(line) for line in (results / "predictions.jsonl").read_text().splitlines()]
    assert kept["task"] == "quality" and kept["n"] == len(rows) == 3
    assert [row["record_id"] for row in rows] == ["27", "28", "29"]
    references = [row["reference"] for row in rows]
    assert references == ["fast", "slow", "fast"]
    train = ["slow", "fast"] * 12
    anew = score([row["model"] for row in rows], references, ["27", "28", "29"], train)
    for name, metric in anew.items():
        assert kept["metrics"][name] == {"value": pytest.approx(metric.value), "ci95": pytest.approx(metric.ci95)}
    assert {row["another patient's ECG"] for row in rows} <= {row["model"] for row in rows}
    assert kept["versions"]["sacrebleu"] and len(kept["model"]["sha256"]) == 64
    assert kept["data"][0]["folder"] == simulated.name


def test_a_tiny_model_has_learnt_what_it_was_shown(results):
    rows = [json.loads(line) for line in (results / "predictions.jsonl").read_text().splitlines()]
    assert [row["model"] for row in rows] == [row["reference"] for row in rows]


def test_without_recordings_it_says_so(tmp_path, simulated):
    done = run_meit("evaluate", tmp_path, simulated, "--out", tmp_path / "out")
    assert done.returncode == 2 and "holds no model" in done.stderr
