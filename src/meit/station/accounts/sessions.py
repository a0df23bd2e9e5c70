"""Logging in: sessions by random tokens, of which only hashes are stored, and a limit of tries."""

import secrets
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session as Transaction

from meit.errors import AccessError, BusyError
from meit.station.accounts.accounts import TOKEN_BYTES, Person, get_account, token_sha256
from meit.station.accounts.passwords import fits, hash_password, is_outdated, nobody
from meit.station.store.audit import append
from meit.station.store.database import CHAIN_LOCK, Store
from meit.station.store.schema import Account, Attempt, LoginSession, now

IDLE, ABSOLUTE = timedelta(minutes=30), timedelta(hours=12)  # NIST SP 800-63B, section 4.2.3 (AAL2)
SEEN = timedelta(minutes=1)  # a session's last use is stored this exactly
WINDOW = timedelta(minutes=15)
LOGIN_LOCK = CHAIN_LOCK + 2
LOGIN_LIMITS = (  # of failures in WINDOW, by what they have in common
    (("login_sha256", "address_sha256"), 5),
    (("address_sha256",), 30),
    (("login_sha256",), 50),  # high: nobody shall lock out somebody else with ease; SP 800-63B, 5.2.2, allows 100
)


@dataclass(frozen=True)
class Login:
    """token: for the client alone, shown once."""

    token: str
    person: Person


def log_in(store: Store, login: str, password: str, address: str) -> Login:
    """address: of the client, so that one client's failures do not lock out another.

    Raises AccessError for a wrong login or password (never saying which) and for a deactivated account, BusyError after
    too many failures. The attempt is counted before the password is looked at, so that many at once gain nothing.
    """
    tried = {
        "login_sha256": token_sha256(" ".join(login.split()).casefold()),
        "address_sha256": token_sha256(address),
    }
    with store.claiming() as session:
        attempt = _counted(session, tried)
        account = session.scalar(select(Account).where(Account.login == " ".join(login.split()).casefold()))
        known = (account.id, account.password_hash) if account and account.deactivated_at is None else (None, nobody())
    account_id, password_hash = known
    if not fits(password, password_hash) or account_id is None:
        with store.writing() as session:
            if account_id is None:
                append(session, "login.failed")
            else:
                append(session, "login.failed", account=account_id)  # whose, not by whom
        raise AccessError("the login or the password is wrong")
    token = secrets.token_urlsafe(TOKEN_BYTES)
    with store.writing() as session:
        account = session.get_one(Account, account_id)
        if account.deactivated_at is not None or account.password_hash != password_hash:
            raise AccessError("the login or the password is wrong")
        if is_outdated(password_hash):
            account.password_hash = hash_password(password)
        session.execute(delete(Attempt).where(Attempt.id <= attempt).filter_by(**tried))
        session.execute(delete(LoginSession).where(LoginSession.created_at < now() - ABSOLUTE))
        moment = now()
        session.add(
            LoginSession(token_sha256=token_sha256(token), account_id=account_id, created_at=moment, seen_at=moment)
        )
        append(session, "login.succeeded", account_id)
    return Login(token, get_account(store, account_id))


def person_of(store: Store, token: str) -> Person:
    """Whose session a token is; its use keeps it alive. Raises AccessError where it has expired, ended or never been."""
    key, moment = token_sha256(token), now()
    with store.reading() as session:
        row = session.get(LoginSession, key)
        if row is None or moment - row.seen_at > IDLE or moment - row.created_at > ABSOLUTE:
            raise AccessError("log in again: the session has ended")
        account_id, seen_at = row.account_id, row.seen_at
    person = get_account(store, account_id)
    if not person.active:
        raise AccessError("this account is not active")
    if moment - seen_at > SEEN:
        with store.claiming() as session:
            session.execute(update(LoginSession).where(LoginSession.token_sha256 == key).values(seen_at=moment))
    return person


def log_out(store: Store, token: str) -> None:
    """Ends the session of a token, if it has one."""
    with store.writing() as session:
        ended = (
            delete(LoginSession)
            .where(LoginSession.token_sha256 == token_sha256(token))
            .returning(LoginSession.account_id)
        )
        for account_id in session.scalars(ended).all():
            append(session, "logout", account_id)


def _counted(session: Transaction, tried: dict[str, str]) -> int:
    """The id of the attempt, that counts from now on. Raises BusyError beyond LIMITS."""
    if session.get_bind().dialect.name == "postgresql":  # SQLite has one writer anyway
        session.execute(select(func.pg_advisory_xact_lock(LOGIN_LOCK)))
    session.execute(delete(Attempt).where(Attempt.at < now() - WINDOW))
    for names, most in LOGIN_LIMITS:
        same = select(func.count()).select_from(Attempt).filter_by(**{name: tried[name] for name in names})
        if session.scalars(same).one() >= most:
            raise BusyError(f"too many failed logins; wait {WINDOW.seconds // 60} minutes")
    attempt = Attempt(**tried)
    session.add(attempt)
    session.flush()
    return attempt.id
