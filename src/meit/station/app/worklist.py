"""The worklist: what waits to be read, and how recordings get into it."""

from typing import Annotated

from fastapi import APIRouter, File, Request, UploadFile
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import BaseModel, Field

from meit.ecg.files.recognise import HEAD_BYTES
from meit.errors import StationError
from meit.reports.gravity import critical_words
from meit.station.app.access import Anyone, Database, Looker, Reader
from meit.station.app.templates import render_page
from meit.station.intake import FILE_COMPANIONS, grouped
from meit.station.store import Role, Status, Store
from meit.station.store.recording_entries import PAGE, WorklistEntry, add_recording, counts, get_recording, worklist

router = APIRouter()


class WorklistItem(BaseModel):
    """A recording of the worklist. urgency: 0 critical, 1 abnormal, 2 not read, 3 normal. error: why drafting failed."""

    id: str
    name: str
    patient_id: str | None
    age: float | None
    sex: str | None
    acquired_at: str | None
    added_at: str
    status: str
    urgency: int
    critical: list[str]
    error: str | None


class Wanted(BaseModel):
    """In the body and not in the address, since it may name a patient."""

    order: str = Field(default="urgency", max_length=20)
    statuses: list[Status] = []
    search: str = Field(default="", max_length=200)
    after: str | None = Field(default=None, max_length=50)
    limit: int = Field(default=PAGE, ge=1, le=200)


class Items(BaseModel):
    items: list[WorklistItem]
    after: str | None
    counts: dict[Status, int]


class Added(BaseModel):
    """Of each recording in an upload. added: False where it was there already. error: why it was not taken."""

    files: list[str]
    id: str | None
    added: bool
    error: str | None = None


@router.get("/", response_class=HTMLResponse, include_in_schema=False)
def worklist_page(request: Request, visit: Anyone, store: Database):
    if not visit.may(Role.READER, Role.STUDY_LEADER):
        return RedirectResponse("/accounts", 303)
    return render_page(
        request,
        "worklist.html",
        visit,
        first=listed(store, Wanted()),
        companions=FILE_COMPANIONS,
        limit=request.app.state.settings.upload_bytes,
    )


@router.post("/api/worklist", tags=["recordings"], summary="A page of the worklist")
def api_worklist(visit: Looker, store: Database, wanted: Wanted) -> Items:
    return listed(store, wanted)


@router.post("/api/recordings", tags=["recordings"], summary="Add recordings", status_code=201)
def upload(visit: Reader, store: Database, files: Annotated[list[UploadFile], File(max_length=400)]) -> list[Added]:
    """The files of one recording or of several: those that a header names, or of one name, belong together.
    Drafts are written meanwhile; the worklist tells when."""
    given = {file.filename or "": file for file in files}
    if len(given) < len(files):
        raise StationError("two of these files have the same name; send them one after the other")
    return [
        _taken(store, visit.person.id, {name: _content(given[name]) for name in group})
        for group in grouped(given, lambda name: _content(given[name], HEAD_BYTES))
    ]


def listed(store: Store, wanted: Wanted) -> Items:
    found = worklist(store, wanted.order, wanted.statuses, wanted.search, wanted.after, wanted.limit)
    return Items(items=[item(one) for one in found.entries], after=found.after, counts=counts(store))


def item(one: WorklistEntry) -> WorklistItem:
    return WorklistItem(
        id=one.public_id,
        name=one.name,
        patient_id=one.patient_id,
        age=one.age,
        sex=one.sex,
        acquired_at=one.acquired_at,
        added_at=one.created_at.isoformat(timespec="seconds"),
        status=one.status,
        urgency=one.urgency,
        critical=[critical_words(name) for name in one.critical],
        error=one.error,
    )


def _content(file: UploadFile, most: int = -1) -> bytes:
    """From its beginning, `most` bytes or all."""
    file.file.seek(0)
    return file.file.read(most)


def _taken(store: Store, account_id: int, files: dict[str, bytes]) -> Added:
    try:
        number, added = add_recording(store, files, account_id)
    except StationError as error:
        return Added(files=list(files), id=None, added=False, error=str(error))
    return Added(files=list(files), id=get_recording(store, number).public_id, added=added)
