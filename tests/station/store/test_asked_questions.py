"""Questions go to the workers and come back to who asked; nothing of them is signed, and that one was asked is recorded."""

import json
from dataclasses import replace

import pytest
from sqlalchemy import select
from stations import count_drafts, example_files, quick_reader

from meit.errors import AbsentError
from meit.reports.questions import KINDS
from meit.station.store.recording_entries import add_recording, get_recording
from meit.station.store.schema import AuditRow, QuestionRow, now
from meit.station.store.verifying import verify
from meit.station.work.asked_questions import QUESTION_KEPT, answer_to, ask_question, claim_question
from meit.station.work.worker import Worker, worker_name

ASKED = "Is there atrial fibrillation?"


@pytest.fixture
def worker(sqlite_store, build):
    """A tiny random model that may be asked."""
    model = build("llama")
    model.spec = replace(model.spec, asks=tuple(KINDS))
    return Worker(sqlite_store, model, worker_name())


@pytest.fixture
def reader(sqlite_store):
    return quick_reader(sqlite_store)


@pytest.fixture
def recording(sqlite_store, reader):
    return add_recording(sqlite_store, example_files(), reader)[0]


def trail(store) -> list[str]:
    with store.reading() as session:
        return [f"{one.action} {one.objects}" for one in session.scalars(select(AuditRow).order_by(AuditRow.seq))]


def test_an_answer_comes_back_and_nothing_is_kept_of_it_but_that_one_asked(sqlite_store, worker, reader, recording):
    before, entry = trail(sqlite_store), get_recording(sqlite_store, recording)
    asked = ask_question(sqlite_store, reader, recording, ASKED)
    assert answer_to(sqlite_store, reader, recording, asked) == {"question": ASKED, "answer": None, "error": None}
    assert worker.answer_once() and not worker.answer_once()
    found = answer_to(sqlite_store, reader, recording, asked)
    assert found["error"] is None and found["answer"]["question"] == ASKED and "report" not in found["answer"]
    assert {"answer", "statements", "warnings", "quality", "measurements", "model"} <= found["answer"].keys()
    (added,) = trail(sqlite_store)[len(before) :]
    assert added == f"question.asked {json.dumps({'recording': recording}, separators=(',', ':'))}"
    assert count_drafts(sqlite_store, recording) == 0 and get_recording(sqlite_store, recording) == entry
    assert verify(sqlite_store).holds


def test_only_who_asked_reads_the_answer(sqlite_store, reader, recording):
    asked = ask_question(sqlite_store, reader, recording, ASKED)
    for account, about in ((reader + 1, recording), (reader, recording + 1)):
        with pytest.raises(AbsentError, match="ask it again"):
            answer_to(sqlite_store, account, about, asked)


def test_a_model_that_answers_no_questions_says_so(sqlite_store, worker, reader, recording):
    worker.model.spec = replace(worker.model.spec, asks=())
    asked = ask_question(sqlite_store, reader, recording, ASKED)
    assert worker.answer_once()
    found = answer_to(sqlite_store, reader, recording, asked)
    assert found["answer"] is None and "answers no questions" in found["error"]


def test_a_question_has_one_worker_at_a_time_and_another_when_that_one_dies(sqlite_store, reader, recording):
    ask_question(sqlite_store, reader, recording, ASKED)
    first = claim_question(sqlite_store, lease=60)
    assert first.question == ASKED and claim_question(sqlite_store, lease=60) is None
    with sqlite_store.claiming() as session:
        session.get_one(QuestionRow, first.id).leased_until = 0.0  # its lease is over
    assert claim_question(sqlite_store, lease=60) == first


def test_old_questions_are_deleted(sqlite_store, reader, recording):
    old = ask_question(sqlite_store, reader, recording, ASKED)
    with sqlite_store.claiming() as session:
        session.scalars(select(QuestionRow)).one().asked_at = now() - 2 * QUESTION_KEPT
    ask_question(sqlite_store, reader, recording, "What is the rhythm?")
    with pytest.raises(AbsentError):
        answer_to(sqlite_store, reader, recording, old)
