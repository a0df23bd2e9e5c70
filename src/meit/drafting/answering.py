"""Questions that a reader asks about one ECG, and what the model answers: no report, and never exported or signed as one."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from meit.drafting.checks.grounding import Grounded
from meit.drafting.draft_types import Draft, ModelInfo, RecordingInfo
from meit.drafting.draft_wording import NO_REPORT
from meit.ecg.measure import Measurements
from meit.ecg.quality import Quality
from meit.errors import MeitError, ModelError

if TYPE_CHECKING:  # an answer can be read where no model is loaded
    from meit.model.configuration import ModelConfig

LONGEST_QUESTION = 300  # characters of a question
NOT_A_REPORT = "Answer to a question, for a clinician's review: no report, and not a diagnosis."
NO_ANSWER = "No answer was given: the recording is unusable."


def plain_question(question: str) -> str:
    """The question on one line. Raises MeitError where it is empty or too long."""
    asked = " ".join(question.split())
    if not asked:
        raise MeitError("the question is empty: ask for example 'Is there atrial fibrillation?'")
    if len(asked) > LONGEST_QUESTION:
        raise MeitError(f"the question has {len(asked)} characters: ask in at most {LONGEST_QUESTION}")
    return asked


def checked_question(question: str, config: "ModelConfig") -> str:
    """The same, for a model: raises ModelError for one that answers no questions."""
    asked = plain_question(question)
    if not config.asks:
        raise ModelError(
            f"{config.name} {config.version} was tuned to write the report and answers no questions: use a model that "
            "was tuned with 'instructions: asked'"
        )
    return asked


@dataclass(frozen=True)
class Answer:
    """What a model answered to a question about one recording, checked as a draft is (meit.drafting.draft_types.Draft).

    What takes reports, such as meit.exports, takes no Answer.
    """

    question: str
    _checked: Draft

    @property
    def text(self) -> str:
        """ "" where none was given, as of an unusable recording."""
        return self._checked.report

    @property
    def recording(self) -> RecordingInfo:
        return self._checked.recording

    @property
    def statements(self) -> tuple[Grounded, ...]:
        return self._checked.statements

    @property
    def warnings(self) -> tuple[str, ...]:
        return self._checked.warnings

    @property
    def model(self) -> ModelInfo | None:
        return self._checked.model

    @property
    def quality(self) -> Quality | None:
        return self._checked.quality

    @property
    def measurements(self) -> Measurements | None:
        return self._checked.measurements

    @property
    def unusable(self) -> bool:
        return self._checked.unusable

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready. It has no "report", so that nothing reads it as one."""
        checked = self._checked.to_dict()
        answer = checked.pop("report")
        recording = checked.pop("recording")
        note = NO_ANSWER if self.unusable else NOT_A_REPORT
        return {"recording": recording, "question": self.question, "answer": answer, **checked, "note": note}

    def to_text(self) -> str:
        """What a person reads: the recording, the question, the answer, and what was checked."""
        closing = [f"{NOT_A_REPORT} {self._checked.drafted_by()}", *self._checked.limits()]
        head, _, rest = self._checked.to_text(closing).partition("\n")
        return f"{head}\n\nAsked: {self.question}\n{rest.replace(NO_REPORT, NO_ANSWER)}"
