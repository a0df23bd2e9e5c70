"""The recordings: taken in with their files, listed, found.

The files' bytes lie in the database, once for each content, not in a folder beside it: so a recording and its files are
there together or not at all, a backup is one thing, workers on other machines need no shared disk, and triggers guard
them like the rest. A 10 s ECG has 20 kB to 1 MB; 10,000 of them are no burden for either database.
"""

import hashlib
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import func, select, tuple_
from sqlalchemy.orm import Session

from meit.drafting.checks.urgency import Urgency
from meit.errors import AbsentError, RecordingError, StationError
from meit.station.store.audit import append, digest
from meit.station.store.database import Store
from meit.station.store.roles import require
from meit.station.store.schema import File, Job, RecordingFile, RecordingRow, Status
from meit.station.store.storable import folded

MOST_FILES = 32  # of one recording; WFDB has two, or more where its header names them
PAGE = 50
MOST_A_PAGE = 200
SORT_ORDERS = {  # name -> what it sorts by, and whether downwards
    "urgency": ((RecordingRow.triage, RecordingRow.standing, RecordingRow.id), False),
    "status": ((RecordingRow.standing, RecordingRow.triage, RecordingRow.id), False),
    "oldest": ((RecordingRow.id,), False),
    "newest": ((RecordingRow.id,), True),
}
_KEY = re.compile(r"\d{1,12}(_\d{1,12})*", re.ASCII)


@dataclass(frozen=True)
class WorklistEntry:
    """A recording as the worklist shows it. public_id: names it in URLs. acquired_at: ISO, of the
    recorder's clock. error: why drafting failed."""

    id: int
    public_id: str
    created_at: datetime
    name: str
    patient_id: str | None
    age: float | None
    sex: str | None
    acquired_at: str | None
    seconds: float | None
    rate_hz: float | None
    status: str
    error: str | None
    urgency: int
    critical: tuple[str, ...]


@dataclass(frozen=True)
class WorklistPage:
    """after: the key of the next page; None on the last one. It holds no patient data and may stand in a URL."""

    entries: tuple[WorklistEntry, ...]
    after: str | None


_COLUMNS = [getattr(RecordingRow, name) for name in WorklistEntry.__dataclass_fields__]


def add_recording(store: Store, files: Mapping[str, bytes], account_id: int | None = None) -> tuple[int, bool]:
    """Takes in the files of one recording by their names, and queues it to be drafted; account_id: None for a watched
    folder.

    Returns its id, and False where these files were there before: then nothing is added. Raises StationError for no
    file, too many, and names that are no plain file names.
    """
    check_names(files)
    sums = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    content = digest(sorted(sums.values()))
    with store.writing() as session:
        if account_id is not None:
            require(session, account_id)
        known = session.scalar(select(RecordingRow.id).where(RecordingRow.content_sha256 == content))
        if known is not None:
            return known, False
        name = Path(min(files, key=lambda one: (Path(one).suffix.lower() != ".hea", one))).stem
        recording = RecordingRow(
            content_sha256=content, created_by=account_id, name=name, urgency=Urgency.UNREAD.value, search=folded(name)
        )
        session.add(recording)
        there = set(session.scalars(select(File.sha256).where(File.sha256.in_(sums.values()))))
        session.add_all(File(sha256=one, content=files[name]) for name, one in _once(sums).items() if one not in there)
        session.flush()
        session.add_all(RecordingFile(recording_id=recording.id, name=name, sha256=one) for name, one in sums.items())
        session.add(Job(recording_id=recording.id))
        append(session, "recording.added", account_id, content, recording=recording.id)
        return recording.id, True


def worklist(
    store: Store,
    order: str = "urgency",
    statuses: Iterable[Status] = (),
    search: str = "",
    after: str | None = None,
    limit: int = PAGE,
) -> WorklistPage:
    """A page of the recordings: of the given statuses, or all; with every word of `search` in name, patient id or text.

    order: one of ORDERS; oldest first among equals. after: a Page's `after`. Raises StationError for other values.
    """
    if order not in SORT_ORDERS:
        raise StationError(f"order by one of {', '.join(SORT_ORDERS)}")
    keys, downwards = SORT_ORDERS[order]
    wanted = select(*_COLUMNS, *(key.label(f"key{place}") for place, key in enumerate(keys)))
    for word in folded(search).split():
        wanted = wanted.where(RecordingRow.search.contains(word, autoescape=True))
    if chosen := list(statuses):
        wanted = wanted.where(RecordingRow.status.in_(chosen))
    if after is not None:
        here, there = tuple_(*keys), tuple_(*_parsed(after, len(keys)))
        wanted = wanted.where(here < there if downwards else here > there)
    limit = max(1, min(limit, MOST_A_PAGE))
    with store.reading() as session:
        ordered = wanted.order_by(*(key.desc() if downwards else key for key in keys))
        found = session.execute(ordered.limit(limit + 1)).all()
    last = found[limit - 1][len(_COLUMNS) :] if len(found) > limit else None
    return WorklistPage(tuple(_entry(one) for one in found[:limit]), None if last is None else "_".join(map(str, last)))


