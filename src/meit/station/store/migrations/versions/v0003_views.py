"""What the viewer draws, kept, since measuring takes most of the time in which a recording opens."""

from alembic import op
from sqlalchemy import Column, ForeignKeyConstraint, Integer, PrimaryKeyConstraint, Text

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "views",
        Column("recording_id", Integer(), autoincrement=False, nullable=False),
        Column("document", Text(), nullable=False),
        ForeignKeyConstraint(["recording_id"], ["recordings.id"], name="fk_views_recording_id"),
        PrimaryKeyConstraint("recording_id", name="pk_views"),
    )
