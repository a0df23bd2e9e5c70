"""Workers on this machine: processes of their own, which a death of one leaves alone."""

import os
import signal
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from typing import TYPE_CHECKING

from meit.bulk.outcome import DraftTask, Handed, Outcome
from meit.spawning import spawned

if TYPE_CHECKING:  # imported where a process begins to draft: it answers before that, so that it can be ended
    from meit.bulk.workers.drafter import Drafter


class LocalWorker:
    """A pool of one process: a pool of several would be broken as a whole by one death."""

    def __init__(self, task: DraftTask):
        self._task = task
        self._pool = spawned(1, task.threads)
        self._pid: Future[int] = self._pool.submit(os.getpid)

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
