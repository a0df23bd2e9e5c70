"""Every route, asked by everybody: who is not meant is refused, and a new route has to be entered here."""

import re

import pytest
from fastapi.routing import APIRoute
from stations import add_drafted

from meit.station.store.recording_entries import get_recording

EVERYBODY, READERS, LEADERS, ADMINS, LOOKERS = (
    {"reader", "leader", "keeper"},
    {"reader"},
    {"leader"},
    {"keeper"},
    {"reader", "leader"},
)
WHO = {
    "GET /": EVERYBODY,
    "GET /account": EVERYBODY,
    "POST /account/password": EVERYBODY,
    "POST /logout": EVERYBODY,
    "DELETE /api/session": EVERYBODY,
    "POST /api/worklist": LOOKERS,
    "POST /api/recordings": READERS,
    "GET /recordings/{id}": LOOKERS,
    "GET /api/recordings/{id}": LOOKERS,
    "GET /api/recordings/{id}/view": LOOKERS,
    "GET /api/recordings/{id}/signal": LOOKERS,
    "POST /api/recordings/{id}/check": LOOKERS,
    "PUT /api/recordings/{id}/text": READERS,
    "POST /api/recordings/{id}/signature": READERS,
    "POST /api/recordings/{id}/again": READERS,
    "POST /api/recordings/{id}/questions": READERS,
    "GET /api/recordings/{id}/questions/{question}": READERS,
    "GET /api/recordings/{id}/report.{form}": LOOKERS,
    "GET /studies": LOOKERS,
    "POST /studies": LEADERS,
    "GET /studies/{id}": LEADERS,
    "GET /studies/{id}/results.csv": LEADERS,
    "GET /studies/{id}/times.png": LEADERS,
    "GET /studies/{id}/next": READERS,
    "GET /readings/{id}": READERS,
    "GET /api/readings/{id}": READERS,
    "GET /api/readings/{id}/view": READERS,
    "GET /api/readings/{id}/signal": READERS,
    "POST /api/readings/{id}/check": READERS,
    "PUT /api/readings/{id}/text": READERS,
    "POST /api/readings/{id}/finish": READERS,
    "GET /accounts": ADMINS,
    "POST /accounts": ADMINS,
    "POST /accounts/{account_id}/roles": ADMINS,
    "POST /accounts/{account_id}/active": ADMINS,
    "POST /accounts/{account_id}/password": ADMINS,
    "GET /audit": ADMINS,
    "GET /api/audit": ADMINS,
}
OPEN = {"GET /login", "POST /login", "GET /setup", "POST /setup", "POST /api/session"}


def routes(app) -> dict[str, APIRoute]:
    return {f"{method} {one.path}": one for one in flat(app.routes) for method in one.methods - {"HEAD"}}


def flat(found):
    for one in found:
        if isinstance(one, APIRoute):
            yield one
        else:
            yield from flat(getattr(getattr(one, "original_router", None), "routes", ()))


def test_every_route_stands_here(app):
    assert set(routes(app)) == WHO.keys() | OPEN


@pytest.fixture
def address(store):
    """A route's path, filled with what is there."""
    public = get_recording(store, add_drafted(store)).public_id
    values = {"id": public, "form": "text", "account_id": "1", "question": "1"}
    return lambda path: re.sub(r"\{(\w+)\}", lambda found: values[found[1]], path)


def test_nobody_gets_nothing(client, address):
    for route in WHO:
        method, path = route.split()
        found = client.request(method, address(path), headers={"Accept": "application/json"})
        assert (found.status_code, set(found.json())) == (401, {"error"}), route
        if method == "GET" and not path.startswith("/api/"):
            assert client.get(address(path), headers={"Accept": "text/html"}).headers["location"] == "/login"


@pytest.mark.parametrize("role", ["reader", "leader", "keeper"])
def test_the_wrong_role_gets_nothing(enter, address, role):
    visitor = enter(role)
    for route, who in WHO.items():
        method, path = route.split()
        if path in ("/logout", "/api/session"):
            continue  # would end the visit; tested with the entrance
        found = visitor.request(method, address(path))
        assert (found.status_code == 403) == (role not in who), (route, found.status_code, found.text)


def test_changes_need_their_proof(enter, address):
    visitor = enter("reader")
    del visitor.headers["X-CSRF-Token"]
    for route, who in WHO.items():
        method, path = route.split()
        if method != "GET" and "reader" in who:
            assert visitor.request(method, address(path)).status_code == 403, route
            forged = visitor.request(method, address(path), headers={"X-CSRF-Token": "0" * 64})
            assert forged.status_code == 403, route
    assert visitor.get("/").status_code == 200  # and the visit is still there


def test_ids_of_others_and_of_nothing(enter, address):
    """Ids are random; what is no id, or nobody's, is not found, whatever it is asked for."""
    visitor = enter("reader")
    nothing = "00000000-0000-4000-8000-000000000000"
    for id in (nothing, "1", "..%2f..%2fetc%2fpasswd", "%00", "'; DROP TABLE recordings; --", "a" * 5000):
        for path in (
            "/recordings/{}",
            "/api/recordings/{}",
            "/api/recordings/{}/view",
            "/api/recordings/{}/report.pdf",
        ):
            found = visitor.get(path.format(id))
            assert found.status_code in (404, 422) and "Traceback" not in found.text, (path, id)
