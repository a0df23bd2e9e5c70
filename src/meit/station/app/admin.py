"""Accounts and the audit trail, for admins; what is done here touches no patient's data."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import BaseModel
from sqlalchemy import select

from meit.errors import MeitError
from meit.station.accounts.accounts import create_account, list_accounts, reset_password, set_active, set_roles
from meit.station.accounts.passwords import SHORTEST
from meit.station.app.access import Admin, Database
from meit.station.app.entrance import FormLine
from meit.station.app.templates import render_page
from meit.station.store import Anchor, Role, Store
from meit.station.store.schema import AuditRow
from meit.station.store.verifying import verify

router = APIRouter()
LAST = 100  # rows that the page shows
Roles = Annotated[tuple[Role, ...], Form()]


class TrailVerdict(BaseModel):
    """head: to be kept elsewhere; given back later, it shows whether the trail up to it is still the same."""

    holds: bool
    rows: int
    head: str | None
    faults: list[str]


@router.get("/accounts", response_class=HTMLResponse, include_in_schema=False)
def accounts_page(request: Request, visit: Admin, store: Database):
    return _accounts(request, visit, store)


@router.post("/accounts", response_class=HTMLResponse, include_in_schema=False)
def create(
    request: Request,
    visit: Admin,
    store: Database,
    login: FormLine = "",
    full_name: FormLine = "",
    profession: FormLine = "",
    password: FormLine = "",
    roles: Roles = (),
):
    return _done(request, visit, store, create_account, login, full_name, profession, list(roles), password)


@router.post("/accounts/{account_id}/roles", response_class=HTMLResponse, include_in_schema=False)
def give_roles(request: Request, visit: Admin, store: Database, account_id: int, roles: Roles = ()):
    return _done(request, visit, store, set_roles, account_id, list(roles))


@router.post("/accounts/{account_id}/active", response_class=HTMLResponse, include_in_schema=False)
def activate(request: Request, visit: Admin, store: Database, account_id: int, active: Annotated[bool, Form()] = False):
    return _done(request, visit, store, set_active, account_id, active)


@router.post("/accounts/{account_id}/password", response_class=HTMLResponse, include_in_schema=False)
def new_password(request: Request, visit: Admin, store: Database, account_id: int, password: FormLine = ""):
    return _done(request, visit, store, reset_password, account_id, password)


@router.get("/audit", response_class=HTMLResponse, include_in_schema=False)
def audit_page(request: Request, visit: Admin, store: Database):
    with store.reading() as session:
        rows = session.scalars(select(AuditRow).order_by(AuditRow.seq.desc()).limit(LAST)).all()
    people = {one.id: one.full_name for one in list_accounts(store)}
    return render_page(request, "audit.html", visit, rows=rows, people=people)


@router.get(
    "/api/audit", tags=["audit"], summary="Whether the audit trail and what it records are as they were written"
)
def api_verify(visit: Admin, store: Database, anchor: str = "") -> TrailVerdict:
    found = verify(store, [Anchor.parse(anchor)] if anchor else [])
    head = str(found.head) if found.head else None
    return TrailVerdict(holds=found.holds, rows=found.rows, head=head, faults=list(found.faults))


def _done(request: Request, visit: Admin, store: Store, act, *given):
    try:
        act(store, visit.person.id, *given)
    except MeitError as error:
        return _accounts(request, visit, store, str(error), 400)
    return RedirectResponse("/accounts", 303)


def _accounts(request: Request, visit: Admin, store: Store, said: str = "", status: int = 200):
    return render_page(
        request, "accounts.html", visit, status, accounts=list_accounts(store), said=said, shortest=SHORTEST
    )
