"""Hallucination and omission before and after the checks, on records whose counts are known."""

import json
from types import MappingProxyType

import pytest

from meit.benchmark.set_scores import set_scores
from meit.benchmark.tasks.evidence import SYSTEMS, _by_code, _judge, _shares, evaluate_grounding
from meit.drafting import set_drafts
from meit.drafting.calibration.calibrating import calibrate_confidences
from meit.drafting.calibration.confidence import load_calibration
from meit.drafting.checks.grounding import SUPPORTS
from meit.drafting.prepared_drafts import PreparedDraft, measure_prepared
from meit.ecg.measure.measurements import Measure, Measurements
from meit.errors import DataError


def record(number, draft, reference, **values):
    found = Measurements({name: Measure(float(value), 1.0) for name, value in values.items()})
    return PreparedDraft(str(number), str(number), reference, "F", 50.0, "mV", draft, MappingProxyType({}), found)


RECORDS = [
    record(1, "Sinus rhythm. Sinus bradycardia.", "Sinus rhythm.", heart_rate_bpm=80),  # an invention is removed
    record(2, "Sinus rhythm. Normal ECG.", "Sinus rhythm. First degree AV block.", pr_ms=240),  # and an omission added
    record(3, "Left axis deviation.", "Left axis deviation.", axis_deg=45),  # a true finding is lost
    record(4, "Sinus rhythm.", "Sinus rhythm.", heart_rate_bpm=70),
]


def test_counts_by_hand():
    rows = [_judge(one) for one in RECORDS]
    metrics, differences = set_scores(
        SYSTEMS, [row["sets"] for row in rows], [row["reference"] for row in rows], [1, 2, 3, 4], 20
    )
    values = {name: {key: metric.value for key, metric in found.items()} for name, found in metrics.items()}
    assert values["before"] == pytest.approx(
        {"hallucinated": 2 / 4, "omitted": 1 / 4, "precision": 4 / 6, "recall": 4 / 5, "f1": 8 / 11}
    )
    assert values["removed"] == pytest.approx(
        {"hallucinated": 0, "omitted": 2 / 4, "precision": 1, "recall": 3 / 5, "f1": 6 / 8}
    )
    assert values["after"] == pytest.approx(
        {"hallucinated": 0, "omitted": 1 / 4, "precision": 1, "recall": 4 / 5, "f1": 8 / 9}
    )
    assert differences["after"]["hallucinated"].value == pytest.approx(-0.5)


def test_the_price_is_told_by_code():
    rows = [_judge(one) for one in RECORDS]
    table = _by_code(rows)
    assert "| LAD | 1 | 1 | 0 | 0 | 0 |" in table and "| SBRAD | 1 | 0 | 0 | 0 | 0 |" in table
    assert "| 1AVB | 0 | 0 | 1 | 1 | 1 |" in table and "| all | 3 | 1 | 1 | 1 | 1 |" in table
    assert "| contradicted | 3 | 1 | 0.33 |" in _shares(rows, "support", SUPPORTS)


@pytest.fixture
def writing(build, tmp_path, monkeypatch):
    """A tiny model's folder; it writes what it is told."""

    def told(text):
        monkeypatch.setattr(set_drafts, "write_reports", lambda model, given, tokens, done: [text] * len(given))
        return tmp_path / "model"

    build("llama").save(tmp_path / "model")
    return told


def test_calibrated_then_evaluated(writing, simulated, tmp_path):
    """Of folds 9 and 10 with three recordings each, at 150 and 60 per minute; the references hold no finding."""
    model = writing("Tachycardia. Atrial fibrillation.")
    assert "6 statements of folds [9]" in calibrate_confidences(model, [simulated])
    table = evaluate_grounding(model, [simulated], tmp_path / "out", "test")
    kept = json.loads((tmp_path / "out" / "results.json").read_text())
    assert kept["task"] == "grounding" and kept["n"] == kept["recordings_in_mv"] == 3
    assert load_calibration(model, kept["model"]["sha256"]) is not None
    assert kept["systems"]["before"]["hallucinated"]["value"] == 2
    rows = [json.loads(line) for line in (tmp_path / "out" / "predictions.jsonl").read_text().splitlines()]
    support = [{one["code"]: one["support"] for one in row["statements"]}["TACHY"] for row in rows]
    assert support == ["measured", "contradicted", "measured"]
    assert (tmp_path / "out" / "table.md").read_text() == table + "\n"
    assert (tmp_path / "out" / "calibration.png").read_bytes()[:4] == b"\x89PNG"


def test_drafts_without_a_statement_cannot_be_calibrated_on(writing, simulated):
    with pytest.raises(DataError, match="no statement"):
        calibrate_confidences(writing("nothing"), [simulated])


def test_z_scored_recordings_bear_no_voltage(example):
    import numpy as np

    import meit
    from meit.data.shards import Example, Report

    recording = meit.read_ecg(example.with_name("00041_lr"))
    report = Report("1", "1", 1, "", "", "en", 1.0)
    scored = (recording.signal - recording.signal.mean(0)) / recording.signal.std(0)
    in_mv = measure_prepared(Example(report, recording.signal, recording.rate, "mV"))
    in_z = measure_prepared(Example(report, scored.astype(np.float32), recording.rate, "z"))
    assert in_mv["sokolow_lyon_mv"].value is not None and in_mv.leads
    assert in_z["sokolow_lyon_mv"].value is None and not in_z.leads
    assert in_z["heart_rate_bpm"].value == pytest.approx(in_mv["heart_rate_bpm"].value, abs=1)
    assert in_z["axis_deg"].value == pytest.approx(in_mv["axis_deg"].value, abs=5)  # the limb leads' ratio is recovered
