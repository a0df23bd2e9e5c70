"""The application over a database of its own, people of every role, and a browser."""

import shutil
from types import SimpleNamespace

import pytest
from fastapi.testclient import TestClient
from hypothesis import settings
from serving import browsing, has_browser
from stations import PASSWORD, make_admin, make_person

from meit.station.accounts.sessions import log_in
from meit.station.app import StationSettings, create_app
from meit.station.app.access import COOKIE, csrf_of
from meit.station.store import Role, open_store

ADDRESS = "http://127.0.0.1:8000"
settings.register_profile("station", deadline=None)  # a machine may be busy with other things
settings.load_profile("station")


@pytest.fixture(scope="session")
def peopled(tmp_path_factory):
    """A database with accounts: hashing passwords takes its time."""
    path = tmp_path_factory.mktemp("peopled") / "station.db"
    store = open_store(f"sqlite:///{path}")
    admin = make_admin(store)
    for login, role in (("reader", Role.READER), ("leader", Role.STUDY_LEADER), ("keeper", Role.ADMIN)):
        make_person(store, admin, login, role)
    store.close()
    return path


@pytest.fixture
def store(peopled, tmp_path):
    shutil.copy(peopled, tmp_path / "station.db")
    store = open_store(f"sqlite:///{tmp_path / 'station.db'}")
    yield store
    store.close()


@pytest.fixture
def app(store):
    return create_app(store, StationSettings())


@pytest.fixture
def client(app):
    """Nobody is logged in."""
    headers = {"Accept": "text/html,*/*"}
    return TestClient(app, base_url=ADDRESS, follow_redirects=False, raise_server_exceptions=False, headers=headers)


@pytest.fixture
def enter(app, store):
    """enter("reader"): a browser that is logged in, with its proof of meaning changes; `.person`, `.token`."""

    def enter(login: str) -> TestClient:
        found = log_in(store, login, PASSWORD, "test")
        headers = {"X-CSRF-Token": csrf_of(found.token), "Accept": "text/html,*/*"}
        client = TestClient(
            app,
            base_url=ADDRESS,
            follow_redirects=False,
            cookies={COOKIE: found.token},
            headers=headers,
            raise_server_exceptions=False,
        )
        client.about = SimpleNamespace(person=found.person, token=found.token)
        return client

    return enter


@pytest.fixture(scope="session")
def chromium():
    if not has_browser():
        pytest.skip("no Chromium here: apt-get install chromium chromium-driver")
    with browsing() as driver:
        yield driver
