"""Alembic's revisions of the tables; `open_store` runs them. A released revision is never edited: add another."""
