"""The tables of the station, the same for SQLite and PostgreSQL.

Moments are UTC, as text of one width ("2026-11-25T19:16:00.123456Z"): it sorts as time does, and both databases give
back the same characters, which hashes depend on. Roles, statuses and kinds are words, for who reads the database.
"""

from datetime import UTC, datetime
from enum import StrEnum
from typing import ClassVar
from uuid import uuid4

from sqlalchemy import (
    CheckConstraint,
    Computed,
    Float,
    ForeignKey,
    Index,
    LargeBinary,
    MetaData,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from meit.station.store.moments import Moment


class Role(StrEnum):
    READER = "reader"
    STUDY_LEADER = "study leader"
    ADMIN = "admin"


class Status(StrEnum):
    """Of a recording; DRAFTED to FAILED are to be read, SIGNED and AMENDED are done."""

    QUEUED = "queued"
    DRAFTING = "drafting"
    DRAFTED = "drafted"
    FAILED = "failed"
    SIGNED = "signed"
    AMENDED = "amended"


def now() -> datetime:
    return datetime.now(UTC)


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_name)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar = {datetime: Moment, str: Text}


NEVER_REUSED = {"sqlite_autoincrement": True}  # an id in the audit trail means one thing for ever


def _one_of(column: str, values: type[StrEnum]) -> CheckConstraint:
    return CheckConstraint(f"{column} IN ({', '.join(repr(str(value)) for value in values)})", name=column)


class Account(Base):
    """login: as it is compared, casefolded. profession: the professional role that stands under a report."""

    __tablename__ = "accounts"
    __table_args__ = NEVER_REUSED

    id: Mapped[int] = mapped_column(primary_key=True)
    login: Mapped[str] = mapped_column(unique=True)
    full_name: Mapped[str]
    profession: Mapped[str]
    password_hash: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(default=now)
    deactivated_at: Mapped[datetime | None]


class AccountRole(Base):
    __tablename__ = "account_roles"
    __table_args__ = (_one_of("role", Role),)

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), primary_key=True)
    role: Mapped[str] = mapped_column(String(20), primary_key=True)


class LoginSession(Base):
    """A login. The token itself is nowhere but with its owner."""

    __tablename__ = "sessions"

    token_sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), index=True)
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]


class Attempt(Base):
    """A login that has not succeeded. Both are hashes: people type passwords into the field for the login."""

    __tablename__ = "login_attempts"

    id: Mapped[int] = mapped_column(primary_key=True)
    login_sha256: Mapped[str] = mapped_column(String(64), index=True)
    address_sha256: Mapped[str] = mapped_column(String(64), index=True)
    at: Mapped[datetime] = mapped_column(default=now, index=True)


class FirstRun(Base):
    """The token that opens an empty station; at most one row."""

    __tablename__ = "first_run"
    __table_args__ = (CheckConstraint("id = 1", name="one"),)

    id: Mapped[int] = mapped_column(primary_key=True, default=1)
    token_sha256: Mapped[str] = mapped_column(String(64))


class File(Base):
    """The bytes of an original file, once for each content."""

    __tablename__ = "files"

    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    content: Mapped[bytes] = mapped_column(LargeBinary)


class RecordingRow(Base):
    """An entry of the worklist. public_id: a random UUID, by which URLs name it. content_sha256: of its files
    together; the same files are one recording.

    name to rate_hz: as read from the files, once they are. acquired_at: the recorder's own clock, which has no zone.
    urgency: meit.drafting.checks.urgency.Urgency. critical: names of critical findings, comma-separated. search: folded text.
    triage, standing: what the worklist sorts by; done ones come last.
    """

    __tablename__ = "recordings"
    __table_args__ = (
        _one_of("status", Status),
        Index("ix_recordings_triage", "triage", "standing", "id"),
        Index("ix_recordings_standing", "standing", "triage", "id"),
        Index("ix_recordings_status", "status"),
        Index("ix_recordings_patient_id", "patient_id"),
        NEVER_REUSED,
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(36), unique=True, default=lambda: str(uuid4()))
    content_sha256: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime] = mapped_column(default=now)
    created_by: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    name: Mapped[str]
    patient_id: Mapped[str | None]
    age: Mapped[float | None] = mapped_column(Float(53))
    sex: Mapped[str | None] = mapped_column(String(1))
    acquired_at: Mapped[str | None]
    seconds: Mapped[float | None] = mapped_column(Float(53))
    rate_hz: Mapped[float | None] = mapped_column(Float(53))
    status: Mapped[str] = mapped_column(String(10), default=Status.QUEUED)
    error: Mapped[str | None]
    urgency: Mapped[int]
    critical: Mapped[str] = mapped_column(default="")
    triage: Mapped[int] = mapped_column(
        Computed("CASE WHEN status IN ('signed', 'amended') THEN 9 ELSE urgency END", True)
    )
    standing: Mapped[int] = mapped_column(
        Computed(
            "CASE status WHEN 'drafted' THEN 0 WHEN 'failed' THEN 1 WHEN 'drafting' THEN 2 WHEN 'queued' THEN 3 "
            "WHEN 'signed' THEN 4 ELSE 5 END",
            True,
        )
    )
    search: Mapped[str] = mapped_column(deferred=True)


