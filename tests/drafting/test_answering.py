"""A question in place of the report: who may be asked, what is checked of the answer, and that it never is a report."""

import json
from dataclasses import replace

import pytest

import meit
from meit.cli import main
from meit.drafting import draft as drafting
from meit.drafting.answering import checked_question
from meit.ecg.measure import Measurements
from meit.ecg.measure.measurements import Measure
from meit.errors import MeitError, ModelError
from meit.exports import EXPORT_FORMATS
from meit.exports.document import untouched
from meit.model import default_model
from meit.model.configuration import read_config
from meit.reports.questions import KINDS

ASKED = "Is there atrial fibrillation?"


@pytest.fixture(scope="module")
def asks(build):
    model = build("llama")
    return replace(model.spec, asks=tuple(KINDS))


@pytest.fixture
def answering(build, asks, monkeypatch):
    """A model that may be asked, and what it is made to answer."""

    def make(words):
        model = build("llama")
        model.spec = asks
        told = []
        monkeypatch.setattr(drafting, "write_reports", lambda *given: told.append(given[5]) or [words])
        return model, told

    return make


@pytest.fixture
def recording(example):
    return meit.read_ecg(example)


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("", "the question is empty"),
        (" \n ", "the question is empty"),
        ("a" * 301, "301 characters: ask in at most 300"),
    ],
)
def test_a_question_is_neither_empty_nor_long(asks, question, said):
    with pytest.raises(MeitError, match=said) as error:
        checked_question(question, asks)
    assert "\n" not in str(error.value)


def test_a_question_is_one_line(asks):
    assert checked_question(" Is there\n  atrial fibrillation? ", asks) == ASKED


def test_a_model_that_was_tuned_on_reports_alone_says_so():
    with pytest.raises(ModelError, match="was tuned to write the report and answers no questions: use a model"):
        checked_question(ASKED, replace(read_config(default_model()), asks=()))


def test_the_model_is_asked_what_the_reader_asks(answering, recording):
    model, told = answering("No atrial fibrillation.")
    answer = meit.draft_report(model, recording, ask=ASKED)
    assert told == [ASKED] and answer.question == ASKED and answer.text == "No atrial fibrillation."
    assert meit.draft_report(model, recording).report.startswith(answer.text) and told[1] is None  # its own instruction


def test_no_is_held_against_what_is_measured(answering, recording, monkeypatch):
    """Measured fibrillation contradicts it, in words; --strict leaves nothing of it."""
    fibrillating = {"p_present": Measure(0.0, 1.0), "rr_irregularity": Measure(0.3, 1.0)}
    model, _ = answering("No atrial fibrillation.")
    real = drafting.ground
    monkeypatch.setattr(drafting, "ground", lambda text, _, *more: real(text, Measurements(fibrillating), *more))
    answer = meit.draft_report(model, recording, ask=ASKED)
    assert [one.support for one in answer.statements] == ["contradicted"]
    assert "contradicted: 'atrial fibrillation' is excluded, but no P waves" in answer.warnings[0]
    assert "  ! " in answer.to_text()
    assert meit.draft_report(model, recording, strict=True, ask=ASKED).text == ""


def test_an_answer_is_no_report(answering, recording):
    """Whatever takes reports does not take it, and its JSON has no report."""
    model, _ = answering("Yes: Atrial fibrillation.")
    answer = meit.draft_report(model, recording, ask=ASKED)
    for name in ("fhir", "pdf", "html"):
        with pytest.raises((MeitError, AttributeError)):
            EXPORT_FORMATS[name].write(untouched(recording, answer))
    given = json.loads(json.dumps(answer.to_dict(), allow_nan=False))
    assert "report" not in given and given["question"] == ASKED and given["answer"] == answer.text
    assert "no report" in given["note"] and "no report, and not a diagnosis" in answer.to_text().splitlines()[-1]


def test_an_unusable_recording_has_no_answer(answering, recording):
    flat = replace(recording, signal=recording.signal * 0)
    answer = meit.draft_report(answering("Yes: Sinus rhythm.")[0], flat, ask=ASKED)
    assert answer.unusable and answer.text == "" and "No answer was given" in answer.to_text()
    assert answer.to_dict()["note"].startswith("No answer was given")


@pytest.fixture
def command(build, asks, tmp_path, monkeypatch):
    """meit report, with a model of random weights in a folder."""
    model = build("llama")
    model.spec = asks
    model.save(tmp_path / "model")

    def run(*arguments):
        monkeypatch.setattr("sys.argv", ["meit", "report", *map(str, arguments)])
        return main()

    return lambda *arguments: run("--model", tmp_path / "model", *arguments)


def test_the_command_prints_the_answer(command, example, capsys):
    assert command(example, "--ask", ASKED, "--format", "json") == 0
    given = json.loads(capsys.readouterr().out)
    assert given["question"] == ASKED and "answer" in given and "report" not in given
    assert command(example, example.with_name("00041_lr"), "--ask", ASKED) == 0
    out = capsys.readouterr().out
    assert out.count(f"Asked: {ASKED}") == out.count("no report, and not a diagnosis") == 2


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--format", "fhir"), "an answer is no report and has no fhir: take --format text or json"),
        (("--out", "answers"), "an answer is no report and is only printed: leave out --out"),
        (("--workers", "2"), "several processes need a folder"),
    ],
)
def test_what_is_for_reports_is_refused(command, example, capsys, more, said):
    assert command(example, "--ask", ASKED, *more) == 2
    out, err = capsys.readouterr()
    assert out == "" and said in err and err.count("\n") == 1


def test_the_shipped_model_refuses_in_one_line_where_it_was_not_tuned_to_answer(example, capsys, monkeypatch):
    if read_config(default_model()).asks:
        pytest.skip("the shipped model answers questions")
    monkeypatch.setattr("sys.argv", ["meit", "report", str(example), "--ask", ASKED])
    assert main() == 2
    out, err = capsys.readouterr()
    assert out == "" and "answers no questions" in err and err.count("\n") == 1
