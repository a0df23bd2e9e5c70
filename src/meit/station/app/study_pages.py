"""Study mode: a leader makes a study and sees its results; a reader reads what was assigned, timed."""

import csv
import io
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import BaseModel, Field

from meit.errors import MeitError
from meit.station.accounts.accounts import Person, list_accounts
from meit.station.app.access import Database, Leader, Looker, Reader, Visit
from meit.station.app.recording_pages import LONGEST, Filter, Identifier, Recordings, ReportText, phrases, signal_answer
from meit.station.app.templates import render_page
from meit.station.page_data import checked_text, shown_draft
from meit.station.shelf import Shelf
from meit.station.store import Role, Store
from meit.station.store.signing import readable_count
from meit.station.study import studies as kept
from meit.station.study.assignment import BLANK, DRAFT
from meit.station.study.time_comparison import Done, compare_times, medians
from meit.station.study.time_plot import times

router = APIRouter()
RULE = (  # of static/study/clock.js, in words
    "Active time is the time between a reader's first sight of the recording and the end, as a sum of the gaps between two "
    "signs of activity (keys, pointer, wheel, touch) while the page is in view. A gap longer than {idle} s "
    "counts as {idle} s."
)
READING_TASKS = {
    DRAFT: "Reading {number} of {of}. Correct the draft into your report, then finish.",
    BLANK: "Reading {number} of {of}. Write your report, then finish.",
}


class Progress(BaseModel):
    """What was written, and the active time and keys so far."""

    text: str = Field(max_length=LONGEST)
    active_ms: int = Field(ge=0, lt=2**31)
    keystrokes: int = Field(ge=0, lt=2**31)


@router.get("/studies", response_class=HTMLResponse, include_in_schema=False)
def studies_page(request: Request, visit: Looker, store: Database):
    return _studies(request, visit, store)


@router.post("/studies", response_class=HTMLResponse, include_in_schema=False)
def make(
    request: Request,
    visit: Leader,
    store: Database,
    name: Annotated[str, Form(max_length=200)] = "",
    readers: Annotated[tuple[int, ...], Form()] = (),
    recordings: Annotated[int, Form()] = 0,
    idle_s: Annotated[int, Form()] = kept.IDLE_S,
    seed: Annotated[str, Form(max_length=10)] = "",
):
    try:
        if seed.strip() and not seed.strip().isdigit():
            raise MeitError("the seed is a whole number, or nothing")
        made = kept.make_study(
            store, visit.person.id, name, readers, recordings, idle_s, int(seed) if seed.strip() else None
        )
    except MeitError as error:
        return _studies(request, visit, store, str(error), 400)
    return RedirectResponse(f"/studies/{made}", 303)


@router.get("/studies/{id}", response_class=HTMLResponse, include_in_schema=False)
def results_page(request: Request, visit: Leader, store: Database, id: Identifier):
    study, done, planned = kept.results(store, id)
    return render_page(
        request,
        "study.html",
        visit,
        study=study,
        planned=planned,
        done=len(done),
        rows=medians(done),
        ratios=compare_times(done),
        rule=RULE.format(idle=study.idle_s),
    )


@router.get("/studies/{id}/results.csv", include_in_schema=False)
def results_csv(visit: Leader, store: Database, id: Identifier) -> Response:
    """A row a finished reading; readers and recordings are numbered."""
    _, done, _ = kept.results(store, id)
    target = io.StringIO()
    writer = csv.DictWriter(target, list(Done.__dataclass_fields__))
    writer.writeheader()
    writer.writerows(vars(one) for one in done)
    headers = {"Content-Disposition": f'attachment; filename="study-{id[:8]}.csv"'}
    return Response(target.getvalue(), media_type="text/csv; charset=utf-8", headers=headers)


@router.get("/studies/{id}/times.png", include_in_schema=False)
def times_png(visit: Leader, store: Database, id: Identifier) -> Response:
    return Response(times(kept.results(store, id)[1]), media_type="image/png")


@router.get("/studies/{id}/next", include_in_schema=False)
def go_on(visit: Reader, store: Database, id: Identifier) -> Response:
    following = kept.next_reading(store, visit.person.id, id)
    return RedirectResponse(f"/readings/{following}" if following else "/studies", 303)