class RecordingFile(Base):
    """A file of a recording under the name it came with: WFDB headers name their signal files."""

    __tablename__ = "recording_files"

    recording_id: Mapped[int] = mapped_column(ForeignKey("recordings.id"), primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    sha256: Mapped[str] = mapped_column(ForeignKey("files.sha256"), index=True)


class Job(Base):
    """A recording that waits for its draft. worker and leased_until (seconds since 1970): whoever is at it."""

    __tablename__ = "jobs"

    recording_id: Mapped[int] = mapped_column(ForeignKey("recordings.id"), primary_key=True, autoincrement=False)
    attempts: Mapped[int] = mapped_column(default=0)
    worker: Mapped[str | None] = mapped_column(index=True)
    leased_until: Mapped[float] = mapped_column(Float(53), default=0.0, index=True)


class QuestionRow(Base):
    """A question about a recording that waits for its answer, or for its reader: no record, and deleted before long.
    answer: meit.drafting.answering.Answer.to_dict() as JSON. error: why there is none. leased_until: as a Job's."""

    __tablename__ = "questions"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(36), unique=True, default=lambda: str(uuid4()))
    recording_id: Mapped[int] = mapped_column(ForeignKey("recordings.id"))
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    question: Mapped[str]
    asked_at: Mapped[datetime] = mapped_column(default=now)
    answer: Mapped[str | None]
    error: Mapped[str | None]
    leased_until: Mapped[float] = mapped_column(Float(53), default=0.0)


class DraftRow(Base):
    """What a model drafted. draft: Draft.to_dict() as JSON. measured: the measurements with every reliability, as JSON,
    by which texts are checked; null for an unusable recording."""

    __tablename__ = "drafts"
    __table_args__ = (UniqueConstraint("recording_id", "model_sha256"), NEVER_REUSED)

    id: Mapped[int] = mapped_column(primary_key=True)
    recording_id: Mapped[int] = mapped_column(ForeignKey("recordings.id"))
    model_sha256: Mapped[str] = mapped_column(String(64))
    draft: Mapped[str]
    measured: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(default=now)


class ViewRow(Base):
    """What the viewer draws of a recording but for the signal: meit.station.viewer_document.document as JSON. It
    follows from the files, so it may be deleted and made anew."""

    __tablename__ = "views"

    recording_id: Mapped[int] = mapped_column(ForeignKey("recordings.id"), primary_key=True, autoincrement=False)
    document: Mapped[str]


class WorkingText(Base):
    """The text that is being written. version: counts its changes; draft_id: the draft that it began with."""

    __tablename__ = "working_texts"

    recording_id: Mapped[int] = mapped_column(ForeignKey("recordings.id"), primary_key=True, autoincrement=False)
    version: Mapped[int]
    text: Mapped[str]
    draft_id: Mapped[int] = mapped_column(ForeignKey("drafts.id"))
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    saved_at: Mapped[datetime] = mapped_column(default=now)


class SignedReport(Base):
    """A signed version: number 1 is the report, later ones amend it, each with its reason.

    acknowledged: JSON list of contradictions that the reader acknowledged. subject: JSON of what was signed for: patient,
    time of acquisition and files of the recording as they were. signer and profession: as they were, too.
    """

    __tablename__ = "signed_reports"
    __table_args__ = (
        UniqueConstraint("recording_id", "number"),
        CheckConstraint("number >= 1 AND (number = 1) = (reason = '')", name="reason"),
        NEVER_REUSED,
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    recording_id: Mapped[int] = mapped_column(ForeignKey("recordings.id"))
    number: Mapped[int]
    text: Mapped[str]
    reason: Mapped[str]
    acknowledged: Mapped[str]
    subject: Mapped[str]
    draft_id: Mapped[int] = mapped_column(ForeignKey("drafts.id"))
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    signer: Mapped[str]
    profession: Mapped[str]
    signed_at: Mapped[datetime]
    audit_seq: Mapped[int] = mapped_column(ForeignKey("audit.seq"), unique=True)


class AuditRow(Base):
    """One event; meit.station.store.audit says what the hash covers."""

    __tablename__ = "audit"

    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[str] = mapped_column(String(27))
    account_id: Mapped[int | None]
    action: Mapped[str]
    objects: Mapped[str]
    payload_sha256: Mapped[str] = mapped_column(String(64))
    previous: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))


class Study(Base):
    """A comparison of reading with a draft and from a blank sheet. idle_s: a longer pause counts as this long."""

    __tablename__ = "studies"
    __table_args__ = NEVER_REUSED

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(36), unique=True, default=lambda: str(uuid4()))
    name: Mapped[str]
    seed: Mapped[int]
    idle_s: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(default=now)
    created_by: Mapped[int] = mapped_column(ForeignKey("accounts.id"))


class StudyReading(Base):
    """One recording for one reader, with its draft or blank. position: in the reader's order, from 0. active_ms,
    keystrokes: so far. finished_at: after that nothing of it changes."""

    __tablename__ = "study_readings"
    __table_args__ = (
        UniqueConstraint("study_id", "account_id", "recording_id"),
        CheckConstraint("arm IN ('draft', 'blank')", name="arm"),
        NEVER_REUSED,
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(36), unique=True, default=lambda: str(uuid4()))
    study_id: Mapped[int] = mapped_column(ForeignKey("studies.id"), index=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), index=True)
    recording_id: Mapped[int] = mapped_column(ForeignKey("recordings.id"))
    draft_id: Mapped[int] = mapped_column(ForeignKey("drafts.id"))
    arm: Mapped[str] = mapped_column(String(5))
    position: Mapped[int]
    text: Mapped[str]
    active_ms: Mapped[int] = mapped_column(default=0)
    keystrokes: Mapped[int] = mapped_column(default=0)
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
