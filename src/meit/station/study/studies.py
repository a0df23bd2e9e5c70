"""Studies in the database: made by a leader, read by readers, reckoned up when enough is finished."""

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from random import Random

from rapidfuzz.distance import Levenshtein
from sqlalchemy import func, select

from meit.errors import AbsentError, StationError
from meit.reports.statements import asserted, read_statements
from meit.station.store import Role, Store
from meit.station.store.audit import append, digest
from meit.station.store.roles import require
from meit.station.store.saved_drafts import SavedDraft, saved_draft
from meit.station.store.schema import DraftRow, Study, StudyReading, now
from meit.station.store.storable import field_text, report_text
from meit.station.study.assignment import BLANK, DRAFT, assign
from meit.station.study.time_comparison import Done

IDLE_S = 30
MOST_RECORDINGS = 500  # recordings of a study


@dataclass(frozen=True)
class Overview:
    """A study in a list. mine, my_done: of the reader who asks."""

    public_id: str
    name: str
    created_at: datetime
    readers: int
    recordings: int
    readings: int
    done: int
    mine: int
    my_done: int


@dataclass(frozen=True)
class AssignedReading:
    """What a reader is given. draft: the study's, only where he is to see it. number, of: his place in the study."""

    public_id: str
    study: str
    study_id: str
    recording_id: int
    arm: str
    draft: SavedDraft | None
    text: str
    active_ms: int
    keystrokes: int
    idle_s: int
    finished: bool
    number: int
    of: int


def make_study(
    store: Store,
    by: int,
    name: str,
    readers: Collection[int],
    recordings: int,
    idle_s: int = IDLE_S,
    seed: int | None = None,
) -> str:
    """Draws drafted recordings by chance and assigns them; returns the study's public id. Raises StationError where there
    are too few, or no reader."""
    with store.writing() as session:
        require(session, by, Role.STUDY_LEADER)
        people = sorted(set(readers))
        if not people:
            raise StationError("a study needs a reader")
        for one in people:
            require(session, one, Role.READER)
        if not 5 <= idle_s <= 600:
            raise StationError("the longest pause that counts is 5 to 600 s")
        newest = select(func.max(DraftRow.id)).where(DraftRow.measured.is_not(None)).group_by(DraftRow.recording_id)
        found = (
            select(DraftRow.recording_id, DraftRow.id, DraftRow.draft)
            .where(DraftRow.id.in_(newest))
            .order_by(DraftRow.id)
        )
        drafted = [row for row in session.execute(found) if json.loads(row.draft)["report"]]
        if not 2 <= recordings <= min(len(drafted), MOST_RECORDINGS):
            raise StationError(
                f"choose 2 to {min(len(drafted), MOST_RECORDINGS)} recordings; {len(drafted)} have a draft"
            )
        seed = Random().randrange(2**31) if seed is None else seed
        chosen = Random(seed).sample(drafted, recordings)
        study = Study(name=field_text(name, "the study's name"), seed=seed, idle_s=idle_s, created_by=by)
        session.add(study)
        session.flush()
        for account, order in zip(people, assign(len(people), recordings, seed), strict=True):
            for position, (place, arm) in enumerate(order):
                row = chosen[place]
                session.add(
                    StudyReading(
                        study_id=study.id,
                        account_id=account,
                        recording_id=row.recording_id,
                        draft_id=row.id,
                        arm=arm,
                        position=position,
                        text=json.loads(row.draft)["report"] if arm == DRAFT else "",
                    )
                )
        append(session, "study.made", by, study=study.id, readers=len(people), recordings=recordings)
        return study.public_id


def studies(store: Store, account_id: int) -> tuple[Overview, ...]:
    """All studies, the newest first."""
    mine = StudyReading.account_id == account_id
    counted = (
        select(
            Study.public_id,
            Study.name,
            Study.created_at,
            func.count(StudyReading.account_id.distinct()).label("readers"),
            func.count(StudyReading.recording_id.distinct()).label("recordings"),
            func.count(StudyReading.id).label("readings"),
            func.count(StudyReading.finished_at).label("done"),
            func.count(StudyReading.id).filter(mine).label("mine"),
            func.count(StudyReading.finished_at).filter(mine).label("my_done"),
        )
        .join(StudyReading, StudyReading.study_id == Study.id)
        .group_by(Study.id)
        .order_by(Study.id.desc())
    )
    with store.reading() as session:
        return tuple(Overview(**row._mapping) for row in session.execute(counted))


