"""Drafting goes batch by batch, of none as of many, and without a finding that the encoder was trained to find."""

from dataclasses import replace

import pytest
import torch

import meit
from meit.drafting import draft as drafting
from meit.drafting.draft import draft_reports
from meit.drafting.report_writing import READ_AHEAD


@pytest.fixture(scope="module")
def model(shipped):
    return shipped


@pytest.fixture(scope="module")
def recordings(example):
    return [meit.read_ecg(path, allow_missing=True) for path in sorted(example.parent.glob("*.hea"))]


@pytest.fixture
def told(monkeypatch):
    """The language model, which takes its time, writes the same of each; the sizes of what it was asked for are kept."""
    asked = []

    def write(model, probabilities, tokens, *more):
        asked.append(len(tokens))
        return ["Sinus rhythm. Normal ECG."] * len(tokens)

    monkeypatch.setattr(drafting, "write_reports", write)
    return asked


def test_of_no_recording_no_draft(model):
    assert draft_reports(model, []) == []


def test_the_encoder_sees_a_batch_at_a_time(model, recordings, told, monkeypatch):
    many = [replace(recordings[0], name=str(number)) for number in range(2 * READ_AHEAD + 3)]
    sizes, encode = [], model.encode
    monkeypatch.setattr(model, "encode", lambda ecgs, *more: sizes.append(len(ecgs)) or encode(ecgs, *more))
    drafts = draft_reports(model, many, batch=2)
    assert [draft.recording.name for draft in drafts] == [one.name for one in many]
    assert max(sizes) == 2 and sum(sizes) == len(many) and told == [2 * READ_AHEAD, 3]


class Findless:
    """A model whose encoder was trained to find nothing: probabilities of no finding."""

    def __init__(self, model):
        encoder = replace(model.spec.encoder, findings=())
        self.spec = replace(model.spec, encoder=encoder)
        self._model = model

    def __getattr__(self, name):
        return getattr(self._model, name)

    def encode(self, ecgs, *more):
        _, tokens, features = self._model.encode(ecgs, *more)
        return torch.zeros(len(ecgs), 0), tokens, features


def test_an_encoder_without_findings_gives_no_doubt_and_no_confidence(model, recordings, told, monkeypatch):
    drafts = draft_reports(Findless(model), recordings)
    assert not any("encoder's probability" in line for draft in drafts for line in draft.warnings)
    stated = [one for draft in drafts for one in draft.statements if not one.from_measurements]
    assert all(one.confidence is None for one in stated) and drafts[0].statements
    assert any(one.confidence is not None for draft in draft_reports(model, recordings) for one in draft.statements)
