"""A fresh station on each kind of database."""

import itertools

import pytest
from postgres import binaries, cluster
from sqlalchemy import create_engine, make_url

from meit.station.store import open_store

KINDS = ("sqlite", "postgresql")
_numbers = itertools.count()


@pytest.fixture(scope="session")
def postgres():
    """The URL of a server's own database."""
    if binaries() is None:
        pytest.skip("PostgreSQL is not installed (apt-get install postgresql)")
    with cluster("fsync=off") as url:  # the machine is not switched off in a test
        open_store(_created(url, "made")).close()
        yield url


@pytest.fixture
def new_url(tmp_path, request):
    """kind -> the URL of an empty database."""

    def make(kind: str) -> str:
        if kind == "sqlite":
            return f"sqlite:///{tmp_path / 'data' / 'station.db'}"
        return _created(request.getfixturevalue("postgres"), f"station{next(_numbers)}")

    return make


def _created(server: str, name: str, template: str = "template0") -> str:
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name} TEMPLATE {template}")
    engine.dispose()
    return make_url(server).set(database=name).render_as_string(hide_password=False)


@pytest.fixture(params=KINDS)
def store(request, new_url):
    if request.param == "postgresql":  # a copy of one that is made already is quicker
        url = _created(request.getfixturevalue("postgres"), f"station{next(_numbers)}", "made")
    else:
        url = new_url("sqlite")
    opened = open_store(url)
    yield opened
    opened.close()


@pytest.fixture
def sqlite_store(new_url):
    opened = open_store(new_url("sqlite"))
    yield opened
    opened.close()
