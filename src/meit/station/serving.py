"""Running the station: the server's process, what is printed at the start, the recordings it begins with."""

import logging
import sys
from functools import partial
from pathlib import Path

from meit.ecg.files.formats import find_recordings
from meit.ecg.files.recognise import first_bytes
from meit.errors import StationError
from meit.station.accounts.accounts import first_run_token
from meit.station.app import StationSettings, create_app
from meit.station.intake import grouped
from meit.station.store import Store
from meit.station.store.recording_entries import add_recording


def run(store: Store, settings: StationSettings, examples: Path | None = None) -> None:
    """Serves until it is stopped. Raises StationError where the port is taken."""
    import uvicorn

    logging.basicConfig(
        stream=sys.stderr, level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    if examples is not None:
        take_in(store, examples)
    app = create_app(store, settings)
    address = f"{'https' if settings.https else 'http'}://{_shown(settings.host)}:{settings.port}"
    token = first_run_token(store)
    print(f"meit reading station: {address}", file=sys.stderr)
    if token is not None:
        print(f"Make the first account at\n\n    {address}/setup#{token}\n", file=sys.stderr)
    if not settings.is_local and not settings.https:
        print("Warning: it can be reached from other machines without TLS; see meit serve --check", file=sys.stderr)
    # no access log: it would be the one place where addresses and times of readers are kept beside the audit trail
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        access_log=False,
        log_level="warning",
        server_header=False,
        proxy_headers=settings.https,
        timeout_graceful_shutdown=5,
        timeout_keep_alive=75,
        limit_concurrency=500,
    )
    try:
        uvicorn.Server(config).run()
    except SystemExit:
        raise StationError(
            f"port {settings.port} of {settings.host} cannot be listened at; choose another with --port"
        ) from None


def take_in(store: Store, folder: Path) -> int:
    """Recordings of a folder, with all of their files; returns how many were new."""
    found = set(find_recordings(folder))
    added = 0
    for place in sorted({path.parent for path in found}):
        names = [path.name for path in place.iterdir() if path.is_file()]
        for group in grouped(names, partial(_first_bytes, place)):
            if found & {place / name for name in group}:
                added += add_recording(store, {name: (place / name).read_bytes() for name in group})[1]
    return added


def _first_bytes(folder: Path, name: str) -> bytes:
    return first_bytes(folder / name)


def _shown(host: str) -> str:
    return "127.0.0.1" if host in ("0.0.0.0", "::") else f"[{host}]" if ":" in host else host
