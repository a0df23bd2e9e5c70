"""Questions that readers ask about a recording, until their answers were read."""

from alembic import op
from sqlalchemy import (
    Column,
    Float,
    ForeignKeyConstraint,
    Integer,
    PrimaryKeyConstraint,
    String,
    Text,
    UniqueConstraint,
)

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "questions",
        Column("id", Integer(), nullable=False),
        Column("public_id", String(length=36), nullable=False),
        Column("recording_id", Integer(), nullable=False),
        Column("account_id", Integer(), nullable=False),
        Column("question", Text(), nullable=False),
        Column("asked_at", String(length=27), nullable=False),
        Column("answer", Text(), nullable=True),
        Column("error", Text(), nullable=True),
        Column("leased_until", Float(precision=53), nullable=False),
        ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_questions_account_id"),
        ForeignKeyConstraint(["recording_id"], ["recordings.id"], name="fk_questions_recording_id"),
        PrimaryKeyConstraint("id", name="pk_questions"),
        UniqueConstraint("public_id", name="uq_questions_public_id"),
    )
