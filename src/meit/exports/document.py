"""What is exported: a recording and the report on it as it stands, drafted or signed."""

from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property

from meit.drafting.checks.grounding import Grounded, ground
from meit.drafting.draft_types import Draft, RecordingInfo
from meit.drafting.examine import Examined, examine
from meit.ecg.measure import Measurements
from meit.ecg.quality import UNUSABLE, Quality
from meit.ecg.recording import Recording
from meit.errors import MeitError

DRAFT, FINAL, AMENDED = STATUSES = ("draft", "final", "amended")
UNSIGNED = "Not signed."


@dataclass(frozen=True)
class Signature:
    """Who signed a report, as what, and when: an instant, with its time zone."""

    name: str
    role: str
    time: datetime

    def __post_init__(self):
        if not self.name.strip() or self.time.tzinfo is None:
            raise MeitError("a signature needs a name, and a time with its time zone")

    def __str__(self) -> str:
        role = f", {self.role}" if self.role else ""
        return f"Signed by {self.name}{role}, {self.time:%Y-%m-%d %H:%M} {self.time.tzname()}."


@dataclass(frozen=True, eq=False)
class Document:
    """A report and what it is about.

    draft: the model's, as it was drafted; None where a reader wrote from a blank sheet. text: the report as it stands
    now. version counts what was signed, from 1. reason: of an amendment. identifier: of the report, the same in all its
    versions; "" for a draft that is kept nowhere.

    Raises MeitError where status, signature, text and reason do not go together.
    """

    recording: Recording
    text: str
    draft: Draft | None = None
    status: str = DRAFT
    signature: Signature | None = None
    reason: str = ""
    version: int = 1
    identifier: str = ""

    def __post_init__(self):
        if self.status not in STATUSES or (self.status == DRAFT) != (self.signature is None):
            raise MeitError(
                f"a report is a draft without a signature, or final or amended with one, not {self.status!r}"
            )
        if self.signature and not self.text.strip():
            raise MeitError("a signed report needs a text")
        if (self.status == AMENDED) != bool(self.reason.strip()):
            raise MeitError("an amended report, and no other, states the reason of its amendment")

    @property
    def signed(self) -> bool:
        return self.signature is not None

    @cached_property
    def current(self) -> Draft:
        """The draft as it would be had it been drafted with this text: its statements, held against what is measured,
        and what is to be checked. A statement that the model drafted too keeps its confidence and worth. `model` is None where none
        drafted."""
        draft = self.draft
        if draft is not None and self.text == draft.report:
            return draft
        patient = self.recording.patient
        grounding = ground(self.text, self.measurements or Measurements(), patient.sex, patient.age)
        drafted = {} if draft is None else {_key(one): one for one in draft.statements}
        return Draft(
            recording=RecordingInfo.of(self.recording) if draft is None else draft.recording,
            report=self.text,
            statements=tuple(as_drafted(one, drafted.get(_key(one))) for one in grounding.statements),
            warnings=(*grounding.warnings, *self.quality.warnings()),
            model=None if draft is None else draft.model,
            quality=self.quality,
            measurements=self.measurements,
        )

    @property
    def quality(self) -> Quality:
        """As the draft has it."""
        stated = self.draft.quality if self.draft is not None else None
        return self._examined.quality if stated is None else stated

    @property
    def measurements(self) -> Measurements | None:
        """As the draft has them; None of an unusable recording."""
        if self.draft is not None:
            return self.draft.measurements
        return None if self.quality.verdict == UNUSABLE else self._examined.measurements

    @cached_property
    def _examined(self) -> Examined:
        """Needed where no draft knows it."""
        return examine(self.recording)

    @cached_property
    def closing(self) -> list[str]:
        """What the report is: whose, and drafted by which model."""
        model = [self.current.drafted_by()] if self.current.model is not None else []
        if self.signature is None:
            return [" ".join([self.current.note, *model]), *self.current.limits()] if model else [UNSIGNED]
        version = (
            f"Version {self.version}." if self.status == FINAL else f"Version {self.version}, amended: {self.reason}"
        )
        return [str(self.signature), version, *(f"Drafted by a model. {words}" for words in model)]


def untouched(recording: Recording, draft: Draft) -> Document:
    """A draft that nobody has touched."""
    return Document(recording, draft.report, draft)


def as_drafted(one: Grounded, drafted: Grounded | None) -> Grounded:
    """A statement of a text as it stands, with the confidence and the worth of the same one in the draft."""
    if drafted is None:
        return replace(one, confidence=None)
    return replace(one, confidence=drafted.confidence, worth=drafted.worth)


def _key(grounded: Grounded) -> tuple[str, bool]:
    return grounded.statement.code, grounded.statement.negated
