"""Workers on this machine: processes of their own, which a death of one leaves alone."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from meit.bulk.outcome import DraftTask, Handed, Outcome

if TYPE_CHECKING:  # imported where a process begins to draft: it answers before that, so that it can be ended
    from meit.bulk.workers.drafter import Drafter


class LocalWorker:
    """A pool of one process: a pool of several would be broken as a whole by one death."""

    def __init__(self, task: DraftTask):
        os.environ.setdefault("OMP_NUM_THREADS", str(task.threads))  # read when the process imports its libraries
        self._task = task
        self._pool = ProcessPoolExecutor(1, multiprocessing.get_context("spawn"))
        with _unheard(signal.SIGINT):  # Ctrl-C is for the process that hands out; what starts now inherits that
            self._pid: Future[int] = self._pool.submit(_watched)

    def begin(self) -> Future:
        return self._pool.submit(_begin, self._task)

    def draft(self, handed: list[Handed]) -> Future[list[Outcome]]:
        return self._pool.submit(_draft, handed)

    def is_death(self, error: BaseException) -> bool:
        return isinstance(error, BrokenProcessPool)

    def end(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)
        with suppress(BrokenProcessPool, ProcessLookupError):
            os.kill(self._pid.result(), signal.SIGKILL)
        self._pool.shutdown()


_drafter: "Drafter | None" = None


def _begin(task: DraftTask) -> None:
    global _drafter
    from meit.bulk.workers.drafter import Drafter

    _drafter = Drafter(task)


def _draft(handed: list[Handed]) -> list[Outcome]:
    assert _drafter is not None
    return list(_drafter.outcomes(handed))


def _watched() -> int:
    """The process's id. From now on it ends with the one that started it, however that ends."""
    parent = multiprocessing.parent_process()
    assert parent is not None

    def watch() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
    return os.getpid()


@contextmanager
def _unheard(number: signal.Signals) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():  # where no signal arrives
        yield
        return
    before = signal.signal(number, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(number, before)
