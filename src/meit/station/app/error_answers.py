"""Errors as answers: JSON for programs, a page for people; never a traceback, never a patient's data."""

import logging
from collections.abc import Mapping

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException

from meit.errors import AbsentError, AccessError, BusyError, MeitError, RoleError, StaleError, UnacknowledgedError
from meit.station.app.templates import render_page

STATUS_OF = (  # the first kind that fits
    (AccessError, 401),
    (RoleError, 403),
    (AbsentError, 404),
    (StaleError, 409),
    (UnacknowledgedError, 409),
    (BusyError, 429),
    (MeitError, 400),
)
FAILURE_TITLES = {
    400: "That did not work",
    401: "Log in first",
    403: "Not allowed",
    404: "Not found",
    409: "Changed meanwhile",
    413: "Too large",
    422: "That did not work",
    429: "Too many at once",
    500: "Something failed",
}
log = logging.getLogger(__name__)


def handle_failures(app: FastAPI) -> None:
    @app.exception_handler(MeitError)
    def _(request: Request, error: MeitError) -> Response:
        status = next(status for kind, status in STATUS_OF if isinstance(error, kind))
        if status == 401 and _wants_page(request) and request.method == "GET":
            return RedirectResponse("/login", 303)
        contradicted = list(error.contradicted) if isinstance(error, UnacknowledgedError) else None
        return _answer(request, status, str(error), contradicted=contradicted)

    @app.exception_handler(HTTPException)
    def _(request: Request, error: HTTPException) -> Response:
        said = {404: "there is no such page", 405: "this address does not take that kind of request"}
        return _answer(
            request, error.status_code, said.get(error.status_code, str(error.detail)), headers=error.headers
        )

    @app.exception_handler(RequestValidationError)
    def _(request: Request, error: RequestValidationError) -> Response:
        where = "; ".join(f"{'.'.join(map(str, one['loc'][1:]))}: {one['msg']}" for one in error.errors()[:5])
        return _answer(request, 422, f"the request is not as described: {where}")


def unexpected(request: Request, error: Exception) -> Response:
    """Logs the kind and the place of an error, not its words: they may hold a patient's data."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else "?"
    route = getattr(request.scope.get("route"), "path", "a request")
    log.error("%s failed: %s at %s", route, type(error).__name__, place)
    return _answer(request, 500, "the station failed at this; its log says where")


def _wants_page(request: Request) -> bool:
    return "text/html" in request.headers.get("accept", "") and not request.url.path.startswith("/api/")


def _answer(
    request: Request,
    status: int,
    said: str,
    headers: Mapping[str, str] | None = None,
    contradicted: list[str] | None = None,
) -> Response:
    if _wants_page(request):
        return render_page(
            request, "failure.html", None, status, title=FAILURE_TITLES.get(status, FAILURE_TITLES[400]), said=said
        )
    more = {} if contradicted is None else {"contradicted": contradicted}
    return JSONResponse({"error": said, **more}, status, headers)