def next_reading(store: Store, account_id: int, study_id: str) -> str | None:
    """The public id of the reader's next reading; None when all are finished."""
    with store.reading() as session:
        return session.scalar(
            select(StudyReading.public_id)
            .join(Study, Study.id == StudyReading.study_id)
            .where(
                Study.public_id == study_id, StudyReading.account_id == account_id, StudyReading.finished_at.is_(None)
            )
            .order_by(StudyReading.position)
            .limit(1)
        )


def get_reading(store: Store, account_id: int, public_id: str) -> AssignedReading:
    """Raises AbsentError where it is nobody's, or another reader's."""
    with store.reading() as session:
        row = _mine(session, account_id, public_id)
        study = session.get_one(Study, row.study_id)
        count = (
            select(func.count())
            .select_from(StudyReading)
            .where(StudyReading.study_id == row.study_id, StudyReading.account_id == account_id)
        )
        draft = saved_draft(session.get_one(DraftRow, row.draft_id)) if row.arm == DRAFT else None
        return AssignedReading(
            row.public_id,
            study.name,
            study.public_id,
            row.recording_id,
            row.arm,
            draft,
            row.text,
            row.active_ms,
            row.keystrokes,
            study.idle_s,
            row.finished_at is not None,
            row.position + 1,
            session.scalars(count).one(),
        )


def keep_reading(
    store: Store, account_id: int, public_id: str, text: str, active_ms: int, keystrokes: int, finish: bool = False
) -> None:
    """Saves what was written and how long it took so far. What was counted never becomes less, nor more than has passed on
    the clock since the reader began. Raises StationError for a finished one, and for finishing without a text."""
    text = report_text(text)
    with store.writing() as session:
        require(session, account_id, Role.READER)
        row = _mine(session, account_id, public_id)
        if row.finished_at is not None:
            raise StationError("this reading is finished")
        if finish and not text.strip():
            raise StationError("write a report before you finish")
        moment = now()
        row.started_at = row.started_at or moment
        passed = int((moment - row.started_at).total_seconds() * 1000)
        row.text = text
        row.active_ms = max(row.active_ms, min(active_ms, passed))
        row.keystrokes = max(row.keystrokes, keystrokes)
        if finish:
            row.finished_at = moment
            append(session, "study.reading_finished", account_id, digest(text), study=row.study_id, reading=row.id)


def begin_reading(store: Store, account_id: int, public_id: str) -> None:
    """The reader sees it for the first time: the clock runs."""
    with store.writing() as session:
        row = _mine(session, account_id, public_id)
        if row.started_at is None:
            row.started_at = now()
            append(session, "study.reading_begun", account_id, study=row.study_id, reading=row.id)


def results(store: Store, study_id: str) -> tuple[Study, list[Done], int]:
    """A study, its finished readings, and how many it has. Readers and recordings are numbered, not named."""
    with store.reading() as session:
        study = session.scalar(select(Study).where(Study.public_id == study_id))
        if study is None:
            raise AbsentError("there is no such study")
        rows = session.execute(
            select(StudyReading, DraftRow.draft)
            .join(DraftRow, DraftRow.id == StudyReading.draft_id)
            .where(StudyReading.study_id == study.id)
            .order_by(StudyReading.id)
        ).all()
        people = {one: f"reader {place}" for place, one in enumerate(sorted({row[0].account_id for row in rows}), 1)}
        files = {
            one: f"recording {place}" for place, one in enumerate(sorted({row[0].recording_id for row in rows}), 1)
        }
        session.expunge_all()
    done = [
        _done(row, json.loads(draft)["report"], people[row.account_id], files[row.recording_id])
        for row, draft in rows
        if row.finished_at is not None
    ]
    return study, done, len(rows)


def _mine(session, account_id: int, public_id: str) -> StudyReading:
    row = session.scalar(
        select(StudyReading).where(StudyReading.public_id == public_id, StudyReading.account_id == account_id)
    )
    if row is None:
        raise AbsentError("there is no such reading")
    return row


def _done(row: StudyReading, draft: str, reader: str, recording: str) -> Done:
    words = row.text.split()
    seconds = row.active_ms / 1000
    given = (reader, recording, row.arm, row.position, seconds, row.keystrokes, len(words))
    if row.arm == BLANK:
        return Done(*given)
    before, after = (asserted(read_statements(text)) for text in (draft, row.text))
    distance = Levenshtein.distance(draft.split(), words)
    return Done(*given, distance, len(before & after), len(before - after), len(after - before))
