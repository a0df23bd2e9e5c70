"""How safe a station is as it is set: what `meit serve --check` prints."""

import stat
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import make_url

from meit.station.accounts.accounts import list_accounts
from meit.station.accounts.passwords import SHORTEST
from meit.station.accounts.sessions import ABSOLUTE, IDLE, LOGIN_LIMITS, WINDOW
from meit.station.app.station_settings import StationSettings
from meit.station.store import Role, Store
from meit.station.store.database import is_local
from meit.station.store.verifying import verify


@dataclass(frozen=True)
class Point:
    """fault: what is to be done; "" where it is as it should be."""

    what: str
    how: str
    fault: str = ""


def posture(store: Store, settings: StationSettings) -> list[Point]:
    """Every point that depends on how it is started or on what lies on the disk, and what always holds."""
    people = [one for one in list_accounts(store) if one.active]
    admins = [one for one in people if Role.ADMIN in one.roles]
    trail = verify(store)
    exposed = not settings.is_local and not settings.https
    return [
        Point(
            "Listens at",
            f"{settings.host}:{settings.port}, {'this machine alone' if settings.is_local else 'other machines too'}",
            "put a proxy with TLS in front, and start with --https" if exposed else "",
        ),
        Point("Answers to the names", ", ".join(settings.names)),
        Point(
            "Session cookie",
            "HttpOnly, SameSite=Strict" + (", Secure" if settings.https else ", not Secure"),
            "use TLS, and start with --https" if exposed else "",
        ),
        Point(
            "Sessions end after", f"{IDLE.seconds // 60} minutes without use, {ABSOLUTE.seconds // 3600} hours at most"
        ),
        Point(
            "Passwords",
            f"argon2id, {SHORTEST} characters or more; {LOGIN_LIMITS[0][1]} failures in {WINDOW.seconds // 60} min lock",
        ),
        Point("Changes", "need the session's token against forgery, and this site's own origin"),
        Point("Browsers are told", "a policy without inline scripts and other addresses; no framing, no caching"),
        Point(
            "Uploads",
            f"{settings.upload_bytes // 2**20} MB a request; readers with limits of size; no archives, no deflated DICOM",
        ),
        *_database(store),
        Point(
            "Accounts",
            f"{len(people)} active, {len(admins)} of them admins",
            "" if people else "make the first account: its address is printed at the start",
        ),
        Point(
            "Audit trail",
            f"{trail.rows} events" + (f", head {trail.head}" if trail.head else ""),
            "; ".join(trail.faults),
        ),
        Point("Log", "ids and kinds of errors alone; no access log, no names, no patient data"),
    ]


def posture_table(points: list[Point]) -> str:
    width = max(len(one.what) for one in points)
    lines = [f"{'!!' if one.fault else 'ok'}  {one.what:{width}}  {one.how}" for one in points]
    todo = [f"  - {one.what}: {one.fault}" for one in points if one.fault]
    return "\n".join([*lines, *(["", "To do:", *todo] if todo else [])])


def _database(store: Store) -> list[Point]:
    url = make_url(store.url)
    if url.get_backend_name() != "sqlite":
        how = "" if is_local(url) else ", by TLS alone"
        return [Point("Database", f"{url.get_backend_name()} on {url.host or 'a local socket'}{how}")]
    path = Path(url.database or "")
    mode = stat.S_IMODE(path.stat().st_mode)
    return [
        Point(
            "Database",
            f"{path}, mode {mode:o}; not encrypted by itself: keep it on an encrypted disk",
            f"chmod 600 {path}" if mode & 0o077 else "",
        )
    ]