@router.get("/readings/{id}", response_class=HTMLResponse, include_in_schema=False)
def reading_page(request: Request, visit: Reader, store: Database, id: Identifier):
    given = kept.get_reading(store, visit.person.id, id)
    if given.finished:
        return RedirectResponse(f"/studies/{given.study_id}/next", 303)
    data = {
        "api": f"/api/readings/{id}",
        "mode": "study",
        "idle_ms": given.idle_s * 1000,
        "next": f"/studies/{given.study_id}/next",
        "task": READING_TASKS[given.arm].format(number=given.number, of=given.of),
    }
    return render_page(request, "recording.html", visit, data=data, formats=[], phrases=phrases())


@router.get("/api/readings/{id}", tags=["studies"], summary="What a reader is given")
def api_study_reading(visit: Reader, store: Database, shelf: Recordings, id: Identifier) -> dict:
    given = kept.get_reading(store, visit.person.id, id)
    kept.begin_reading(store, visit.person.id, id)
    shown = shelf.get(given.recording_id)
    return {
        "id": id,
        "status": "drafted",
        "error": None,
        "critical": [],
        "versions": [],
        "previous": None,
        "draft": given.draft and shown_draft(given.draft, shown),
        "text": {"version": 1, "text": given.text, "saved_at": None},
        "checked": given.draft and checked_text(store, given.text, given.draft, shown),
        "active_ms": given.active_ms,
        "keystrokes": given.keystrokes,
    }


@router.get("/api/readings/{id}/view", tags=["studies"], summary="The recording without name and patient")
def api_study_view(visit: Reader, store: Database, shelf: Recordings, id: Identifier) -> dict:
    given, shown = _given(visit, store, shelf, id)
    patient = {**shown.document["patient"], "id": None}
    return {**shown.document, "name": f"Recording {given.number} of {given.of}", "start": None, "patient": patient}


@router.get("/api/readings/{id}/signal", tags=["studies"], response_class=Response, summary="As of a recording")
def api_study_signal(
    visit: Reader, store: Database, shelf: Recordings, id: Identifier, band: Filter = "none", mains: Filter = "off"
) -> Response:
    return signal_answer(_given(visit, store, shelf, id)[1], band, mains)


@router.post("/api/readings/{id}/check", tags=["studies"], summary="As of a recording; null where the reading is blank")
def api_study_check(visit: Reader, store: Database, shelf: Recordings, id: Identifier, text: ReportText) -> dict | None:
    given, shown = _given(visit, store, shelf, id)
    return given.draft and checked_text(store, text.text, given.draft, shown)


@router.put("/api/readings/{id}/text", tags=["studies"], summary="Save what was written and how long it took so far")
def api_study_save(visit: Reader, store: Database, id: Identifier, given: Progress) -> dict:
    kept.keep_reading(store, visit.person.id, id, given.text, given.active_ms, given.keystrokes)
    return {"version": 1}


@router.post("/api/readings/{id}/finish", tags=["studies"], summary="Finish a reading; it cannot be changed then")
def api_finish(visit: Reader, store: Database, id: Identifier, given: Progress) -> dict:
    kept.keep_reading(store, visit.person.id, id, given.text, given.active_ms, given.keystrokes, finish=True)
    return {"finished": True}


def _given(visit: Visit, store: Store, shelf: Shelf, id: str):
    given = kept.get_reading(store, visit.person.id, id)
    return given, shelf.get(given.recording_id)


def _readers(store: Store) -> list[Person]:
    able = [one for one in list_accounts(store) if one.active and Role.READER in one.roles]
    return sorted(able, key=lambda one: one.full_name)


def _studies(request: Request, visit: Visit, store: Store, said: str = "", status: int = 200):
    leads = visit.may(Role.STUDY_LEADER)
    return render_page(
        request,
        "studies.html",
        visit,
        status,
        studies=kept.studies(store, visit.person.id),
        leads=leads,
        reads=visit.may(Role.READER),
        readers=_readers(store) if leads else [],
        drafted=readable_count(store) if leads else 0,
        idle=kept.IDLE_S,
        said=said,
    )
