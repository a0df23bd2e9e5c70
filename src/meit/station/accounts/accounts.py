"""Accounts: made and changed by admins; never deleted, since signatures and the audit trail name them."""

import secrets
from collections.abc import Collection
from dataclasses import dataclass
from hashlib import sha256

from sqlalchemy import delete, select
from sqlalchemy.orm import Session as Transaction

from meit.errors import AbsentError, AccessError, StationError
from meit.station.accounts.passwords import fits, hash_password
from meit.station.store.audit import append
from meit.station.store.database import Store
from meit.station.store.roles import require, roles_of
from meit.station.store.schema import Account, AccountRole, FirstRun, LoginSession, Role, now
from meit.station.store.storable import field_text

TOKEN_BYTES = 32


@dataclass(frozen=True)
class Person:
    """An account as others see it. profession: what stands under a signature, "Consultant cardiologist"."""

    id: int
    login: str
    full_name: str
    profession: str
    roles: frozenset[Role]
    active: bool


def token_sha256(token: str) -> str:
    return sha256(token.encode("utf-8", "replace")).hexdigest()


def folded_login(login: str) -> str:
    return field_text(login, "the login").casefold()


def has_no_account(store: Store) -> bool:
    """Whether the first is still to be made."""
    with store.reading() as session:
        return _none(session)


def first_run_token(store: Store) -> str | None:
    """A token to make the first account with, to be shown once; None where there is an account. A new one replaces the
    one before, so only the newest is good."""
    with store.writing() as session:
        if not _none(session):
            return None
        token = secrets.token_urlsafe(TOKEN_BYTES)
        session.merge(FirstRun(id=1, token_sha256=token_sha256(token)))
        append(session, "first_run.token_made")
        return token


def make_first_account(store: Store, token: str, login: str, full_name: str, profession: str, password: str) -> Person:
    """Uses the token up; the account gets every role. Raises AccessError for a token that is wrong or used."""
    hashed = hash_password(password)
    with store.writing() as session:
        row = session.get(FirstRun, 1)
        if row is None or not secrets.compare_digest(row.token_sha256, token_sha256(token)):
            raise AccessError("this token is not the newest, or was used; start the station anew to get one")
        session.delete(row)
        return _made(session, None, login, full_name, profession, hashed, list(Role))


def create_account(
    store: Store, by: int, login: str, full_name: str, profession: str, roles: Collection[Role], password: str
) -> Person:
    """by: an admin's account. Raises StationError for a login that is taken, a missing field or no role."""
    hashed = hash_password(password)
    with store.writing() as session:
        require(session, by, Role.ADMIN)
        return _made(session, by, login, full_name, profession, hashed, roles)


def set_roles(store: Store, by: int, account_id: int, roles: Collection[Role]) -> Person:
    """Raises StationError where no active admin would be left."""
    with store.writing() as session:
        require(session, by, Role.ADMIN)
        account = _found(session, account_id)
        _give(session, account_id, roles)
        _keep_an_admin(session)
        append(session, "account.roles_set", by, account=account_id, roles=",".join(sorted(set(roles))))
        return _person(session, account)


def set_active(store: Store, by: int, account_id: int, active: bool) -> Person:
    """Deactivating ends all sessions of the account at once. Raises StationError where no active admin would be left."""
    with store.writing() as session:
        require(session, by, Role.ADMIN)
        account = _found(session, account_id)
        account.deactivated_at = None if active else now()
        if not active:
            session.execute(delete(LoginSession).where(LoginSession.account_id == account_id))
        _keep_an_admin(session)
        append(session, "account.activated" if active else "account.deactivated", by, account=account_id)
        return _person(session, account)


def reset_password(store: Store, by: int, account_id: int, password: str) -> None:
    """An admin's; ends all sessions of the account."""
    hashed = hash_password(password)
    with store.writing() as session:
        require(session, by, Role.ADMIN)
        _set_password(session, by, _found(session, account_id), hashed)


def change_password(store: Store, account_id: int, old: str, new: str) -> None:
    """One's own; ends all sessions. Raises AccessError where the old one is wrong."""
    hashed = hash_password(new)
    with store.reading() as session:
        known = require(session, account_id).password_hash
    if not fits(old, known):
        raise AccessError("the old password is wrong")
    with store.writing() as session:
        account = require(session, account_id)
        if account.password_hash != known:
            raise AccessError("the old password is wrong")
        _set_password(session, account_id, account, hashed)


def get_account(store: Store, account_id: int) -> Person:
    """Raises AbsentError."""
    with store.reading() as session:
        return _person(session, _found(session, account_id))


def list_accounts(store: Store) -> tuple[Person, ...]:
    with store.reading() as session:
        return tuple(_person(session, one) for one in session.scalars(select(Account).order_by(Account.login)))


def _none(session: Transaction) -> bool:
    return session.scalar(select(Account.id).limit(1)) is None


def _made(
    session: Transaction,
    by: int | None,
    login: str,
    full_name: str,
    profession: str,
    hashed: str,
    roles: Collection[Role],
) -> Person:
    login = folded_login(login)
    if session.scalar(select(Account.id).where(Account.login == login)):
        raise StationError("this login is taken")
    account = Account(
        login=login,
        full_name=field_text(full_name, "the full name"),
        profession=field_text(profession, "the professional role"),
        password_hash=hashed,
    )
    session.add(account)
    session.flush()
    _give(session, account.id, roles)
    append(session, "account.created", by, account=account.id, roles=",".join(sorted(set(roles))))
    return _person(session, account)


def _give(session: Transaction, account_id: int, roles: Collection[Role]) -> None:
    if not roles:
        raise StationError("an account needs at least one role; deactivate it instead")
    session.execute(delete(AccountRole).where(AccountRole.account_id == account_id))
    session.add_all(AccountRole(account_id=account_id, role=Role(one)) for one in set(roles))
    session.flush()


def _keep_an_admin(session: Transaction) -> None:
    session.flush()
    admins = (
        select(Account.id).join(AccountRole).where(AccountRole.role == Role.ADMIN, Account.deactivated_at.is_(None))
    )
    if session.scalars(admins.limit(1)).first() is None:
        raise StationError("the station needs an active admin: make another one first")


def _set_password(session: Transaction, by: int, account: Account, hashed: str) -> None:
    account.password_hash = hashed
    session.execute(delete(LoginSession).where(LoginSession.account_id == account.id))
    append(session, "account.password_set", by, account=account.id)


def _found(session: Transaction, account_id: int) -> Account:
    account = session.get(Account, account_id)
    if account is None:
        raise AbsentError("there is no such account")
    return account


def _person(session: Transaction, account: Account) -> Person:
    roles = roles_of(session, account.id)
    active = account.deactivated_at is None
    return Person(account.id, account.login, account.full_name, account.profession, roles, active)
