"""The way in: the first account, sessions, passwords."""

import pytest
from fastapi.testclient import TestClient
from stations import PASSWORD

from meit.station.accounts.accounts import first_run_token
from meit.station.app import StationSettings, create_app
from meit.station.app.access import COOKIE
from meit.station.store import open_store

FIRST = {"login": "ada", "full_name": "Dr. Ada", "profession": "Cardiologist", "password": PASSWORD, "again": PASSWORD}


def test_an_empty_station_is_opened_by_its_token_alone(tmp_path):
    store = open_store(f"sqlite:///{tmp_path / 'station.db'}")
    token = first_run_token(store)
    client = TestClient(create_app(store), base_url="http://127.0.0.1:8000", follow_redirects=False)
    assert client.get("/login").headers["location"] == "/setup"
    refused = client.post("/setup", data={**FIRST, "token": "guessed"})
    assert refused.status_code == 400 and "token" in refused.text and PASSWORD not in refused.text
    short = client.post("/setup", data={**FIRST, "token": token, "password": "short", "again": "short"})
    assert short.status_code == 400 and "12 to" in short.text
    assert client.post("/setup", data={**FIRST, "token": token, "again": "another"}).status_code == 400
    made = client.post("/setup", data={**FIRST, "token": token})
    assert made.status_code == 303 and client.get("/").status_code == 200
    again = client.post("/setup", data={**FIRST, "login": "eve", "token": token})
    assert again.status_code == 400 and client.get("/setup").headers["location"] == "/login"
    store.close()


def test_the_cookie_is_no_script_s_and_no_other_site_s(client, store):
    entered = client.post("/login", data={"login": "reader", "password": PASSWORD})
    cookie = entered.headers["set-cookie"]
    assert (
        entered.status_code == 303 and "HttpOnly" in cookie and "SameSite=strict" in cookie and "Secure" not in cookie
    )
    behind_tls = TestClient(
        create_app(store, StationSettings(https=True)), base_url="http://127.0.0.1:8000", follow_redirects=False
    )
    answer = behind_tls.post("/login", data={"login": "reader", "password": PASSWORD})
    assert "Secure" in answer.headers["set-cookie"] and "max-age" in answer.headers["strict-transport-security"]


def test_wrong_passwords_tell_nothing_and_are_counted(client):
    unknown = client.post("/login", data={"login": "nobody", "password": PASSWORD})
    wrong = client.post("/login", data={"login": "reader", "password": "wrong password"})
    assert unknown.status_code == wrong.status_code == 401
    assert unknown.text.replace("nobody", "") == wrong.text.replace("reader", "")
    for _ in range(4):
        client.post("/api/session", json={"login": "reader", "password": "wrong password"})
    locked = client.post("/api/session", json={"login": "reader", "password": PASSWORD})
    assert locked.status_code == 429 and "wait" in locked.json()["error"]


def test_logging_out_ends_the_session(enter):
    reader = enter("reader")
    assert reader.get("/").status_code == 200
    gone = reader.post("/logout")
    assert gone.status_code == 303 and "Clear-Site-Data" in gone.headers
    reader.cookies.set(COOKIE, reader.about.token)
    assert reader.get("/").headers["location"] == "/login"
    assert reader.post("/api/worklist", json={}).status_code == 401


def test_a_program_s_token(client, enter):
    token = client.post("/api/session", json={"login": "reader", "password": PASSWORD}).json()["token"]
    bearer = {"Authorization": f"Bearer {token}"}
    assert (
        client.post("/api/worklist", json={}, headers=bearer).status_code == 200
    )  # needs no proof: it is never sent by itself
    assert client.delete("/api/session", headers=bearer).status_code == 204
    assert client.post("/api/worklist", json={}, headers=bearer).status_code == 401


def test_a_new_password_ends_all_sessions(enter, client):
    reader, elsewhere = enter("reader"), enter("reader")
    new = "another good password"
    assert reader.post("/account/password", data={"old": "wrong one here", "new": new, "again": new}).status_code == 400
    assert (
        reader.post("/account/password", data={"old": PASSWORD, "new": new, "again": "typo in it"}).status_code == 400
    )
    assert reader.post("/account/password", data={"old": PASSWORD, "new": new, "again": new}).status_code == 303
    assert elsewhere.get("/").headers["location"] == "/login"
    assert client.post("/login", data={"login": "reader", "password": new}).status_code == 303


@pytest.mark.parametrize("path", ["/accounts", "/audit"])
def test_admins_keep_accounts(enter, path):
    assert enter("keeper").get(path).status_code == 200


def test_accounts_are_made_and_changed(enter, client):
    keeper = enter("keeper")
    given = {
        "login": "new",
        "full_name": "Dr. New",
        "profession": "Physician",
        "password": PASSWORD,
        "roles": ["reader"],
    }
    assert keeper.post("/accounts", data=given).status_code == 303
    taken = keeper.post("/accounts", data=given)
    assert taken.status_code == 400 and "taken" in taken.text
    page = keeper.get("/accounts").text
    number = page.split("Dr. New")[1].split("/accounts/")[1].split("/")[0]
    assert client.post("/login", data={"login": "new", "password": PASSWORD}).status_code == 303
    assert keeper.post(f"/accounts/{number}/roles", data={"roles": ["study leader"]}).status_code == 303
    assert client.post("/api/recordings").status_code in (403, 422)
    assert keeper.post(f"/accounts/{number}/active", data={"active": "false"}).status_code == 303
    assert client.get("/").headers["location"] == "/login"
    mine = keeper.about.person.id
    assert keeper.post(f"/accounts/{number}/password", data={"password": "short"}).status_code == 400
    assert keeper.post(f"/accounts/{mine}/active", data={"active": "false"}).status_code == 303  # Ada is an admin too
