"""Runs revisions on the connection that meit.station.store.opening gives, within its transaction: all or nothing."""

from alembic import context

from meit.station.store.schema import Base

context.configure(
    connection=context.config.attributes["connection"], target_metadata=Base.metadata, transactional_ddl=True
)
with context.begin_transaction():
    context.run_migrations()
