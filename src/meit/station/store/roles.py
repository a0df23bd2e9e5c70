"""Who may do what: asked for within the transaction, so that a role that was just taken away counts no more."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from meit.errors import AccessError, RoleError
from meit.station.store.schema import Account, AccountRole, Role


def require(session: Session, account_id: int, *roles: Role) -> Account:
    """The active account; without roles any active account does.

    Raises AccessError where it is unknown or deactivated, RoleError where it has none of the roles.
    """
    account = session.get(Account, account_id)
    if account is None or account.deactivated_at is not None:
        raise AccessError("this account is not active")
    if roles and not roles_of(session, account_id) & set(roles):
        raise RoleError(f"this needs the role {' or '.join(roles)}")
    return account


def roles_of(session: Session, account_id: int) -> frozenset[Role]:
    found = session.scalars(select(AccountRole.role).where(AccountRole.account_id == account_id))
    return frozenset(Role(one) for one in found)
