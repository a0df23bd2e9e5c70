"""The application: its parts, in the order in which a request meets them."""

import threading
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles
from starlette.middleware.trustedhost import TrustedHostMiddleware

from meit import __version__
from meit.exports import EXPORT_FORMATS
from meit.model.configuration import read_config
from meit.station.app import admin, entrance, question_pages, worklist
from meit.station.app import recording_pages as recording
from meit.station.app import study_pages as study
from meit.station.app.error_answers import handle_failures
from meit.station.app.security import Guard
from meit.station.app.station_settings import StationSettings
from meit.station.app.templates import STATIC
from meit.station.shelf import Shelf
from meit.station.store import Store
from meit.station.watching import Watch
from meit.station.work.processes import Workers

ABOUT = """Recordings in, drafts out, reports signed. Log in by `POST /api/session` and send the token as
`Authorization: Bearer TOKEN`. Errors: `{"error": "what is wrong, and what to do"}`."""


def create_app(store: Store, settings: StationSettings | None = None) -> FastAPI:
    """An ASGI application over an open store. While it runs, workers draft and the watched folder is looked at.

    Raises ModelError for a model that cannot be read, StationError for a folder that is not there.
    """
    settings = settings or StationSettings()
    watch = Watch(store, settings.watch) if settings.watch else None
    if settings.model is not None:
        read_config(settings.model)  # what is no model shall say so now, and not in a worker

    @asynccontextmanager
    async def running(app: FastAPI) -> AsyncIterator[None]:
        threading.Thread(target=_load_formats, daemon=True).start()
        with ExitStack() as beside:
            if settings.model is not None and settings.workers:
                beside.enter_context(
                    Workers(
                        store,
                        settings.model,
                        settings.workers,
                        device=settings.device,
                        dtype=settings.dtype,
                        operating_point=settings.operating_point,
                    )
                )
            if watch is not None:
                beside.enter_context(watch)
            yield

    app = FastAPI(
        title="meit reading station",
        version=__version__,
        description=ABOUT,
        lifespan=running,
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    app.state.store, app.state.settings, app.state.shelf = store, settings, Shelf(store)
    handle_failures(app)
    for part in (entrance, worklist, recording, question_pages, study, admin):
        app.include_router(part.router)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    app.add_middleware(Guard, settings=settings)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=settings.names)
    return app


def _load_formats() -> None:
    """Their libraries take seconds to load: not while a reader waits for his first export."""
    for form in EXPORT_FORMATS.values():
        form.write  # noqa: B018
