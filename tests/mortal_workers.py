"""Workers of meit.bulk that are killed at their work; in a module that processes of other machines can import."""

import os
import signal
from concurrent.futures import Future
from itertools import count

from meit.bulk.outcome import DRAFTED, Handed, Outcome
from meit.bulk.workers import local_workers, on_ray


def once(folder) -> bool:
    """True in one process alone."""
    try:
        (folder / ".killed").mkdir()
    except FileExistsError:
        return False
    return True


def killed_in_the_middle(drafter, task, handed: list[Handed]) -> list[Outcome]:
    """The first process to draft, on whatever machine, dies after the first recording of several."""
    dies = once(task.out)
    outcomes = []
    for outcome in drafter.outcomes(handed):
        outcomes.append(outcome)
        if dies:
            os.kill(os.getpid(), signal.SIGKILL)
    return outcomes


def _draft_or_die(handed: list[Handed]) -> list[Outcome]:
    drafter = local_workers._drafter
    return killed_in_the_middle(drafter, drafter._task, handed)


class MortalWorker(local_workers.LocalWorker):
    def draft(self, handed):
        return self._pool.submit(_draft_or_die, handed)


class MortalActor(on_ray._Actor):
    def draft(self, handed):
        return killed_in_the_middle(self._drafter, self._task, handed)


def _deadly(handed: list[Handed]) -> list[Outcome]:
    """Some recordings kill whoever drafts them."""
    for one in handed:
        if "deadly" in one.path:
            os.kill(os.getpid(), signal.SIGKILL)
    return [Outcome(one.path, DRAFTED, reason=str(os.getpid())) for one in handed]


class QuickWorker(local_workers.LocalWorker):
    """A process without a model. started: how many there were; idle_deaths: it is killed before it gets its work."""

    started = count()

    def __init__(self, task):
        next(QuickWorker.started)
        super().__init__(task)

    def begin(self) -> Future:
        return self._pool.submit(os.getpid)

    def draft(self, handed):
        return self._pool.submit(_deadly, handed)


class StillbornWorker(QuickWorker):
    def begin(self) -> Future:
        return self._pool.submit(_deadly, [Handed("deadly", "")])
