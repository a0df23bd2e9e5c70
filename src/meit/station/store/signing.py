"""The report of a recording: a working text, signed versions, amendments.

A text is saved first and then signed as it was saved: what the reader has not sent cannot be signed, and neither can
what somebody else has changed meanwhile.
"""

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from meit.errors import StaleError, StationError, UnacknowledgedError
from meit.station.store.audit import Anchor, append, canonical_json, digest
from meit.station.store.database import Store
from meit.station.store.moments import moment_text
from meit.station.store.recording_entries import counts, recording_row
from meit.station.store.roles import require
from meit.station.store.saved_drafts import check_against, draft_row, search_text
from meit.station.store.schema import (
    AuditRow,
    RecordingFile,
    RecordingRow,
    Role,
    SignedReport,
    Status,
    WorkingText,
    now,
)
from meit.station.store.storable import field_text, report_text

SIGNED = "report.signed"
READABLE = (Status.DRAFTED, Status.SIGNED, Status.AMENDED)


@dataclass(frozen=True)
class Working:
    """version 0: nobody has changed the draft's text yet; then account_id and saved_at are None. draft_id: the draft
    that the text began with."""

    version: int
    text: str
    draft_id: int
    account_id: int | None
    saved_at: datetime | None


@dataclass(frozen=True)
class Signed:
    """number 1: the report; higher ones amend it, with a reason. subject: patient, acquisition and files' sums then.

    anchor: its place in the audit trail; carried by what is exported, it makes the trail up to there tamper-evident.
    """

    recording_id: int
    number: int
    text: str
    reason: str
    acknowledged: tuple[str, ...]
    subject: dict
    draft_id: int
    account_id: int
    signer: str
    profession: str
    signed_at: datetime
    anchor: Anchor


def working_text(store: Store, recording_id: int) -> Working:
    """The text to go on with. Raises AbsentError while there is no draft."""
    with store.reading() as session:
        recording_row(session, recording_id)
        row = session.get(WorkingText, recording_id)
        if row is not None:
            return Working(row.version, row.text, row.draft_id, row.account_id, row.saved_at)
        draft = draft_row(session, recording_id)
        return Working(0, json.loads(draft.draft)["report"], draft.id, None, None)


def save_text(
    store: Store, account_id: int, recording_id: int, text: str, version: int, draft_id: int | None = None
) -> Working:
    """Saves a reader's text over the version that he had; returns it with its new version.

    draft_id: the draft that the text began with, since another may have come while the reader wrote; None for the
    newest. It is kept with the first version and stands for all later ones.

    Raises StaleError where the version is no longer the newest, AbsentError while there is no draft.
    """
    text = report_text(text)
    with store.writing() as session:
        require(session, account_id, Role.READER)
        recording = recording_row(session, recording_id)
        row = _current(session, recording_id, version)
        if row is None:
            row = WorkingText(recording_id=recording_id, draft_id=draft_row(session, recording_id, draft_id).id)
            session.add(row)
        row.version, row.text, row.account_id, row.saved_at = version + 1, text, account_id, now()
        recording.search = search_text(recording, text)
        append(session, "text.saved", account_id, digest(text), recording=recording_id, version=row.version)
        return Working(row.version, text, row.draft_id, account_id, row.saved_at)


def sign(
    store: Store, account_id: int, recording_id: int, version: int, acknowledged: Collection[str] = (), reason: str = ""
) -> Signed:
    """Signs the saved text of that version; the first time as the report, later as an amendment with its reason.

    acknowledged: the evidence of each statement in the text that the measurements contradict (`contradictions` of
    `check_text`). Raises RoleError where the account is no reader's, StaleError where the text is another by now,
    UnacknowledgedError, and StationError for an empty text, an amendment without reason, or one that changes nothing.
    """
    with store.writing() as session:
        reader = require(session, account_id, Role.READER)
        recording = recording_row(session, recording_id)
        row = _current(session, recording_id, version)
        if row is None:
            raise StationError("save the text before it is signed")
        if recording.status not in READABLE or not row.text.strip():
            raise StationError("there is no text to sign")
        last = session.scalars(_versions(recording_id).limit(1)).first()
        reason = _reason(reason, last, row.text)
        contradicted = check_against(session, draft_row(session, recording_id, row.draft_id), row.text).contradictions
        if not set(contradicted) <= set(acknowledged):
            raise UnacknowledgedError(contradicted)
        report = SignedReport(
            recording_id=recording_id,
            number=1 if last is None else last.number + 1,
            text=row.text,
            reason=reason,
            acknowledged=canonical_json(contradicted).decode(),
            subject=canonical_json(_subject(session, recording)).decode(),
            draft_id=row.draft_id,
            account_id=account_id,
            signer=reader.full_name,
            profession=reader.profession,
            signed_at=now(),
        )
        recording.status = Status.SIGNED if last is None else Status.AMENDED
        objects = {"recording": recording_id, "number": report.number}
        anchor = append(session, SIGNED, account_id, report_digest(report), **objects)
        report.audit_seq = anchor.seq
        session.add(report)
        return _signed(report, anchor)


def signed_versions(store: Store, recording_id: int) -> tuple[Signed, ...]:
    """All signed versions, the newest first; none before signing."""
    with store.reading() as session:
        recording_row(session, recording_id)
        found = session.scalars(_versions(recording_id)).all()
        return tuple(
            _signed(one, Anchor(one.audit_seq, session.get_one(AuditRow, one.audit_seq).hash)) for one in found
        )


def report_digest(report: SignedReport) -> str:
    """Of everything that was signed, as the audit trail has it."""
    fields = ("recording_id", "number", "text", "reason", "acknowledged", "subject", "draft_id", "account_id", "signer")
    values = {name: getattr(report, name) for name in (*fields, "profession")}
    return digest({**values, "signed_at": moment_text(report.signed_at)})


def _current(session: Session, recording_id: int, version: int) -> WorkingText | None:
    row = session.get(WorkingText, recording_id)
    newest = 0 if row is None else row.version
    if version != newest:
        raise StaleError(f"the text is at version {newest} by now, not {version}: load it again")
    return row


def readable_count(store: Store) -> int:
    """Recordings with a draft or a signed report."""
    found = counts(store)
    return sum(found[one] for one in READABLE)


def _reason(reason: str, last: SignedReport | None, text: str) -> str:
    if last is None:
        if reason:
            raise StationError("a first report has no reason; only an amendment has")
        return ""
    if last.text == text:
        raise StationError(f"this text is signed already, as version {last.number}")
    return field_text(reason, "the reason of the amendment")


def _subject(session: Session, recording: RecordingRow) -> dict:
    """Who and what was signed for. The age as text: canonical JSON here has no fractions."""
    files = session.execute(
        select(RecordingFile.name, RecordingFile.sha256).filter_by(recording_id=recording.id).order_by("name")
    )
    return {
        "name": recording.name,
        "patient_id": recording.patient_id,
        "age": None if recording.age is None else f"{recording.age:g}",
        "sex": recording.sex,
        "acquired_at": recording.acquired_at,
        "files": {row.name: row.sha256 for row in files},
    }


def _versions(recording_id: int):
    return select(SignedReport).filter_by(recording_id=recording_id).order_by(SignedReport.number.desc())


def _signed(report: SignedReport, anchor: Anchor) -> Signed:
    values = {name: getattr(report, name) for name in Signed.__dataclass_fields__ if name != "anchor"}
    given = {"acknowledged": tuple(json.loads(report.acknowledged)), "subject": json.loads(report.subject)}
    return Signed(**values | given, anchor=anchor)
