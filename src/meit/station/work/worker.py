"""A worker: takes recordings from the queue, reads and drafts them in batches, and delivers the drafts."""

import logging
import multiprocessing
import os
import signal
import socket
import tempfile
import threading
import uuid
from collections.abc import Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from multiprocessing.process import BaseProcess
from pathlib import Path

from meit.drafting.draft import Draft, draft_report, draft_reports
from meit.drafting.examine import Examined, examine
from meit.drafting.report_writing import DRAFTED_AT_ONCE
from meit.ecg.files.formats import find_recordings, read_ecg
from meit.ecg.recording import Recording, check_leads
from meit.errors import MeitError, RecordingError, StationError
from meit.model.devices import device_of_worker
from meit.model.operating_points import BALANCED
from meit.model.report_model import ReportModel, load_model
from meit.station.store.database import Store
from meit.station.store.opening import open_store
from meit.station.store.recording_entries import files_of
from meit.station.viewer_document import as_json
from meit.station.work.asked_questions import claim_question, finish_question
from meit.station.work.queue import LEASE, claim_jobs, fail, finish_job, release, renew

QUEUE_PAUSE_S = 0.5  # seconds between two looks into an empty queue
log = logging.getLogger(__name__)  # ids and kinds of errors alone: no names, no patient data


@dataclass(frozen=True)
class Worker:
    """name: of this process alone, whatever machine it is on."""

    store: Store
    model: ReportModel
    name: str
    batch: int = DRAFTED_AT_ONCE
    lease: float = LEASE

    def work_once(self) -> int:
        """Drafts one batch; returns how many recordings it took, 0 from an empty queue."""
        holder = f"{self.name}:{uuid.uuid4().hex[:8]}"  # a lease of this batch alone
        ids = claim_jobs(self.store, holder, self.batch, self.lease)
        if not ids:
            return 0
        try:
            with _kept_alive(self.store, holder, self.lease):
                self._draft(holder, ids)
        except StationError:
            with suppress(StationError):  # if the database is away, they come free by themselves
                release(self.store, holder)
            raise
        return len(ids)

    def answer_once(self) -> bool:
        """Answers one question that a reader asked; False where none waits."""
        asked = claim_question(self.store, self.lease)
        if asked is None:
            return False
        answer, said = None, None
        try:
            recording = read_files(files_of(self.store, asked.recording_id), self.model.spec.missing_chest_leads)
            answer = draft_report(self.model, recording, ask=asked.question)
        except StationError:
            raise
        except Exception as error:  # whatever it is: the queue has to go on
            log.warning("recording %d: no answer: %s", asked.recording_id, type(error).__name__)
            said = str(error) if isinstance(error, MeitError) else f"answering failed ({type(error).__name__})"
        finish_question(self.store, asked.id, answer, said)
        return True

    def work(self, stop: threading.Event) -> None:
        """Works until it is told to stop, and ends its batch."""
        while not stop.is_set():
            try:
                if not self.answer_once() and not self.work_once():
                    stop.wait(QUEUE_PAUSE_S)
            except StationError as error:
                log.warning("%s waits: %s", self.name, error)
                stop.wait(self.lease / 10)

    def _draft(self, holder: str, ids: Sequence[int]) -> None:
        readable: dict[int, Examined] = {}
        failed: dict[int, BaseException] = {}
        for one in ids:
            with _noted(failed, one):
                readable[one] = examine(read_files(files_of(self.store, one), self.model.spec.missing_chest_leads))
        for one, draft in self._drafts(readable, failed).items():
            with _noted(failed, one):
                examined = readable[one]
                finish_job(self.store, holder, one, draft, examined.recording.patient.id, as_json(examined))
        for one, error in failed.items():
            log.warning("recording %d failed: %s", one, type(error).__name__)
            said = str(error) if isinstance(error, MeitError) else f"drafting failed ({type(error).__name__})"
            fail(self.store, holder, one, said)

    def _drafts(self, readable: Mapping[int, Examined], failed: dict[int, BaseException]) -> dict[int, Draft]:
        """Of all at once; one by one where that fails, so that only the one that is at fault goes without."""
        ids = list(readable)
        try:
            found = draft_reports(self.model, list(readable.values()), batch=self.batch) if ids else []
            return dict(zip(ids, found, strict=True))
        except Exception as error:  # whatever it is: the queue has to go on
            if len(ids) == 1:
                failed[ids[0]] = error
                return {}
            return {one: draft for key in ids for one, draft in self._drafts({key: readable[key]}, failed).items()}


def read_files(files: Mapping[str, bytes], missing_chest_leads: int = 0) -> Recording:
    """The recording in original files, given by name. RecordingError, which names files and no folders, as read_ecg."""
    with tempfile.TemporaryDirectory(prefix="meit-") as folder:
        for name, content in files.items():
            Path(folder, name).write_bytes(content)
        try:
            recording = read_ecg(_readable(Path(folder), files), allow_missing=True)
            check_leads(recording, missing_chest_leads)
        except RecordingError as error:
            raise RecordingError(str(error).replace(f"{folder}{os.sep}", "").replace(folder, "the files")) from None
    return replace(recording, source=Path(recording.source).name)


def run_worker(
    url: str,
    model: str | Path,
    lease: float = LEASE,
    device: str = "auto",
    dtype: str = "auto",
    operating_point: str = BALANCED,
    number: int = 0,
    workers: int = 1,
) -> None:
    """What a worker process does, from loading the model until SIGTERM or SIGINT; it ends its batch then.

    It is worker `number` of `workers`, which share the machine's GPUs.
    """
    stop = threading.Event()
    for ends in (signal.SIGTERM, signal.SIGINT):
        signal.signal(ends, lambda *_: stop.set())
    parent = multiprocessing.parent_process()
    if parent is not None:  # a server that is killed takes its workers along
        threading.Thread(target=_stop_after, args=(parent, stop), daemon=True).start()
    store = open_store(url)
    try:
        place = device_of_worker(device, number, workers)
        loaded = load_model(model, device=place, dtype=dtype, operating_point=operating_point)
        Worker(store, loaded, worker_name(), lease=lease).work(stop)
    finally:
        store.close()


def _stop_after(parent: BaseProcess, stop: threading.Event) -> None:
    parent.join()
    stop.set()


def worker_name() -> str:
    return f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"


def _readable(folder: Path, files: Mapping[str, bytes]) -> Path:
    if len(files) == 1:
        return folder / next(iter(files))
    found = find_recordings(folder)
    if len(found) > 1:
        raise RecordingError(f"{len(found)} recordings at once; give the files of one")
    return found[0]


@contextmanager
def _noted(failed: dict[int, BaseException], recording_id: int):
    """What is wrong with one recording is noted; what is wrong with the database is not its fault, and raised."""
    try:
        yield
    except StationError:
        raise
    except Exception as error:
        failed[recording_id] = error


@contextmanager
def _kept_alive(store: Store, holder: str, lease: float):
    """Renews leases from a thread of its own, for as long as their recordings are drafted."""
    done = threading.Event()

    def beat() -> None:
        while not done.wait(lease / 5):
            try:
                renew(store, holder, lease)
            except StationError as error:
                log.warning("%s could not renew its leases: %s", holder, error)

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
