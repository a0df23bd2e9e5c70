"""The database: where it lies, how a transaction begins, and what its failures mean.

SQLite (3.35 or newer) in WAL mode with synchronous=FULL: a commit that has returned is on the disk. Every writing
transaction begins with BEGIN IMMEDIATE, so writers queue up instead of failing half-way. PostgreSQL by its URL, through
pg8000; audited transactions there take one advisory lock first, which makes them as serial as SQLite's.
"""

import os
import sqlite3
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from platformdirs import user_data_path
from sqlalchemy import URL, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from meit.errors import BusyError, StationError

BUSY_SECONDS = 30  # that a writer waits for others
CHAIN_LOCK = 0x6D656974  # "meit", of PostgreSQL's advisory locks
UPGRADE_LOCK = CHAIN_LOCK + 1
PRAGMAS = (
    "synchronous=FULL",
    "foreign_keys=ON",
    "recursive_triggers=ON",  # REPLACE then meets the triggers that forbid deletion
    f"busy_timeout={BUSY_SECONDS * 1000}",
)


@dataclass(frozen=True)
class Store:
    """An open database; every function of the station takes it first. Shared by threads, not by forked processes."""

    engine: Engine

    @property
    def url(self) -> str:
        """With its password: for worker processes, never for a log."""
        return self.engine.url.render_as_string(hide_password=False)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session that sees one state of the database throughout, whatever others commit."""
        with plain_errors(), Session(self.engine.execution_options(**_SNAPSHOT[self.engine.dialect.name])) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A transaction whose events go into the audit trail: committed at the end, or nothing of it is there."""
        with self.claiming() as session:
            if self.engine.dialect.name == "postgresql":
                session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": CHAIN_LOCK})
            yield session

    @contextmanager
    def claiming(self) -> Iterator[Session]:
        """A transaction that leaves no trace in the audit trail: leases, sessions, attempts."""
        with plain_errors(), Session(self.engine.execution_options(writes=True), expire_on_commit=False) as session:
            with session.begin():
                yield session

    def close(self) -> None:
        self.engine.dispose()


_SNAPSHOT = {"sqlite": {}, "postgresql": {"isolation_level": "REPEATABLE READ"}}


def default_url() -> str:
    """A file in the user's data folder."""
    return f"sqlite:///{user_data_path('meit') / 'station.db'}"


def connect(url: str) -> Store:
    """The store at a URL of SQLite or PostgreSQL, its tables not yet looked at. Raises StationError."""
    try:
        parsed = make_url(url)
        if parsed.drivername in ("postgresql", "postgres"):
            parsed = parsed.set(drivername="postgresql+pg8000")
        if parsed.get_backend_name() not in _SNAPSHOT:
            raise ArgumentError(parsed.drivername)
        if parsed.get_backend_name() == "sqlite":
            _make_private(parsed.database)
        engine = create_engine(parsed, max_overflow=30, pool_pre_ping=True, connect_args=_encryption(parsed))
    except (ArgumentError, NoSuchModuleError):
        form = "sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME"
        raise StationError(f"give a database as {form}, not {_safe(url)}") from None
    _PREPARE[engine.dialect.name](engine)
    return Store(engine)


def _encryption(url: URL) -> dict[str, object]:
    """A server on another machine is reached by TLS alone, its certificate checked (SSL_CERT_FILE names another CA)."""
    return {} if is_local(url) else {"ssl_context": ssl.create_default_context()}


def is_local(url: URL) -> bool:
    """Whether the database is on this machine."""
    return url.host in (None, "", "localhost", "127.0.0.1", "::1")


def _safe(url: str) -> str:
    return f"{url.split('://')[0][:20]}://..." if "://" in url else "what was given"


def _make_private(database: str | None) -> None:
    """The file and its folder, readable for their owner only."""
    if not database or database == ":memory:":
        raise ArgumentError("a database in memory is lost with the process")
    path = Path(database)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as error:
        raise StationError(f"{path}: the database cannot be made there ({error.strerror})") from None


def _prepare_sqlite(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def _(connection, record):
        connection.isolation_level = None  # the driver's own transactions begin too late and commit before DDL
        for pragma in PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")
        _switch_to_wal(connection)

    @event.listens_for(engine, "begin")
    def _(connection):
        connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.get_execution_options().get("writes") else "BEGIN")


def _switch_to_wal(connection: sqlite3.Connection) -> None:
    """Kept in the file from then on. While another connection does the same, SQLite refuses without waiting."""
    until = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > until:
                raise
            time.sleep(0.05)


def _prepare_postgresql(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def _(connection, record):
        cursor = connection.cursor()
        cursor.execute("SET synchronous_commit TO on")
        cursor.close()
        connection.commit()


_PREPARE = {"sqlite": _prepare_sqlite, "postgresql": _prepare_postgresql}
_MEANS = {  # words of a driver's error -> what it means
    "database or disk is full": "the disk is full: nothing of this was saved; make room and try again",
    "disk I/O error": "the disk cannot be written to (is it full?): nothing of this was saved",
    "No space left on device": "the disk is full: nothing of this was saved; make room and try again",
    "file is not a database": "the file is no station database",
    "unable to open database file": "the database file cannot be opened",
    "readonly database": "the database may not be written to",
    "password authentication failed": "the database refused the user or the password",
    "Can't create a connection": "the database server cannot be reached",
    "Server refuses SSL": "the database server is on another machine and offers no TLS: switch it on there",
    "CERTIFICATE_VERIFY_FAILED": "the certificate of the database server is not trusted: name its CA in SSL_CERT_FILE",
    "immutable": "what is signed or recorded is never changed or deleted",
}


@contextmanager
def plain_errors() -> Iterator[None]:
    """Failures of the database in words. Values of the statement, which may be a patient's, never come along."""
    try:
        yield
    except PoolTimeout:
        raise BusyError("too many requests at once; try again") from None
    except DBAPIError as error:
        said = str(error.orig)
        if "database is locked" in said:
            raise BusyError(f"the database was busy for {BUSY_SECONDS} s; try again") from None
        for words, meaning in _MEANS.items():
            if words in said:
                raise StationError(meaning) from None
        raise StationError(f"the database failed ({type(error.orig).__name__}); its own log says why") from None
