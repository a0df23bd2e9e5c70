"""What holds for every request and answer."""

import logging

import pytest
from fastapi.testclient import TestClient
from stations import add_drafted

from meit.station.app import StationSettings, create_app
from meit.station.app.security import HEADERS, PACE


@pytest.mark.parametrize(
    "path", ["/login", "/static/station.css", "/api/worklist", "/nothing", "/static/../../../etc/passwd"]
)
def test_every_answer_tells_the_browser(client, path):
    found = client.get(path)
    assert HEADERS.keys() <= {name.title() for name in found.headers} | {
        name for name in HEADERS if name in found.headers
    }
    assert (
        "unsafe" not in found.headers["content-security-policy"]
        and "http" not in found.headers["content-security-policy"]
    )
    assert found.status_code in (200, 401, 404, 405) and "root:" not in found.text


def test_pages_name_no_other_address_and_hold_no_script(enter, store):
    import re

    reader = enter("reader")
    add_drafted(store)
    for path in ("/", "/account", f"/recordings/{reader.post('/api/worklist', json={}).json()['items'][0]['id']}"):
        text = reader.get(path).text
        assert not re.findall(r"(?:src|href|action)=\"(?!/|#)[^\"]*\"", text), path
        assert not re.findall(r"<script(?![^>]*(?:src=|application/json))", text)
        assert " style=" not in text and " onclick" not in text


def test_other_hosts_and_sites_are_refused(client, enter, store):
    assert client.get("/login", headers={"Host": "evil.example"}).status_code == 400  # DNS rebinding
    named = TestClient(create_app(store, StationSettings(hosts=("ecg.hospital",))), base_url="http://ecg.hospital")
    assert named.get("/login").status_code == 200
    reader = enter("reader")
    for headers in (
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ):
        assert reader.post("/api/worklist", json={}, headers=headers).status_code == 403
    own = {"Origin": "http://127.0.0.1:8000", "Sec-Fetch-Site": "same-origin"}
    assert reader.post("/api/worklist", json={}, headers=own).status_code == 200


def test_bodies_are_bounded_whatever_they_say(store, enter):
    app = create_app(store, StationSettings(upload_bytes=100_000))
    reader = enter("reader")
    small = TestClient(app, base_url="http://127.0.0.1:8000", cookies=reader.cookies, headers=reader.headers)
    form = {"files": ("a.csv", b"x" * 200_000)}
    assert small.post("/api/recordings", files=form).status_code == 413

    def chunks():  # without a length
        yield b'--b\r\nContent-Disposition: form-data; name="files"; filename="a.csv"\r\n\r\n'
        for _ in range(30):
            yield b"x" * 10_000

    found = small.post("/api/recordings", content=chunks(), headers={"Content-Type": "multipart/form-data; boundary=b"})
    assert found.status_code == 413
    assert small.post("/api/worklist", json={}).json()["counts"]["queued"] == 0


def test_too_many_at_once(store, enter):
    reader, leader = enter("reader"), enter("leader")
    assert all(one.get("/account").status_code == 200 for one in (reader, leader))  # from now on they are known
    most = PACE["change"].amount
    found = {reader.post("/api/nothing").status_code for _ in range(most)}
    assert found == {404}
    over = reader.post("/api/worklist", json={})
    assert over.status_code == 429 and over.headers["retry-after"] == "60"
    assert leader.post("/api/worklist", json={}).status_code == 200  # others go on


def test_an_invented_session_has_no_pace_of_its_own(client):
    for number in range(PACE["change"].amount):
        client.post("/api/nothing", headers={"Cookie": f"meit_session={number}"})
    assert client.post("/api/nothing", headers={"Authorization": "Bearer another"}).status_code == 429


def test_a_failure_is_logged_without_its_words(store, enter, caplog, monkeypatch):
    from meit.station.app import worklist as broken

    def fails(*_):
        raise ValueError("Mrs. Smith, born 1950")

    monkeypatch.setattr(broken, "listed", fails)
    with caplog.at_level(logging.DEBUG):
        found = enter("reader").post("/api/worklist", json={"search": "Smith"})
    assert found.status_code == 500 and "Smith" not in found.text
    station = [one.getMessage() for one in caplog.records if one.name.startswith("meit")]
    assert len(station) == 1 and "ValueError" in station[0] and "/api/worklist" in station[0]
    assert "Smith" not in caplog.text
