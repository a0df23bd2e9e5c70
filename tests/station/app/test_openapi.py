"""The API against its own description, by schemathesis: no request of that form makes the station fail."""

import schemathesis
from hypothesis import HealthCheck, given, settings
from limits import RateLimitItemPerMinute
from stations import PASSWORD, add_drafted, make_admin, make_person

from meit.station.accounts.sessions import log_in
from meit.station.app import StationSettings, create_app, security
from meit.station.store import Role, open_store


def test_every_operation_keeps_to_its_description(tmp_path, monkeypatch):
    monkeypatch.setattr(security, "PACE", dict.fromkeys(security.PACE, RateLimitItemPerMinute(10**9)))
    store = open_store(f"sqlite:///{tmp_path / 'station.db'}")
    admin = make_admin(store)
    add_drafted(store)
    make_person(store, admin, "reader", Role.READER)
    token = log_in(store, "ada", PASSWORD, "test").token
    app = create_app(store, StationSettings(hosts=("testserver",)))
    schema = schemathesis.openapi.from_asgi("/api/openapi.json", app)
    del schema.raw_schema["paths"]["/api/session"]["delete"]  # would end the visit
    headers = {"Authorization": f"Bearer {token}"}
    seen = set()

    for result in schema.get_all_operations():
        operation = result.ok()

        @settings(
            max_examples=8, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True, database=None
        )
        @given(case=operation.as_strategy())
        def one(case):
            response = case.call(headers=headers)
            seen.add((case.method, case.path, response.status_code))
            assert response.status_code < 500, (case.method, case.formatted_path, response.text)
            if response.status_code >= 400 and response.status_code != 400:
                assert "error" in response.json()

        one()
    assert len({(method, path) for method, path, _ in seen}) >= 10
    assert {status for *_, status in seen} >= {200, 404, 422}
    store.close()
