"""Drafts: exactly one of a recording and model; and what was measured for them, which texts are held against."""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from meit.drafting.checks.text_check import TextCheck, hold_against
from meit.drafting.checks.urgency import urgency_of
from meit.drafting.draft_types import Draft, RecordingInfo
from meit.ecg.measure import Measurements
from meit.errors import AbsentError, StationError
from meit.station.store.audit import append
from meit.station.store.database import Store
from meit.station.store.recording_entries import recording_row
from meit.station.store.schema import DraftRow, RecordingRow, Status, WorkingText
from meit.station.store.storable import folded, storable


@dataclass(frozen=True)
class SavedDraft:
    """As it lies in the database. draft: of what was measured in single leads the values alone."""

    id: int
    recording_id: int
    model_sha256: str
    created_at: datetime
    draft: Draft


def save_draft(session: Session, recording_id: int, draft: Draft, patient_id: str | None) -> bool:
    """Within a transaction of Store.writing: a model's draft, what it says of the recording, its urgency and status.

    False where this model's draft of it was there already: then nothing changes but the status. Raises StationError
    for a draft that no model made.
    """
    recording = recording_row(session, recording_id)
    if draft.model is None:
        raise StationError("a draft is kept with the model that made it")
    model = draft.model.sha256
    known = session.scalar(select(DraftRow.id).filter_by(recording_id=recording_id, model_sha256=model))
    if recording.status in (Status.QUEUED, Status.DRAFTING, Status.FAILED):
        recording.status = Status.DRAFTED
    if known is not None:
        return False
    text = json.dumps(draft.to_dict(), ensure_ascii=False, allow_nan=False)
    measured = None if draft.measurements is None else json.dumps(draft.measurements.to_record(), allow_nan=False)
    session.add(DraftRow(recording_id=recording_id, model_sha256=model, draft=text, measured=measured))
    _describe(recording, draft.recording, patient_id)
    recording.error = None
    urgency, critical = urgency_of(draft)
    recording.urgency, recording.critical = urgency.value, ",".join(critical)
    if not session.scalar(select(WorkingText.version).filter_by(recording_id=recording_id)):
        recording.search = search_text(recording, draft.report)
    append(session, "draft.saved", payload=draft_digest(text, measured), recording=recording_id, model=model)
    return True


def fail_draft(session: Session, recording_id: int, error: str) -> None:
    """Within a transaction of Store.writing: drafting failed, for the reason that is shown. A draft that is there stays."""
    recording = recording_row(session, recording_id)
    if session.scalar(select(DraftRow.id).filter_by(recording_id=recording_id).limit(1)) is None:
        recording.status, recording.error = Status.FAILED, storable(error)
    append(session, "draft.failed", recording=recording_id)


def get_draft(store: Store, recording_id: int, draft_id: int | None = None) -> SavedDraft:
    """The draft with this id, by default the one of the working text. AbsentError where there is none."""
    with store.reading() as session:
        return saved_draft(draft_row(session, recording_id, draft_id))


def check_text(store: Store, recording_id: int, text: str, draft_id: int | None = None) -> TextCheck:
    """Any text, held against what was measured for a draft: by default, for the one of the working text.

    AbsentError where there is none yet.
    """
    with store.reading() as session:
        return check_against(session, draft_row(session, recording_id, draft_id), text)


def check_against(session: Session, row: DraftRow, text: str) -> TextCheck:
    recording = recording_row(session, row.recording_id)
    return hold_against(text, _measurements(row.measured), recording.sex, recording.age)


def draft_row(session: Session, recording_id: int, draft_id: int | None = None) -> DraftRow:
    """A draft of this recording; by default the one that its working text began with, or, where nobody has saved a
    text, the newest. Another model may have drafted since: its draft is none of this text's. Raises AbsentError."""
    if draft_id is None:
        draft_id = session.scalar(select(WorkingText.draft_id).filter_by(recording_id=recording_id))
    drafts = select(DraftRow).filter_by(recording_id=recording_id)
    if draft_id is not None:
        drafts = drafts.filter_by(id=draft_id)
    row = session.scalars(drafts.order_by(DraftRow.id.desc()).limit(1)).first()
    if row is None:
        raise AbsentError("this recording has no draft yet" if draft_id is None else "there is no such draft")
    return row


def draft_digest(draft: str, measured: str | None) -> str:
    return hashlib.sha256(f"{draft}\n{measured or ''}".encode()).hexdigest()


def search_text(recording: RecordingRow, text: str) -> str:
    return folded(recording.name, recording.patient_id, text)


def saved_draft(row: DraftRow) -> SavedDraft:
    draft = Draft.from_dict(json.loads(row.draft))
    return SavedDraft(row.id, row.recording_id, row.model_sha256, row.created_at, draft)


def _describe(recording: RecordingRow, info: RecordingInfo, patient_id: str | None) -> None:
    recording.name, recording.patient_id = storable(info.name), storable(patient_id) if patient_id else None
    recording.age, recording.sex = info.age, info.sex
    recording.acquired_at = info.start.isoformat(sep=" ") if info.start else None
    recording.seconds, recording.rate_hz = info.seconds, info.rate_hz


def _measurements(text: str | None) -> Measurements:
    return Measurements.from_record(json.loads(text)) if text else Measurements()
