"""Studies: which recording is read by whom, with its draft or blank, and what came of it."""

from alembic import op
from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Integer,
    PrimaryKeyConstraint,
    String,
    Text,
    UniqueConstraint,
)

from meit.station.store.immutable import forbid_changes

revision = "0002"
down_revision = "0001"

IMMUTABLE = {
    "studies": (),
    "study_readings": ("id", "public_id", "study_id", "account_id", "recording_id", "draft_id", "arm", "position"),
}


def upgrade() -> None:
    op.create_table(
        "studies",
        Column("id", Integer(), nullable=False),
        Column("public_id", String(36), nullable=False),
        Column("name", Text(), nullable=False),
        Column("seed", Integer(), nullable=False),
        Column("idle_s", Integer(), nullable=False),
        Column("created_at", String(27), nullable=False),
        Column("created_by", Integer(), nullable=False),
        ForeignKeyConstraint(["created_by"], ["accounts.id"], name="fk_studies_created_by"),
        PrimaryKeyConstraint("id", name="pk_studies"),
        UniqueConstraint("public_id", name="uq_studies_public_id"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "study_readings",
        Column("id", Integer(), nullable=False),
        Column("public_id", String(36), nullable=False),
        Column("study_id", Integer(), nullable=False),
        Column("account_id", Integer(), nullable=False),
        Column("recording_id", Integer(), nullable=False),
        Column("draft_id", Integer(), nullable=False),
        Column("arm", String(5), nullable=False),
        Column("position", Integer(), nullable=False),
        Column("text", Text(), nullable=False),
        Column("active_ms", Integer(), nullable=False),
        Column("keystrokes", Integer(), nullable=False),
        Column("started_at", String(27), nullable=True),
        Column("finished_at", String(27), nullable=True),
        CheckConstraint("arm IN ('draft', 'blank')", name="arm"),
        ForeignKeyConstraint(["study_id"], ["studies.id"], name="fk_study_readings_study_id"),
        ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_study_readings_account_id"),
        ForeignKeyConstraint(["recording_id"], ["recordings.id"], name="fk_study_readings_recording_id"),
        ForeignKeyConstraint(["draft_id"], ["drafts.id"], name="fk_study_readings_draft_id"),
        PrimaryKeyConstraint("id", name="pk_study_readings"),
        UniqueConstraint("public_id", name="uq_study_readings_public_id"),
        UniqueConstraint("study_id", "account_id", "recording_id", name="uq_study_readings_study_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_study_readings_study_id", "study_readings", ["study_id"])
    op.create_index("ix_study_readings_account_id", "study_readings", ["account_id"])
    for table, columns in IMMUTABLE.items():
        forbid_changes(op.get_bind(), table, columns)
