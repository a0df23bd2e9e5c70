"""Who asks: the session's account, its roles, and the proof that a change was meant.

A browser is known by a cookie, a program by `Authorization: Bearer TOKEN`. What changes something needs, with a cookie,
the session's own token against forgery (header X-CSRF-Token or form field csrf) as well: other sites' pages, which
can make a browser send its cookie, cannot read it. It is a hash of the cookie's token, so nothing is stored.
"""

import hashlib
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from meit.errors import AccessError, RoleError
from meit.station.accounts.accounts import Person
from meit.station.accounts.sessions import person_of
from meit.station.store import Role, Store

COOKIE = "meit_session"
SAFE = ("GET", "HEAD", "OPTIONS")


@dataclass(frozen=True)
class Visit:
    """A request of somebody who is logged in."""

    person: Person
    token: str
    csrf: str

    def may(self, *roles: Role) -> bool:
        return bool(self.person.roles & set(roles))


def store_of(request: Request) -> Store:
    return request.app.state.store


def csrf_of(token: str) -> str:
    return hashlib.sha256(f"csrf {token}".encode()).hexdigest()


async def visit_of(request: Request) -> Visit:
    """Raises AccessError where nobody is logged in, RoleError for a change without proof."""
    from starlette.concurrency import run_in_threadpool

    kind, _, bearer = request.headers.get("authorization", "").partition(" ")
    token = bearer.strip() if kind.lower() == "bearer" else request.cookies.get(COOKIE, "")
    if not token:
        raise AccessError("log in first")
    person = await run_in_threadpool(person_of, store_of(request), token)
    if kind.lower() != "bearer" and request.method not in SAFE:
        await _check_meant(request, csrf_of(token))
    request.state.is_visit = True
    return Visit(person, token, csrf_of(token))


async def _check_meant(request: Request, expected: str) -> None:
    given = request.headers.get("x-csrf-token", "")
    if not given and request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        given = str((await request.form()).get("csrf", ""))
    if not secrets.compare_digest(given.encode(), expected.encode()):
        raise RoleError(
            "this change did not come from a page of the station, or from one of an older session; load it again"
        )


def needs(*roles: Role) -> Callable[[Visit], Awaitable[Visit]]:
    """A dependency: a visit by an account that has one of the roles."""

    async def allowed(visit: Annotated[Visit, Depends(visit_of)]) -> Visit:
        if not visit.may(*roles):
            raise RoleError(f"this needs the role {' or '.join(roles)}")
        return visit

    return allowed


Anyone = Annotated[Visit, Depends(visit_of)]
Reader = Annotated[Visit, Depends(needs(Role.READER))]
Looker = Annotated[Visit, Depends(needs(Role.READER, Role.STUDY_LEADER))]
Leader = Annotated[Visit, Depends(needs(Role.STUDY_LEADER))]
Admin = Annotated[Visit, Depends(needs(Role.ADMIN))]
Database = Annotated[Store, Depends(store_of)]
