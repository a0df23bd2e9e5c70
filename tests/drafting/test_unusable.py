"""An unusable recording gets no findings, only the reason; in a batch the others are drafted as ever."""

import json
from dataclasses import replace

import numpy as np
import pytest

import meit
from meit.cli import main
from meit.drafting import draft as drafting
from meit.drafting.draft import draft_reports
from meit.drafting.draft_wording import NO_REPORT
from meit.ecg.recording import LEADS, Recording


@pytest.fixture(scope="module")
def model(shipped):
    return shipped


@pytest.fixture(scope="module")
def good(example):
    return meit.read_ecg(example.with_name("00041_lr"))


@pytest.fixture(scope="module")
def noise():
    signal = np.random.default_rng(0).normal(size=(1000, 12)).astype(np.float32)
    return Recording("noise", signal, 100.0)


def test_no_report_no_finding_and_the_reason(model, noise, monkeypatch):
    monkeypatch.setattr(drafting, "write_reports", lambda *arguments: pytest.fail("the language model was run"))
    draft = meit.draft_report(model, noise)
    assert draft.report == "" and draft.statements == () and draft.measurements is None and draft.unusable
    given = json.loads(json.dumps(draft.to_dict(), allow_nan=False))
    assert given["quality"]["verdict"] == "unusable" and given["note"] == NO_REPORT
    assert given["warnings"][0].startswith("no ECG can be made out") and given["quality"]["reasons"][0]["grave"]
    assert given["model"]["sha256"] == model.sha256
    text = draft.to_text()
    assert NO_REPORT in text and given["warnings"][0] in text and "Findings" not in text and "no sentence" not in text


def test_in_a_batch_only_the_good_ones_are_written(model, good, noise, monkeypatch):
    alone = meit.draft_report(model, good)
    seen = []
    write = drafting.write_reports
    monkeypatch.setattr(drafting, "write_reports", lambda *a: seen.append(len(a[1])) or write(*a))
    drafts = draft_reports(model, [noise, good, noise])
    assert seen == [1] and [one.report for one in drafts] == ["", alone.report, ""]
    assert drafts[1].statements == alone.statements and next(one.recording.name for one in drafts) == "noise"


def test_a_limited_recording_is_drafted_with_its_warnings(model, good):
    signal = good.signal.copy()
    signal[:, LEADS.index("V3")] = 0
    draft = meit.draft_report(model, replace(good, signal=signal))
    assert draft.report and draft.quality.verdict == "limited"
    assert any(line.startswith("V3 is flat") for line in draft.warnings) and "V3 is flat" in draft.to_text()


def test_an_unfamiliar_recording_says_so(model, good, monkeypatch):
    monkeypatch.setattr(model, "familiarity", replace(model.familiarity, limit=1e-3))
    draft = meit.draft_report(model, good)
    assert draft.report and draft.quality.verdict == "limited"
    assert any("not trained on recordings like this one" in line for line in draft.warnings)


def test_the_command_says_it_and_succeeds(tmp_path, capsys, noise, monkeypatch):
    np.savetxt(tmp_path / "noise.csv", noise.signal, delimiter=",", header=",".join(LEADS), comments="")
    (tmp_path / "noise.json").write_text(json.dumps({"rate_hz": 100, "unit": "mV"}))
    monkeypatch.setattr("sys.argv", ["meit", "report", str(tmp_path / "noise.csv")])
    assert main() == 0
    out, err = capsys.readouterr()
    assert NO_REPORT in out and "no ECG can be made out" in out
    assert "1 of 1 recordings are unusable" in err and "Traceback" not in err
