"""What the reading page's question box asks for: a question to the workers, and the answer when it is there."""

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field

from meit.drafting.answering import LONGEST_QUESTION, plain_question
from meit.station.app.access import Database, Reader
from meit.station.app.recording_pages import Chosen
from meit.station.work.asked_questions import answer_to, ask_question

router = APIRouter()
QuestionId = Annotated[str, Path(alias="question", pattern="^[0-9a-f-]{36}$")]


class Question(BaseModel):
    question: str = Field(max_length=4 * LONGEST_QUESTION)  # what is too long is said in its own words


@router.post(
    "/api/recordings/{id}/questions", tags=["recordings"], status_code=202, summary="Ask the model about a recording"
)
def api_ask(visit: Reader, store: Database, entry: Chosen, given: Question) -> dict:
    return {"id": ask_question(store, visit.person.id, entry.id, plain_question(given.question))}


@router.get(
    "/api/recordings/{id}/questions/{question}", tags=["recordings"], summary="The answer, once a worker has given it"
)
def api_answer(visit: Reader, store: Database, entry: Chosen, question: QuestionId) -> dict:
    return answer_to(store, visit.person.id, entry.id, question)
