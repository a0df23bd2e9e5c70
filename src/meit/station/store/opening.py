"""Opening a station's database: made or upgraded on the way, by whichever process comes first."""

from importlib.resources import files

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.orm import Session

from meit.errors import StationError
from meit.station.store.audit import CREATED, append
from meit.station.store.database import UPGRADE_LOCK, Store, connect, default_url, plain_errors


def open_store(url: str | None = None) -> Store:
    """The store at `url` (sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME; default: a file in the user's data
    folder), its tables up to date.

    Raises StationError where it cannot be opened, or was made by a newer meit.
    """
    store = connect(url or default_url())
    try:
        with plain_errors(), store.engine.execution_options(writes=True).begin() as connection:
            _upgrade(connection)
    except BaseException:
        store.close()
        raise
    return store


def _upgrade(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": UPGRADE_LOCK})
    config = Config()
    config.set_main_option("script_location", str(files("meit.station.store").joinpath("migrations")))
    config.attributes["connection"] = connection
    scripts = ScriptDirectory.from_config(config)
    at = MigrationContext.configure(connection).get_current_revision()
    if at == scripts.get_current_head():
        return
    if at is not None and at not in {one.revision for one in scripts.walk_revisions()}:
        raise StationError("the database was made by a newer version of meit: install that one")
    command.upgrade(config, "head")
    if at is None:
        with Session(connection, join_transaction_mode="rollback_only") as session:
            append(session, CREATED)
