"""One recording: the page on which it is read, and what that page asks for."""

from functools import cache
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, Field

from meit.exports import EXPORT_FORMATS
from meit.station import page_data as made
from meit.station.app.access import Database, Looker, Reader
from meit.station.app.templates import render_page
from meit.station.shelf import Shelf, Shown
from meit.station.store.audit import append
from meit.station.store.recording_entries import WorklistEntry, find_recording
from meit.station.store.signing import save_text, sign
from meit.station.store.storable import LONGEST_REPORT
from meit.station.work.queue import draft_again
from meit.tables import rows_of

router = APIRouter()
LONGEST = LONGEST_REPORT + 1000  # the store says what is too long in its own words
MINUTE = "private, max-age=60"
Filter = Annotated[str, Query(max_length=20)]
Identifier = Annotated[str, Path(alias="id", pattern="^[0-9a-f-]{36}$")]


class ReportText(BaseModel):
    text: str = Field(max_length=LONGEST)


class Checking(ReportText):
    """draft: the one that the text began with; without it that of the working text."""

    draft: int | None = Field(default=None, ge=1, lt=2**31)


class Saved(ReportText):
    """version: the one that was read; 0 for the draft's own text. draft: the draft that was read with it, which the
    text is then kept with; without it the newest one's."""

    version: int = Field(ge=0, lt=2**31)
    draft: int | None = Field(default=None, ge=1, lt=2**31)


class Signing(BaseModel):
    """acknowledged: the evidence of each contradiction in the text, as `check` gave it. reason: of an amendment."""

    version: int = Field(ge=1, lt=2**31)
    acknowledged: list[Annotated[str, Field(max_length=500)]] = Field(default=[], max_length=100)
    reason: str = Field(default="", max_length=1000)


def shelf_of(request: Request) -> Shelf:
    return request.app.state.shelf


Recordings = Annotated[Shelf, Depends(shelf_of)]


def found(store: Database, id: Identifier) -> WorklistEntry:
    return find_recording(store, id)


Chosen = Annotated[WorklistEntry, Depends(found)]


@router.get("/recordings/{id}", response_class=HTMLResponse, include_in_schema=False)
def recording_page(request: Request, visit: Looker, entry: Chosen):
    data = {"api": f"/api/recordings/{entry.public_id}", "mode": "report"}
    return render_page(request, "recording.html", visit, data=data, formats=list(EXPORT_FORMATS), phrases=phrases())


@router.get("/api/recordings/{id}", tags=["recordings"], summary="Everything that is known of a recording")
def api_reading(visit: Looker, store: Database, shelf: Recordings, entry: Chosen) -> dict:
    return made.reading(store, entry, shelf.get(entry.id))


@router.get("/api/recordings/{id}/view", tags=["recordings"], summary="What the viewer draws, but for the signal")
def api_view(visit: Looker, shelf: Recordings, entry: Chosen) -> Response:
    return Response(shelf.get(entry.id).as_json, media_type="application/json", headers={"Cache-Control": MINUTE})


@router.get(
    "/api/recordings/{id}/signal",
    tags=["recordings"],
    response_class=Response,
    summary="12 leads, one after the other, float32 little-endian mV",
)
def api_signal(
    visit: Looker, shelf: Recordings, entry: Chosen, band: Filter = "none", mains: Filter = "off"
) -> Response:
    return signal_answer(shelf.get(entry.id), band, mains)


def signal_answer(shown: Shown, band: str, mains: str) -> Response:
    return Response(
        shown.samples(band, mains), media_type="application/octet-stream", headers={"Cache-Control": MINUTE}
    )


@router.post("/api/recordings/{id}/check", tags=["reports"], summary="Hold a text against what was measured")
def api_check(visit: Looker, store: Database, shelf: Recordings, entry: Chosen, given: Checking) -> dict:
    draft = made.get_draft(store, entry.id, given.draft)
    return made.checked_text(store, given.text, draft, shelf.get(entry.id))


@router.put("/api/recordings/{id}/text", tags=["reports"], summary="Save the text that is being written")
def api_save(visit: Reader, store: Database, entry: Chosen, given: Saved) -> dict:
    saved = save_text(store, visit.person.id, entry.id, given.text, given.version, given.draft)
    return {name: made.working(saved)[name] for name in ("version", "saved_at")}


@router.post(
    "/api/recordings/{id}/signature", tags=["reports"], status_code=201, summary="Sign the saved text, or amend"
)
def api_sign(visit: Reader, store: Database, entry: Chosen, given: Signing) -> dict:
    return made.version(sign(store, visit.person.id, entry.id, given.version, given.acknowledged, given.reason))


@router.post(
    "/api/recordings/{id}/again", tags=["recordings"], status_code=202, summary="Draft a failed recording again"
)
def api_again(visit: Reader, store: Database, entry: Chosen) -> dict:
    draft_again(store, visit.person.id, entry.id)
    return {"status": "queued"}


@router.get(
    "/api/recordings/{id}/report.{form}",
    tags=["reports"],
    response_class=Response,
    summary="The report as text, json, fhir, pdf or html: signed if it is, else a draft that says so",
)
def api_export(
    visit: Looker,
    store: Database,
    shelf: Recordings,
    entry: Chosen,
    form: Annotated[str, Path(pattern=f"^({'|'.join(EXPORT_FORMATS)})$")],
    version: Annotated[int | None, Query(ge=1, lt=2**31)] = None,
) -> Response:
    chosen = EXPORT_FORMATS[form]
    document = made.exported(store, entry, shelf.get(entry.id), version)
    written = chosen.write(document)
    with store.writing() as session:
        append(session, "report.exported", visit.person.id, recording=entry.id, format=form, status=document.status)
    name = (
        f"report-{entry.public_id[:8]}-{document.status}{chosen.suffix}"  # no patient's name in a folder of downloads
    )
    return Response(
        written, media_type=chosen.media_type, headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )


@cache
def phrases() -> list[str]:
    """What the editor offers to complete."""
    return [phrase for (phrase,) in rows_of("meit.station", "phrases.tsv")]
