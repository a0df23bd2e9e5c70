"""A model whose encoder was trained to find nothing (B5): it is evaluated without what only a trained head could say."""

import json
from dataclasses import replace

import pytest

from meit.benchmark.task_table import run_task
from meit.benchmark.texts.scoring import Scoring
from meit.model.report_model import ReportModel


@pytest.fixture
def model_folder(build, tmp_path):
    with_findings = build("llama")
    spec = replace(with_findings.spec, encoder=replace(with_findings.spec.encoder, findings=()), finding_tokens=0)
    model = ReportModel(spec, with_findings.backbone, with_findings.tokenizer)
    model.eval().save(tmp_path / "model")
    return tmp_path / "model"


@pytest.mark.parametrize("task", ["quality", "grounding"])
def test_it_is_evaluated_without_auroc_and_calibration(task, model_folder, simulated, tmp_path):
    options = {"model_folder": model_folder, "data": [simulated], "out": tmp_path / "out", "scoring": Scoring()}
    run_task(task, options | {"split": None, "quantised": None, "device": "auto", "dtype": "auto"})
    results = json.loads((tmp_path / "out" / "results.json").read_text())
    assert results["n"] == 3 and results["task"] == task and results["task_version"] == 1
    assert "abnormal_auroc" not in results["metrics"] and not results.get("calibration")
    assert len((tmp_path / "out" / "predictions.jsonl").read_text().splitlines()) == 3
