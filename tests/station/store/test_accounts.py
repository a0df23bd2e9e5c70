"""Accounts, the first of them, logins and their limits."""

import threading
from datetime import timedelta

import pytest
from argon2 import PasswordHasher
from sqlalchemy import select
from stations import PASSWORD, make_admin, make_person

from meit.errors import AbsentError, AccessError, BusyError, RoleError, StationError
from meit.station.accounts import passwords, sessions
from meit.station.accounts.accounts import (
    change_password,
    create_account,
    first_run_token,
    get_account,
    list_accounts,
    make_first_account,
    reset_password,
    set_active,
    set_roles,
)
from meit.station.accounts.sessions import ABSOLUTE, IDLE, WINDOW, log_in, log_out, person_of
from meit.station.store.schema import Account, Attempt, AuditRow, LoginSession, Role, now
from meit.station.store.verifying import verify

HASHER = passwords._HASHER


@pytest.fixture(autouse=True)
def quick_hashes(monkeypatch):
    """argon2 with the least work: what the real parameters are is tested by itself."""
    monkeypatch.setattr(passwords, "_HASHER", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


@pytest.fixture
def admin(store):
    return make_admin(store)


@pytest.fixture
def wrong_password(monkeypatch):
    """Tries cost no hashing: of what is tested here only their number counts."""
    monkeypatch.setattr(sessions, "fits", lambda password, password_hash: password == PASSWORD)


def everything(store) -> str:
    """All that the database holds, as text."""
    found = []
    with store.reading() as session:
        for table in Account.metadata.sorted_tables:
            found += [repr(row) for row in session.execute(select(table))]
    return "\n".join(found)


def test_an_empty_station_is_opened_once_by_its_newest_token(store):
    old, token = first_run_token(store), first_run_token(store)
    assert old != token and token not in everything(store)
    for wrong in (old, "", "x", "ü"):
        with pytest.raises(AccessError, match="token"):
            make_first_account(store, wrong, "eve", "Eve", "None", PASSWORD)
    with pytest.raises(StationError, match="full name is missing"):
        make_first_account(store, token, "ada", " ", "Cardiologist", PASSWORD)
    person = make_first_account(store, token, " Ada ", "Ada\nLovelace", "Cardiologist", PASSWORD)
    assert (person.login, person.full_name, person.roles) == ("ada", "Ada Lovelace", frozenset(Role))
    assert first_run_token(store) is None
    with pytest.raises(AccessError):
        make_first_account(store, token, "eve", "Eve", "None", PASSWORD)
    assert list_accounts(store) == (person,) and verify(store).holds


def test_admins_alone_make_accounts(store, admin):
    reader = make_person(store, admin, "reader", Role.READER)
    with pytest.raises(RoleError):
        make_person(store, reader, "other", Role.READER)
    for fields, words in (
        (("READER", "R", "R", [Role.READER]), "taken"),
        (("new", "R", "R", []), "at least one role"),
        (("", "R", "R", [Role.READER]), "login is missing"),
    ):
        with pytest.raises(StationError, match=words):
            create_account(store, admin.id, *fields, PASSWORD)
    for password in ("short", "x" * 129):
        with pytest.raises(StationError, match="12 to 128"):
            create_account(store, admin.id, "new", "R", "R", [Role.READER], password)
    assert [one.login for one in list_accounts(store)] == ["ada", "reader"]
    with pytest.raises(AbsentError):
        get_account(store, 99)


def test_passwords_are_argon2id_as_the_rfc_recommends_and_old_hashes_become_so(store, admin, monkeypatch):
    monkeypatch.setattr(passwords, "_HASHER", HASHER)
    log_in(store, "ada", PASSWORD, "a")
    with store.reading() as session:
        assert session.get(Account, admin.id).password_hash.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    with pytest.raises(AccessError):
        log_in(store, "ada", PASSWORD + ".", "a")


def test_the_last_admin_stays(store, admin):
    calls = (
        lambda: set_active(store, admin.id, admin.id, False),
        lambda: set_roles(store, admin.id, admin.id, [Role.READER]),
    )
    for call in calls:
        with pytest.raises(StationError, match="active admin"):
            call()
    other = make_person(store, admin, "other", Role.ADMIN)
    assert set_roles(store, other.id, admin.id, [Role.READER]).roles == {Role.READER}
    with pytest.raises(RoleError):
        set_active(store, admin.id, other.id, False)


def test_a_session_begins_and_ends(store, admin, monkeypatch):
    login = log_in(store, "ADA", PASSWORD, "127.0.0.1")
    assert person_of(store, login.token) == login.person == admin
    assert login.token not in everything(store) and PASSWORD not in everything(store)
    for token in ("", login.token[:-1], "\ud800"):
        with pytest.raises(AccessError):
            person_of(store, token)
    log_out(store, login.token)
    log_out(store, login.token)
    with pytest.raises(AccessError, match="ended"):
        person_of(store, login.token)


def test_a_session_expires_by_idleness_and_by_age(store, admin, monkeypatch):
    login = log_in(store, "ada", PASSWORD, "127.0.0.1")
    begun, passed = now(), timedelta()
    monkeypatch.setattr(sessions, "now", lambda: begun + passed)
    while passed + IDLE * 0.9 < ABSOLUTE:
        passed += IDLE * 0.9
        assert person_of(store, login.token) == admin  # kept alive by being used
    passed = ABSOLUTE + timedelta(seconds=1)
    with pytest.raises(AccessError, match="ended"):
        person_of(store, login.token)
    passed = timedelta()
    idle = log_in(store, "ada", PASSWORD, "127.0.0.1")
    passed = IDLE + timedelta(seconds=5)
    with pytest.raises(AccessError, match="ended"):
        person_of(store, idle.token)


def test_deactivation_and_new_passwords_end_sessions(store, admin):
    reader = make_person(store, admin, "reader", Role.READER)
    token = log_in(store, "reader", PASSWORD, "a").token
    set_active(store, admin.id, reader.id, False)
    with pytest.raises(AccessError):
        person_of(store, token)
    with pytest.raises(AccessError, match="login or the password"):
        log_in(store, "reader", PASSWORD, "a")
    set_active(store, admin.id, reader.id, True)
    token = log_in(store, "reader", PASSWORD, "a").token
    with pytest.raises(AccessError, match="old password"):
        change_password(store, reader.id, "wrong password", "another password")
    change_password(store, reader.id, PASSWORD, "another password")
    with pytest.raises(AccessError):
        person_of(store, token)
    token = log_in(store, "reader", "another password", "a").token
    reset_password(store, admin.id, reader.id, PASSWORD)
    with pytest.raises(AccessError):
        person_of(store, token)
    assert log_in(store, "reader", PASSWORD, "a").person.id == reader.id and verify(store).holds


def test_failures_lock_out_their_own_address_for_a_while(store, admin, wrong_password, monkeypatch):
    for _ in range(5):
        with pytest.raises(AccessError):
            log_in(store, "ada", "wrong", "10.0.0.1")
    with pytest.raises(BusyError, match="15 minutes"):
        log_in(store, "ada", PASSWORD, "10.0.0.1")
    assert log_in(store, "ada", PASSWORD, "10.0.0.2").person == admin
    monkeypatch.setattr(sessions, "now", lambda: now() + WINDOW)
    assert log_in(store, "ada", PASSWORD, "10.0.0.1").person == admin


def test_a_failed_login_is_recorded_of_the_account_and_not_as_done_by_it(store, admin):
    for login in ("ada", "nobody"):
        with pytest.raises(AccessError):
            log_in(store, login, "wrong", "10.0.0.1")
    with store.reading() as session:
        failed = session.scalars(select(AuditRow).filter_by(action="login.failed").order_by(AuditRow.seq)).all()
    assert [(row.account_id, row.objects) for row in failed] == [(None, f'{{"account":{admin.id}}}'), (None, "{}")]


def test_many_logins_of_one_address_and_many_addresses_of_one_login(store, admin, wrong_password):
    for number in range(30):
        with pytest.raises(AccessError):
            log_in(store, f"login{number}", "wrong", "10.0.0.1")
    with pytest.raises(BusyError):
        log_in(store, "ada", PASSWORD, "10.0.0.1")
    for number in range(50):
        with pytest.raises(AccessError):
            log_in(store, "ada", "wrong", f"10.0.1.{number}")
    with pytest.raises(BusyError):
        log_in(store, "ada", PASSWORD, "10.0.2.1")


def test_a_success_clears_what_was_mistyped(store, admin, wrong_password):
    for _ in range(3):
        for _ in range(4):
            with pytest.raises(AccessError):
                log_in(store, "ada", "wrong", "10.0.0.1")
        log_in(store, "ada", PASSWORD, "10.0.0.1")
    with store.reading() as session:
        assert session.scalars(select(Attempt)).all() == [] and len(session.scalars(select(LoginSession)).all()) == 3


def test_tries_at_once_gain_nothing(store, admin, wrong_password):
    outcomes = []

    def work():
        try:
            log_in(store, "ada", "wrong", "10.0.0.1")
        except StationError as error:
            outcomes.append(type(error))

    threads = [threading.Thread(target=work) for _ in range(12)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(one.__name__ for one in outcomes) == ["AccessError"] * 5 + ["BusyError"] * 7
