"""Task `tokens`: a language model that reads its ECG tokens, one whose projector lets nothing through, and the numbers."""

import json
import re

import numpy as np
import pytest
from support import write_prepared

from meit.benchmark.finding_scores import score_findings
from meit.benchmark.task_table import run_task
from meit.benchmark.tasks.baselines import commonest_of_nearest
from meit.benchmark.tasks.ecg_reading import (
    ANOTHERS,
    ANOTHERS_FINDINGS,
    ANOTHERS_SIGNAL,
    FINDINGS,
    HIDDEN,
    LOOKED_UP,
    OWN,
    SHUFFLED_DRAFTS,
    ZEROED,
    evaluate_tokens,
)
from meit.benchmark.texts.scoring import Scoring
from meit.data.shards import read_examples
from meit.drafting import report_writing
from meit.errors import DataError
from meit.model.encoders.encoding import encode_all, recordings_for

WRITTEN = (OWN, ANOTHERS, ANOTHERS_SIGNAL, ANOTHERS_FINDINGS, ZEROED, HIDDEN, SHUFFLED_DRAFTS)


@pytest.fixture(scope="module")
def recordings(simulated, tmp_path_factory):
    """The simulated recordings, their reports saying something of the encoder's findings."""
    from dataclasses import replace

    said = {"fast": "Atrial fibrillation.", "slow": "Normal ECG."}
    examples = [
        replace(one, report=replace(one.report, text=said[one.report.text])) for one in read_examples(simulated)
    ]
    return write_prepared(tmp_path_factory.mktemp("recordings"), examples)


@pytest.fixture(scope="module")
def evaluated(build, recordings, tmp_path_factory):
    """(blind, plan) -> results.json and predictions of a tiny model."""
    from dataclasses import replace

    def make(blind=False, plan=0.0, fusion="concat"):
        folder = tmp_path_factory.mktemp("tokens")
        model = build("llama", fusion=fusion)
        model.spec = replace(model.spec, plan=plan)
        signal = model.projector.signal
        _, tokens, _ = encode_all(model.ensemble, recordings_for(model.spec.encoder, [recordings], range(1, 11)))
        mean, scale = tokens.mean((0, 1)), 3 / tokens.std(0).mean()  # an untrained encoder's tokens are much alike
        signal.weight.data *= scale
        signal.bias.data = -signal.weight.data @ mean
        if blind:
            model.projector.signal.weight.data.zero_()
            model.projector.findings[-1].weight.data.zero_()
        model.save(folder / "model")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(report_writing, "MAX_NEW_TOKENS", 8)
            text = evaluate_tokens(folder / "model", [recordings], folder / "out", "all", device="cpu")
        assert (folder / "out" / "table.md").read_text() == text
        rows = [json.loads(line) for line in (folder / "out" / "predictions.jsonl").read_text().splitlines()]
        return json.loads((folder / "out" / "results.json").read_text()), rows

    return make


def identical(results):
    return {name: found["identical"]["value"] for name, found in results["ways"].items() if "identical" in found}


def test_one_that_reads_writes_another_patients_report(evaluated):
    results, rows = evaluated()
    assert results["task"] == "tokens" and results["n"] == len(rows) == 30
    assert set(rows[0]) == {"record_id", "reference", *WRITTEN, LOOKED_UP}
    same = identical(results)
    assert same[ANOTHERS] < 0.5 and same[ZEROED] < 0.5 and same[HIDDEN] < 0.5
    assert same[ANOTHERS] == results["metrics"]["another_identical"]["value"]
    # each was given the tokens of the recording whose draft it would have in its place, and so wrote that draft
    assert [row[ANOTHERS] for row in rows] == [row[SHUFFLED_DRAFTS] for row in rows]
    assert results["distinct_drafts"][HIDDEN] == results["distinct_drafts"][ZEROED] == 1


@pytest.mark.parametrize("fusion", ["concat", "cross"])
def test_one_whose_projector_ignores_its_input_writes_the_same(evaluated, fusion):
    results, rows = evaluated(blind=True, fusion=fusion)
    same = identical(results)
    assert same[ANOTHERS] == same[ANOTHERS_SIGNAL] == same[ANOTHERS_FINDINGS] == same[SHUFFLED_DRAFTS] == 1
    assert results["distinct_drafts"][OWN] == 1 and rows[0][ZEROED] != rows[0][OWN]


def test_the_numbers_are_those_of_the_predictions(evaluated):
    results, rows = evaluated(plan=0.5)
    references, patients = [row["reference"] for row in rows], [row["record_id"] for row in rows]
    assert results["threshold"] == 0.5 and FINDINGS in results["ways"]
    found = score_findings([row[LOOKED_UP] for row in rows], references, patients)
    for name in ("precision", "recall", "f1"):
        assert results["ways"][LOOKED_UP][name] == {
            "value": pytest.approx(found[f"statement_{name}"].value),
            "ci95": pytest.approx(found[f"statement_{name}"].ci95),
        }
    assert {row[LOOKED_UP] for row in rows} <= set(references)


def test_the_task_by_its_name_and_the_fold_it_takes(build, recordings, tmp_path, monkeypatch):
    monkeypatch.setattr(report_writing, "MAX_NEW_TOKENS", 4)
    build("bart").save(tmp_path / "model")
    options = {"model_folder": tmp_path / "model", "data": [recordings], "out": tmp_path / "out", "split": None}
    text = run_task("tokens", options | {"quantised": None, "device": "cpu", "dtype": "auto", "scoring": Scoring()})
    assert re.match(r"n = 3 recordings, validation split; findings above 0\.\d\d\n", text)


def test_the_commonest_text_of_the_nearest_plan():
    plans = np.array([[1, 0, 0], [1, 0, 0], [1, 0, 0], [0, 1, 1]])
    texts = ["rare", "common", "common", "other"]
    asked = np.array([[1, 0, 0], [0, 1, 1], [1, 1, 1], [0, 0, 0]])
    assert commonest_of_nearest(plans, texts, asked) == ["common", "other", "other", "common"]
    with pytest.raises(DataError, match="0 training plans"):
        commonest_of_nearest(np.zeros((0, 3)), [], asked)