def counts(store: Store) -> dict[Status, int]:
    """The number of recordings of each status."""
    with store.reading() as session:
        found = session.execute(select(RecordingRow.status, func.count()).group_by(RecordingRow.status)).all()
    return dict.fromkeys(Status, 0) | {Status(status): number for status, number in found}


def get_recording(store: Store, recording_id: int) -> WorklistEntry:
    """Raises AbsentError."""
    with store.reading() as session:
        return _entry(_found(session.execute(select(*_COLUMNS).where(RecordingRow.id == recording_id)).first()))


def find_recording(store: Store, public_id: str) -> WorklistEntry:
    """By the id that URLs have. Raises AbsentError."""
    with store.reading() as session:
        return _entry(_found(session.execute(select(*_COLUMNS).where(RecordingRow.public_id == public_id)).first()))


def others_of_patient(store: Store, recording_id: int, limit: int = PAGE) -> tuple[WorklistEntry, ...]:
    """The other recordings under the same patient id, the latest acquired first; none where the file gave no id."""
    with store.reading() as session:
        one = _found(session.execute(select(RecordingRow.patient_id).where(RecordingRow.id == recording_id)).first())
        if one.patient_id is None:
            return ()
        others = select(*_COLUMNS).where(RecordingRow.patient_id == one.patient_id, RecordingRow.id != recording_id)
        latest = others.order_by(RecordingRow.acquired_at.desc().nulls_last(), RecordingRow.id.desc()).limit(limit)
        return tuple(_entry(found) for found in session.execute(latest))


def files_of(store: Store, recording_id: int) -> dict[str, bytes]:
    """The original files by name, as they came; RecordingError where one is no longer what was taken in."""
    with store.reading() as session:
        rows = session.execute(
            select(RecordingFile.name, File.sha256, File.content)
            .join(File, File.sha256 == RecordingFile.sha256)
            .where(RecordingFile.recording_id == recording_id)
            .order_by(RecordingFile.name)
        ).all()
    _found(rows)
    for row in rows:
        if hashlib.sha256(row.content).hexdigest() != row.sha256:
            raise RecordingError(f"a file of recording {recording_id} was changed in the database: restore a backup")
    return {row.name: bytes(row.content) for row in rows}


def recording_row(session: Session, recording_id: int) -> RecordingRow:
    """Within a transaction. Raises AbsentError."""
    return _found(session.get(RecordingRow, recording_id))


def _found(row):
    if not row:
        raise AbsentError("there is no such recording")
    return row


def _entry(row: Sequence) -> WorklistEntry:
    values = dict(zip(WorklistEntry.__dataclass_fields__, row, strict=False))
    return WorklistEntry(**values | {"critical": tuple(filter(None, values["critical"].split(",")))})


def _once(sums: Mapping[str, str]) -> dict[str, str]:
    """One name for each sum."""
    return {name: one for one, name in {one: name for name, one in sums.items()}.items()}


def check_names(files: Collection[str]) -> None:
    """Raises StationError, which repeats no name, for files that add_recording would not take together."""
    if not 1 <= len(files) <= MOST_FILES:
        raise StationError(f"a recording has 1 to {MOST_FILES} files, not {len(files)}")
    for name in files:
        plain = name.isprintable() and len(name.encode()) <= 200 and not set(name) & set('/\\:*?"<>|')
        if not plain or not name.strip(". ") or name.startswith("."):
            raise StationError("a file's name must be a plain one, without folders, of 200 bytes at most")


def _parsed(after: str, count: int) -> list[int]:
    if not _KEY.fullmatch(after) or after.count("_") + 1 != count:
        raise StationError("this page's key is none of this order")
    return [int(part) for part in after.split("_")]
