"""Questions about a recording: kept from the page that asks until a worker has answered and the page has read.

They are no part of the report or of what is signed. That one was asked is in the audit trail, with the hash of its words.
"""

import json
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from meit.drafting.answering import Answer
from meit.errors import AbsentError
from meit.station.store.audit import append, digest
from meit.station.store.database import Store
from meit.station.store.recording_entries import recording_row
from meit.station.store.roles import require
from meit.station.store.schema import QuestionRow, Role, now

QUESTION_KEPT = timedelta(hours=1)


@dataclass(frozen=True)
class Waiting:
    """A question that a worker has taken."""

    id: int
    recording_id: int
    question: str


def ask_question(store: Store, account_id: int, recording_id: int, question: str) -> str:
    """Puts a question to the workers; its public id. What was asked more than QUESTION_KEPT ago is deleted."""
    with store.writing() as session:
        require(session, account_id, Role.READER)
        recording_row(session, recording_id)
        session.execute(delete(QuestionRow).where(QuestionRow.asked_at < now() - QUESTION_KEPT))
        row = QuestionRow(recording_id=recording_id, account_id=account_id, question=question)
        session.add(row)
        session.flush()
        append(session, "question.asked", account_id, digest(question), recording=recording_id)
        return row.public_id


def claim_question(store: Store, lease: float) -> Waiting | None:
    """The oldest question that nobody is at, for `lease` seconds; None where there is none."""
    moment = time.time()
    free = QuestionRow.answer.is_(None), QuestionRow.error.is_(None), QuestionRow.leased_until < moment
    with store.claiming() as session:
        oldest = select(QuestionRow).where(*free).order_by(QuestionRow.id).limit(1)
        row = session.scalar(oldest.with_for_update(skip_locked=True))
        if row is None:
            return None
        row.leased_until = moment + lease
        return Waiting(row.id, row.recording_id, row.question)


def finish_question(store: Store, question_id: int, answer: Answer | None, error: str | None = None) -> None:
    """Keeps the answer, or why there is none, for the page that asked."""
    with store.claiming() as session:
        row = session.get(QuestionRow, question_id)
        if row is not None:  # else it waited for longer than QUESTION_KEPT
            row.answer = None if answer is None else json.dumps(answer.to_dict(), allow_nan=False)
            row.error = error


def answer_to(store: Store, account_id: int, recording_id: int, public_id: str) -> dict[str, Any]:
    """question; answer: Answer.to_dict(), None while it waits; error. Raises AbsentError where this account has not asked."""
    with store.reading() as session:
        row = _asked(session, account_id, recording_id, public_id)
        answer = None if row.answer is None else json.loads(row.answer)
        return {"question": row.question, "answer": answer, "error": row.error}


def _asked(session: Session, account_id: int, recording_id: int, public_id: str) -> QuestionRow:
    mine = {"public_id": public_id, "account_id": account_id, "recording_id": recording_id}
    row = session.scalar(select(QuestionRow).filter_by(**mine))
    if row is None:
        raise AbsentError("this question is not there: ask it again")
    return row
