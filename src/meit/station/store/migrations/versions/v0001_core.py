"""The tables of the first station: accounts, recordings, drafts, reports, queue, audit trail."""

from alembic import op
from sqlalchemy import (
    CheckConstraint,
    Column,
    Computed,
    Float,
    ForeignKeyConstraint,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    String,
    Text,
    UniqueConstraint,
)

from meit.station.store.immutable import forbid_changes

revision = "0001"
down_revision = None

IMMUTABLE = {  # table -> columns that never change; none named: the whole row. No row of these is ever deleted.
    "audit": (),
    "signed_reports": (),
    "drafts": (),
    "files": (),
    "recording_files": (),
    "recordings": ("id", "public_id", "content_sha256", "created_at", "created_by"),
    "accounts": ("id", "login", "created_at"),
}
TRIAGE = "CASE WHEN status IN ('signed', 'amended') THEN 9 ELSE urgency END"
STANDING = (
    "CASE status WHEN 'drafted' THEN 0 WHEN 'failed' THEN 1 WHEN 'drafting' THEN 2 WHEN 'queued' THEN 3 "
    "WHEN 'signed' THEN 4 ELSE 5 END"
)


def upgrade() -> None:
    op.create_table(
        "accounts",
        Column("id", Integer(), nullable=False),
        Column("login", Text(), nullable=False),
        Column("full_name", Text(), nullable=False),
        Column("profession", Text(), nullable=False),
        Column("password_hash", Text(), nullable=False),
        Column("created_at", String(27), nullable=False),
        Column("deactivated_at", String(27), nullable=True),
        PrimaryKeyConstraint("id", name="pk_accounts"),
        UniqueConstraint("login", name="uq_accounts_login"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "audit",
        Column("seq", Integer(), autoincrement=False, nullable=False),
        Column("at", String(27), nullable=False),
        Column("account_id", Integer(), nullable=True),
        Column("action", Text(), nullable=False),
        Column("objects", Text(), nullable=False),
        Column("payload_sha256", String(64), nullable=False),
        Column("previous", String(64), nullable=False),
        Column("hash", String(64), nullable=False),
        PrimaryKeyConstraint("seq", name="pk_audit"),
    )
    op.create_table(
        "files",
        Column("sha256", String(64), nullable=False),
        Column("content", LargeBinary(), nullable=False),
        PrimaryKeyConstraint("sha256", name="pk_files"),
    )
    op.create_table(
        "first_run",
        Column("id", Integer(), nullable=False),
        Column("token_sha256", String(64), nullable=False),
        CheckConstraint("id = 1", name="one"),
        PrimaryKeyConstraint("id", name="pk_first_run"),
    )
    op.create_table(
        "login_attempts",
        Column("id", Integer(), nullable=False),
        Column("login_sha256", String(64), nullable=False),
        Column("address_sha256", String(64), nullable=False),
        Column("at", String(27), nullable=False),
        PrimaryKeyConstraint("id", name="pk_login_attempts"),
    )
    op.create_index("ix_login_attempts_address_sha256", "login_attempts", ["address_sha256"])
    op.create_index("ix_login_attempts_at", "login_attempts", ["at"])
    op.create_index("ix_login_attempts_login_sha256", "login_attempts", ["login_sha256"])
    op.create_table(
        "account_roles",
        Column("account_id", Integer(), nullable=False),
        Column("role", String(20), nullable=False),
        CheckConstraint("role IN ('reader', 'study leader', 'admin')", name="role"),
        ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_account_roles_account_id"),
        PrimaryKeyConstraint("account_id", "role", name="pk_account_roles"),
    )
    op.create_table(
        "recordings",
        Column("id", Integer(), nullable=False),
        Column("public_id", String(36), nullable=False),
        Column("content_sha256", String(64), nullable=False),
        Column("created_at", String(27), nullable=False),
        Column("created_by", Integer(), nullable=True),
        Column("name", Text(), nullable=False),
        Column("patient_id", Text(), nullable=True),
        Column("age", Float(53), nullable=True),
        Column("sex", String(1), nullable=True),
        Column("acquired_at", Text(), nullable=True),
        Column("seconds", Float(53), nullable=True),
        Column("rate_hz", Float(53), nullable=True),
        Column("status", String(10), nullable=False),
        Column("error", Text(), nullable=True),
        Column("urgency", Integer(), nullable=False),
        Column("critical", Text(), nullable=False),
        Column("triage", Integer(), Computed(TRIAGE, persisted=True), nullable=False),
        Column("standing", Integer(), Computed(STANDING, persisted=True), nullable=False),
        Column("search", Text(), nullable=False),
        CheckConstraint("status IN ('queued', 'drafting', 'drafted', 'failed', 'signed', 'amended')", name="status"),
        ForeignKeyConstraint(["created_by"], ["accounts.id"], name="fk_recordings_created_by"),
        PrimaryKeyConstraint("id", name="pk_recordings"),
        UniqueConstraint("public_id", name="uq_recordings_public_id"),
        UniqueConstraint("content_sha256", name="uq_recordings_content_sha256"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_recordings_patient_id", "recordings", ["patient_id"])
    op.create_index("ix_recordings_standing", "recordings", ["standing", "triage", "id"])
    op.create_index("ix_recordings_status", "recordings", ["status"])
    op.create_index("ix_recordings_triage", "recordings", ["triage", "standing", "id"])
    op.create_table(
        "sessions",
        Column("token_sha256", String(64), nullable=False),
        Column("account_id", Integer(), nullable=False),
        Column("created_at", String(27), nullable=False),
        Column("seen_at", String(27), nullable=False),
        ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_sessions_account_id"),
        PrimaryKeyConstraint("token_sha256", name="pk_sessions"),
    )
    op.create_index("ix_sessions_account_id", "sessions", ["account_id"])
    op.create_table(
        "drafts",
        Column("id", Integer(), nullable=False),
        Column("recording_id", Integer(), nullable=False),
        Column("model_sha256", String(64), nullable=False),
        Column("draft", Text(), nullable=False),
        Column("measured", Text(), nullable=True),
        Column("created_at", String(27), nullable=False),
        ForeignKeyConstraint(["recording_id"], ["recordings.id"], name="fk_drafts_recording_id"),
        PrimaryKeyConstraint("id", name="pk_drafts"),
        UniqueConstraint("recording_id", "model_sha256", name="uq_drafts_recording_id"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "jobs",
        Column("recording_id", Integer(), autoincrement=False, nullable=False),
        Column("attempts", Integer(), nullable=False),
        Column("worker", Text(), nullable=True),
        Column("leased_until", Float(53), nullable=False),
        ForeignKeyConstraint(["recording_id"], ["recordings.id"], name="fk_jobs_recording_id"),
        PrimaryKeyConstraint("recording_id", name="pk_jobs"),
    )
    op.create_index("ix_jobs_leased_until", "jobs", ["leased_until"])
    op.create_index("ix_jobs_worker", "jobs", ["worker"])
    op.create_table(
        "recording_files",
        Column("recording_id", Integer(), nullable=False),
        Column("name", Text(), nullable=False),
        Column("sha256", String(64), nullable=False),
        ForeignKeyConstraint(["recording_id"], ["recordings.id"], name="fk_recording_files_recording_id"),
        ForeignKeyConstraint(["sha256"], ["files.sha256"], name="fk_recording_files_sha256"),
        PrimaryKeyConstraint("recording_id", "name", name="pk_recording_files"),
    )
    op.create_index("ix_recording_files_sha256", "recording_files", ["sha256"])
    op.create_table(
        "signed_reports",
        Column("id", Integer(), nullable=False),
        Column("recording_id", Integer(), nullable=False),
        Column("number", Integer(), nullable=False),
        Column("text", Text(), nullable=False),
        Column("reason", Text(), nullable=False),
        Column("acknowledged", Text(), nullable=False),
        Column("subject", Text(), nullable=False),
        Column("draft_id", Integer(), nullable=False),
        Column("account_id", Integer(), nullable=False),
        Column("signer", Text(), nullable=False),
        Column("profession", Text(), nullable=False),
        Column("signed_at", String(27), nullable=False),
        Column("audit_seq", Integer(), nullable=False),
        CheckConstraint("number >= 1 AND (number = 1) = (reason = '')", name="reason"),
        ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_signed_reports_account_id"),
        ForeignKeyConstraint(["audit_seq"], ["audit.seq"], name="fk_signed_reports_audit_seq"),
        ForeignKeyConstraint(["draft_id"], ["drafts.id"], name="fk_signed_reports_draft_id"),
        ForeignKeyConstraint(["recording_id"], ["recordings.id"], name="fk_signed_reports_recording_id"),
        PrimaryKeyConstraint("id", name="pk_signed_reports"),
        UniqueConstraint("recording_id", "number", name="uq_signed_reports_recording_id"),
        UniqueConstraint("audit_seq", name="uq_signed_reports_audit_seq"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "working_texts",
        Column("recording_id", Integer(), autoincrement=False, nullable=False),
        Column("version", Integer(), nullable=False),
        Column("text", Text(), nullable=False),
        Column("draft_id", Integer(), nullable=False),
        Column("account_id", Integer(), nullable=False),
        Column("saved_at", String(27), nullable=False),
        ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_working_texts_account_id"),
        ForeignKeyConstraint(["draft_id"], ["drafts.id"], name="fk_working_texts_draft_id"),
        ForeignKeyConstraint(["recording_id"], ["recordings.id"], name="fk_working_texts_recording_id"),
        PrimaryKeyConstraint("recording_id", name="pk_working_texts"),
    )
    for table, columns in IMMUTABLE.items():
        forbid_changes(op.get_bind(), table, columns)
