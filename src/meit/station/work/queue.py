"""The queue: a table of jobs in the station's own database, taken by leases.

A job is a row beside its recording, made in the transaction that takes the recording in and removed in the one that
saves its draft; so there is no moment at which one is there without the other. A library was looked for first: huey
(SQLite, PostgreSQL) forgets a task whose worker is killed, procrastinate and pgqueuer know PostgreSQL alone, APScheduler
4, which has leases on both, is an alpha release, and DBOS, which has them too, installs an LGPL driver.

A worker that dies keeps its jobs until the lease ends; then another takes them. A worker that only seemed dead finds
out when it delivers: its lease is gone, and so is its result. Clocks of machines that share a queue must agree to a
fraction of LEASE.
"""

import time
from itertools import takewhile

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from meit.drafting.draft_types import Draft
from meit.errors import StationError
from meit.station.store.audit import append
from meit.station.store.database import Store
from meit.station.store.recording_entries import recording_row
from meit.station.store.roles import require
from meit.station.store.saved_drafts import fail_draft, save_draft
from meit.station.store.schema import Job, RecordingRow, Status, ViewRow

LEASE = 60.0  # seconds without a sign of life after which a worker counts as dead
ATTEMPTS = 3  # after which a recording that kills its workers is failed
KILLED = f"drafting was broken off {ATTEMPTS} times; the file may need more memory than there is"


def claim_jobs(store: Store, worker: str, count: int, lease: float = LEASE) -> list[int]:
    """Leases up to `count` recordings to a worker, the oldest first; [] where none waits.

    What was leased before comes alone, so that a file that kills its workers takes no others with it; after ATTEMPTS it
    is failed.
    """
    moment = time.time()
    free = select(Job).where(Job.leased_until < moment).order_by(Job.recording_id).limit(count)
    with store.claiming() as session:
        jobs = session.scalars(free.with_for_update(skip_locked=True)).all()
        taken = jobs[:1] if jobs and jobs[0].attempts else list(takewhile(lambda job: not job.attempts, jobs))
        ids = [job.recording_id for job in taken]
        killed = bool(taken) and taken[0].attempts >= ATTEMPTS
        for job in taken:
            job.worker, job.leased_until, job.attempts = worker, moment + lease, job.attempts + 1
        queued = RecordingRow.id.in_(ids), RecordingRow.status == Status.QUEUED
        session.execute(update(RecordingRow).where(*queued).values(status=Status.DRAFTING))
    if killed:
        fail(store, worker, ids[0], KILLED)
        return claim_jobs(store, worker, count, lease)
    return ids


def renew(store: Store, worker: str, lease: float = LEASE) -> None:
    """A sign of life: all leases of the worker begin anew."""
    with store.claiming() as session:
        session.execute(update(Job).where(Job.worker == worker).values(leased_until=time.time() + lease))


def release(store: Store, worker: str) -> None:
    """Gives back what a worker that has not died still has; it does not count as an attempt."""
    with store.claiming() as session:
        mine = session.scalars(select(Job).where(Job.worker == worker).with_for_update()).all()
        ids = [job.recording_id for job in mine]
        for job in mine:
            job.worker, job.leased_until, job.attempts = None, 0.0, job.attempts - 1
        drafting = RecordingRow.id.in_(ids), RecordingRow.status == Status.DRAFTING
        session.execute(update(RecordingRow).where(*drafting).values(status=Status.QUEUED))


def finish_job(
    store: Store,
    worker: str,
    recording_id: int,
    draft: Draft,
    patient_id: str | None,
    view: str | None = None,
) -> bool:
    """Saves a draft (see save_draft), and a view (schema.ViewRow) with it, and removes the job. False, and nothing is
    saved, where the lease is another's by now."""
    with store.writing() as session:
        if not _remove(session, worker, recording_id):
            return False
        save_draft(session, recording_id, draft, patient_id)
        if view is not None:
            session.merge(ViewRow(recording_id=recording_id, document=view))
        return True


def fail(store: Store, worker: str, recording_id: int, error: str) -> bool:
    """The recording cannot be drafted, for a reason that is shown with it. False where the lease is another's by now."""
    with store.writing() as session:
        if not _remove(session, worker, recording_id):
            return False
        fail_draft(session, recording_id, error)
        return True


def draft_again(store: Store, account_id: int, recording_id: int) -> None:
    """Queues a recording anew: one that failed, or whose draft shall come from another model.

    Raises StationError where it is signed or waits already.
    """
    with store.writing() as session:
        require(session, account_id)
        recording = recording_row(session, recording_id)
        if recording.status not in (Status.FAILED, Status.DRAFTED) or session.get(Job, recording_id) is not None:
            raise StationError("only what failed or was drafted, and is not signed, can be drafted again")
        if recording.status == Status.FAILED:
            recording.status, recording.error = Status.QUEUED, None
        session.add(Job(recording_id=recording_id))
        append(session, "draft.asked_again", account_id, recording=recording_id)


def waiting(store: Store) -> int:
    """How many recordings have no draft yet, at work or not."""
    with store.reading() as session:
        return session.scalars(select(func.count()).select_from(Job)).one()


def _remove(session: Session, worker: str, recording_id: int) -> bool:
    mine = delete(Job).where(Job.recording_id == recording_id, Job.worker == worker).returning(Job.recording_id)
    return session.scalar(mine) is not None
