"""What holds for every request: its host, its origin, its size, its pace; and what every answer tells the browser."""

from urllib.parse import urlsplit

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from meit.station.app.access import COOKIE, SAFE
from meit.station.app.error_answers import unexpected
from meit.station.app.station_settings import StationSettings

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",  # with "no-referrer", forms of our own would have no origin
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cache-Control": "no-store",  # a shared workstation keeps no patient's page
}
MOST_KNOWN = 10_000
PACE = {"read": RateLimitItemPerMinute(3000), "change": RateLimitItemPerMinute(600)}  # of one session or address


class Guard:
    """ASGI middleware, outermost but for the check of the host."""

    def __init__(self, app: ASGIApp, settings: StationSettings):
        self.app, self.settings = app, settings
        self.pace = FixedWindowRateLimiter(MemoryStorage())
        self._known: set[str] = (
            set()
        )  # sessions that were found good: each has a pace of its own, all else its address's

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        state = scope.setdefault("state", {})
        refused = self._refused(scope, headers)
        answer = _with_headers(send, scope["path"], self.settings.https)
        if refused is not None:
            await refused(scope, receive, answer)
            return
        try:
            await self.app(scope, _bounded(receive, self.settings.upload_bytes), answer)
        except Exception as error:  # caught here, so that no server logs its words, which may be a patient's
            await unexpected(Request(scope), error)(scope, receive, answer)
        if state.get("is_visit"):
            if len(self._known) >= MOST_KNOWN:
                self._known.clear()
            self._known.add(_session(headers))

    def _refused(self, scope: Scope, headers: Headers) -> JSONResponse | None:
        changes = scope["method"] not in SAFE
        if changes and not _is_own(headers):
            return _refusal(403, "the request came from another site")
        length = headers.get("content-length", "0")
        if not length.isdigit() or int(length) > self.settings.upload_bytes:
            return _refusal(413, f"a request may have {self.settings.upload_bytes // 2**20} MB at most")
        session = _session(headers)
        who = session if session in self._known else (scope["client"] or ("",))[0]
        kind = "change" if changes else "read"
        if not scope["path"].startswith("/static/") and not self.pace.hit(PACE[kind], kind, who):
            return _refusal(429, "too many requests in a minute; wait for one")
        return None


def _is_own(headers: Headers) -> bool:
    """What browsers say of where a request comes from; programs say nothing, and have no cookie that could be misused."""
    if headers.get("sec-fetch-site") in ("cross-site", "same-site"):
        return False
    origin = headers.get("origin")
    return origin is None or urlsplit(origin).netloc == headers.get("host")


def _session(headers: Headers) -> str:
    """What tells sessions apart here: the header, never looked into."""
    return headers.get("authorization", "") or next(
        (part.strip() for part in headers.get("cookie", "").split(";") if part.strip().startswith(f"{COOKIE}=")), ""
    )


def _refusal(status: int, why: str) -> JSONResponse:
    return JSONResponse({"error": why}, status, {"Retry-After": "60"} if status == 429 else None)


def _bounded(receive: Receive, most: int) -> Receive:
    seen = 0

    async def bounded() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > most:
            raise HTTPException(413, "the request is too large")  # whatever its header said
        return message

    return bounded


def _with_headers(send: Send, path: str, https: bool) -> Send:
    async def with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
            if path.startswith("/static/"):
                headers["Cache-Control"] = "no-cache"  # asked for each time, sent again only when changed
            if https:
                headers["Strict-Transport-Security"] = "max-age=31536000"
        await send(message)

    return with_headers
