"""One real recording, all the way: statements, measurements and warnings, in the JSON and in the text."""

import json

import pytest

import meit
from meit.drafting import draft as drafting
from meit.ecg.measure import GLOBAL


@pytest.fixture(scope="module")
def model(shipped):
    return shipped


@pytest.fixture(scope="module")
def recording(example):
    return meit.read_ecg(example.with_name("00041_lr"))


def test_a_draft_holds_what_was_checked(model, recording):
    draft = meit.draft_report(model, recording)
    given = json.loads(json.dumps(draft.to_dict(), allow_nan=False))
    assert {one["code"] for one in given["statements"]} == {"SR", "ALAD", "LAFB"}
    for one in given["statements"]:
        assert {"text", "code", "confidence", "support", "evidence"} <= one.keys()
        assert one["support"] == "measured" and one["text"] in given["report"] and 0 < one["confidence"] < 1
    axis = next(one for one in given["statements"] if one["code"] == "ALAD")
    assert axis["evidence"].startswith("axis -") and axis["evidence"].endswith(": marked left axis deviation")
    assert GLOBAL.keys() <= given["measurements"].keys() and 60 < given["measurements"]["heart_rate_bpm"] < 90
    text = draft.to_text()
    assert draft.model.never_names and "has not learned to name: complete AV block" in text.splitlines()[-1]
    assert "Measured: rate 7" in text and axis["evidence"] in text and f"+ {axis['confidence']:4.0%}" in text


@pytest.fixture
def wrong(monkeypatch):
    """The model writes what the recording is not."""
    written = "Sinus bradycardia. Right axis deviation. Normal ECG. Left atrial enlargement."
    monkeypatch.setattr(drafting, "write_reports", lambda *arguments: [written])
    return written


def test_what_is_contradicted_is_marked_and_named(model, recording, wrong):
    draft = meit.draft_report(model, recording)
    support = {one.statement.code: one.support for one in draft.statements}
    assert support["SBRAD"] == "contradicted" and support["ALAD"] == "measured"
    (contradicted,) = [line for line in draft.warnings if line.startswith("contradicted: ")]
    assert "'Sinus bradycardia' but rate 7" in contradicted
    # the axis is measured, and written; what cannot stand beside it goes
    assert "Marked left axis deviation (measured: axis -" in draft.report and not {"RAD", "NORM"} & support.keys()
    assert {"removed: 'normal ECG'"} < {line for line in draft.warnings if line.startswith("removed: ")}
    lines = draft.to_text().splitlines()
    assert any(line.startswith("  ! ") and "'Sinus bradycardia' but rate 7" in line for line in lines)


def test_strict_leaves_it_out_and_says_so(model, recording, wrong):
    draft = meit.draft_report(model, recording, strict=True)
    assert [one.statement.code for one in draft.statements] == ["LAO/LAE", "ALAD"]
    assert "atrial enlargement" in draft.report and "Sinus" not in draft.report
    assert sum(line.startswith("removed: ") for line in draft.warnings) == 3


def test_the_command_hands_strict_on(model, example, wrong, monkeypatch, capsys):
    from meit.cli import parser
    from meit.model import report_model

    monkeypatch.setattr(report_model, "load_model", lambda folder, *options: model)
    args = parser().parse_args(["report", str(example.with_name("00041_lr")), "--strict", "--format", "json"])
    assert args.run(args) == 0
    given = json.loads(capsys.readouterr().out)
    assert [one["code"] for one in given["statements"]] == ["LAO/LAE", "ALAD"]


def test_a_draft_of_which_nothing_is_left(model, recording, monkeypatch):
    monkeypatch.setattr(drafting, "write_reports", lambda *arguments: ["Sinus bradycardia."])
    draft = meit.draft_report(model, recording, strict=True)
    assert [one.from_measurements for one in draft.statements] == [True] and "(measured: axis -" in draft.report
    assert any("nothing is left" in line for line in draft.warnings)
    monkeypatch.setattr(drafting, "may_be_written", lambda reasons: False)
    draft = meit.draft_report(model, recording, strict=True)
    assert draft.report == "" and draft.statements == () and any("nothing is left" in line for line in draft.warnings)
    assert "(no sentence)" in draft.to_text()


def test_without_a_calibration_confidences_are_null(model, recording, monkeypatch):
    monkeypatch.setattr(model, "folder", None)
    draft = meit.draft_report(model, recording)
    assert draft.statements and all(one.confidence is None for one in draft.statements)
    assert "%" not in draft.to_text()
