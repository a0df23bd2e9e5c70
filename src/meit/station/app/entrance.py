"""The way in: the first account, logging in and out, one's own password."""

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import BaseModel, Field

from meit.errors import MeitError
from meit.station.accounts.accounts import change_password, has_no_account, make_first_account
from meit.station.accounts.passwords import SHORTEST
from meit.station.accounts.sessions import ABSOLUTE, log_in, log_out
from meit.station.app.access import COOKIE, Anyone, Database
from meit.station.app.templates import render_page

router = APIRouter()
FormLine = Annotated[str, Form(max_length=1000)]


class Credentials(BaseModel):
    login: str = Field(max_length=200)
    password: str = Field(max_length=1000)


class LoginAnswer(BaseModel):
    """token: for `Authorization: Bearer TOKEN`; it ends after 30 minutes without use, and after 12 hours."""

    token: str
    name: str
    roles: list[str]


@router.get("/login", response_class=HTMLResponse, include_in_schema=False)
def login_page(request: Request, store: Database):
    if has_no_account(store):
        return RedirectResponse("/setup", 303)
    return render_page(request, "login.html", said="", login="")


@router.post("/login", response_class=HTMLResponse, include_in_schema=False)
def login(request: Request, store: Database, login: FormLine = "", password: FormLine = ""):
    try:
        found = log_in(store, login, password, _address(request))
    except MeitError as error:
        return render_page(request, "login.html", None, 401, said=str(error), login=login)
    return _entered(request, found.token)


@router.post("/api/session", tags=["session"], summary="Log in as a program")
def api_login(request: Request, store: Database, given: Credentials) -> LoginAnswer:
    found = log_in(store, given.login, given.password, _address(request))
    return LoginAnswer(token=found.token, name=found.person.full_name, roles=sorted(found.person.roles))


@router.delete("/api/session", tags=["session"], status_code=204, summary="Log out")
def api_logout(visit: Anyone, store: Database) -> None:
    log_out(store, visit.token)


@router.post("/logout", include_in_schema=False)
def logout(visit: Anyone, store: Database) -> Response:
    log_out(store, visit.token)
    answer = RedirectResponse("/login", 303)
    answer.delete_cookie(COOKIE, path="/")
    answer.headers["Clear-Site-Data"] = '"cache"'
    return answer


@router.get("/setup", response_class=HTMLResponse, include_in_schema=False)
def setup_page(request: Request, store: Database):
    if not has_no_account(store):
        return RedirectResponse("/login", 303)
    return render_page(request, "setup.html", said="", given={}, shortest=SHORTEST)


@router.post("/setup", response_class=HTMLResponse, include_in_schema=False)
def setup(
    request: Request,
    store: Database,
    token: FormLine = "",
    login: FormLine = "",
    full_name: FormLine = "",
    profession: FormLine = "",
    password: FormLine = "",
    again: FormLine = "",
):
    given = {"token": token, "login": login, "full_name": full_name, "profession": profession}
    try:
        if password != again:
            raise MeitError("the two passwords differ")
        make_first_account(store, token.strip(), login, full_name, profession, password)
        found = log_in(store, login, password, _address(request))
    except MeitError as error:
        return render_page(request, "setup.html", None, 400, said=str(error), given=given, shortest=SHORTEST)
    return _entered(request, found.token)


@router.get("/account", response_class=HTMLResponse, include_in_schema=False)
def account_page(request: Request, visit: Anyone):
    return render_page(request, "account.html", visit, said="", shortest=SHORTEST)


@router.post("/account/password", response_class=HTMLResponse, include_in_schema=False)
def password(
    request: Request, visit: Anyone, store: Database, old: FormLine = "", new: FormLine = "", again: FormLine = ""
):
    try:
        if new != again:
            raise MeitError("the two new passwords differ")
        change_password(store, visit.person.id, old, new)
    except MeitError as error:
        return render_page(request, "account.html", visit, 400, said=str(error), shortest=SHORTEST)
    return RedirectResponse("/login", 303)


def _entered(request: Request, token: str) -> Response:
    answer = RedirectResponse("/", 303)
    secure = request.app.state.settings.https
    answer.set_cookie(
        COOKIE, token, max_age=int(ABSOLUTE.total_seconds()), path="/", httponly=True, secure=secure, samesite="strict"
    )
    return answer


def _address(request: Request) -> str:
    return request.client.host if request.client else ""
