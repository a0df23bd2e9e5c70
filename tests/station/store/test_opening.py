"""Opening makes, upgrades and refuses databases; what fails says so without secrets."""

import os
import sqlite3
import stat
import threading
from contextlib import closing

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from postgres import cluster

from meit.errors import StationError
from meit.station.store import open_store
from meit.station.store.database import connect, default_url
from meit.station.store.schema import Base
from meit.station.store.verifying import verify


def test_the_revisions_make_what_the_models_say(store):
    with store.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


def test_opened_again_it_is_the_same(store):
    before = verify(store)
    again = open_store(store.url)
    assert verify(again) == before and before.holds and before.rows == 1
    again.close()


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_opened_by_many_at_once_it_is_made_once(kind, new_url):
    url, opened, failed = new_url(kind), [], []

    def work():
        try:
            opened.append(open_store(url))
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert not failed and verify(opened[0]).rows == 1
    for one in opened:
        one.close()


def test_a_file_that_another_is_switching_to_wal_is_waited_for(tmp_path):
    """SQLite then says "locked" at once, whatever the busy timeout; a writer stands for the other's switch."""
    file, opened = tmp_path / "station.db", []
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("CREATE TABLE one (id INTEGER)")
        other.execute("BEGIN IMMEDIATE")
        thread = threading.Thread(target=lambda: opened.append(open_store(f"sqlite:///{file}")))
        thread.start()
        thread.join(1)
        assert thread.is_alive()
        other.execute("COMMIT")
    thread.join()
    assert verify(opened[0]).rows == 1
    opened[0].close()


def test_one_of_a_newer_meit_is_refused(store):
    with store.engine.execution_options(writes=True).begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StationError, match="newer version"):
        open_store(store.url)


def test_sqlite_is_durable_and_private(sqlite_store, tmp_path):
    with sqlite_store.reading() as session:
        found = {
            name: session.connection().exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        }
    assert found == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
    for place, mode in ((tmp_path / "data", 0o700), (tmp_path / "data" / "station.db", 0o600)):
        assert stat.S_IMODE(os.stat(place).st_mode) == mode
    assert default_url().startswith("sqlite:///") and default_url().endswith("meit/station.db")


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("mysql://me:secret@host/db", "give a database as"),
        ("nonsense secret", "give a database as"),
        ("sqlite://", "give a database as"),
        ("postgresql://me:secret@127.0.0.1:1/none", "cannot be reached"),
        ("sqlite:////proc/secret/station.db", "cannot be made"),
    ],
)
def test_what_cannot_be_opened_is_named_without_its_password(url, words):
    with pytest.raises(StationError, match=words) as caught:
        open_store(url)
    assert "me:secret" not in str(caught.value)


def test_no_database_at_all(tmp_path):
    (tmp_path / "letter.db").write_text("Dear colleague, " * 500)
    with pytest.raises(StationError, match="no station database"):
        open_store(f"sqlite:///{tmp_path / 'letter.db'}")


def test_another_machine_is_reached_by_tls_alone(postgres):
    """127.0.0.2 stands for another machine; the server there offers no TLS."""
    with cluster("listen_addresses=127.0.0.2", "port=54329") as _, pytest.raises(StationError, match="offers no TLS"):
        open_store("postgresql://postgres@127.0.0.2:54329/postgres")
    store = connect("postgresql://someone@station.example/db")
    store.close()
