"""A draft is what its JSON says: written and read back, it is the same."""

import json
from dataclasses import replace
from datetime import datetime

import numpy as np
import pytest

import meit
from meit.drafting import draft as drafting
from meit.drafting import examine as examining
from meit.drafting.draft import Draft, draft_reports
from meit.drafting.draft_wording import statement_words
from meit.drafting.examine import examine
from meit.ecg.recording import LEADS, Recording

WRITTEN = "Sinus rhythm. Possible old inferior infarction. No atrial fibrillation. Normal ECG."


@pytest.fixture(scope="module")
def model(shipped):
    return shipped


@pytest.fixture(scope="module")
def recordings(example):
    real = [meit.read_ecg(path, allow_missing=True) for path in sorted(example.parent.glob("*.hea"))]
    signal = real[0].signal.copy()
    signal[:, LEADS.index("V3")] = 0
    noise = np.random.default_rng(0).normal(size=(1000, 12)).astype(np.float32)
    return [
        *real,
        replace(real[0], signal=signal, start=datetime(2026, 3, 1, 12, 30)),
        Recording("noise", noise, 100.0),
    ]


@pytest.fixture(scope="module")
def drafts(model, recordings):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(drafting, "write_reports", lambda model, seen, *more: [WRITTEN] * len(seen))
        return draft_reports(model, recordings)


def test_read_back_it_is_the_same(drafts):
    assert {draft.quality.verdict for draft in drafts} >= {"limited", "unusable"}
    for draft in drafts:
        given = draft.to_dict()
        text = json.dumps(given, allow_nan=False)
        again = Draft.from_dict(json.loads(text))
        assert json.dumps(again.to_dict()) == text and Draft.from_dict(given) == again
        assert again == draft and again.to_text() == draft.to_text()


def test_what_the_json_holds(drafts):
    given = drafts[0].to_dict()
    assert list(given) == ["recording", "report", "warnings", "model", "quality", "statements", "measurements", "note"]
    infarction = next(one for one in given["statements"] if one["code"] == "IMI")
    assert (infarction["certainty"], infarction["territory"], infarction["age"]) == ("possible", "inferior", "old")
    for one in given["statements"]:
        assert given["report"][one["start"] : one["end"]] == one["text"]
    assert "infarction (possible, inferior, old)" in [statement_words(one) for one in drafts[0].statements]


def test_what_was_examined_is_not_measured_again(model, recordings, drafts, monkeypatch):
    examined = [examine(recording) for recording in recordings]
    monkeypatch.setattr(examining, "examine", lambda recording: pytest.fail("measured a second time"))
    monkeypatch.setattr(drafting, "write_reports", lambda model, seen, *more: [WRITTEN] * len(seen))
    assert draft_reports(model, examined) == drafts
    assert drafts[0].measurements == examined[0].measurements


def test_a_draft_kept_before_statements_had_a_place_is_read(drafts):
    given = drafts[0].to_dict()
    given["statements"] = [
        {key: value for key, value in one.items() if key not in ("age", "start", "end")} for one in given["statements"]
    ]
    old = Draft.from_dict(given)
    assert [one.statement.code for one in old.statements] == [one.statement.code for one in drafts[0].statements]
