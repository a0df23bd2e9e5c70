"""Recordings handed out to workers, a piece each; a worker that dies costs its piece, which is then done again.

A worker is a process with the model in its memory, on this machine (meit.bulk.workers.local_workers) or another (meit.bulk.workers.on_ray).
What died with its worker is tried again one by one; a recording with which a worker dies again is the one to blame.
"""

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass
from itertools import islice
from typing import Protocol

from meit.bulk.outcome import Handed, Outcome
from meit.errors import DataError

DEADLY = "the process that drafted it was killed twice (out of memory?)"
NO_START = "workers are killed while they load the model (out of memory?): take fewer --workers"
_MOST_DEAD_STARTS = 3


class DraftWorker(Protocol):
    def begin(self) -> Future:
        """Done when the model is in memory."""

    def draft(self, handed: list[Handed]) -> "Future[list[Outcome]]": ...

    def is_death(self, error: BaseException) -> bool:
        """Whether what a future raised means that the worker died, and not that it was refused something."""

    def end(self) -> None:
        """At once, whatever it is at."""


@dataclass(frozen=True)
class _Piece:
    handed: list[Handed]
    deaths: int = 0

    def again(self) -> "list[_Piece]":
        return [_Piece([one], self.deaths + 1) for one in self.handed]


def hand_out(
    pieces: Iterator[list[Handed]],
    workers: int,
    start: Callable[[], DraftWorker],
    given_up: Callable[[Handed, str], Outcome],
) -> Iterator[Outcome]:
    """The outcome of each recording, as they come. Raises what a worker raises, and DataError where none can begin."""
    waiting: deque[_Piece] = deque()
    at_work: dict[Future, tuple[DraftWorker, _Piece | None]] = {}
    idle: list[DraftWorker] = []
    dead_starts = 0

    def more() -> bool:
        if not waiting:
            waiting.extend(_Piece(piece) for piece in islice(pieces, 1))
        return bool(waiting)

    def begin() -> None:
        worker = start()
        idle.append(worker)
        at_work[worker.begin()] = worker, None
        idle.pop()

    try:
        while more() or any(piece is not None for _, piece in at_work.values()):
            while len(at_work) + len(idle) < workers:
                begin()
            while idle and more():
                try:
                    future = idle[-1].draft(waiting[0].handed)
                except Exception as refused:  # it died while it waited for work, whose fault that is not
                    if not idle[-1].is_death(refused):
                        raise
                    idle.pop().end()
                    begin()
                    continue
                at_work[future] = idle.pop(), waiting.popleft()
            for future in wait(at_work, return_when=FIRST_COMPLETED).done:
                worker, done = at_work.pop(future)
                idle.append(worker)
                error = future.exception()
                if error is None:
                    dead_starts = 0
                    yield from future.result() if done is not None else ()
                elif not worker.is_death(error):
                    raise error
                else:
                    idle.pop().end()
                    if done is None:
                        dead_starts += 1
                    elif done.deaths:
                        yield given_up(done.handed[0], DEADLY)
                    else:
                        waiting.extendleft(done.again())
                    if dead_starts == _MOST_DEAD_STARTS:
                        raise DataError(NO_START)
    finally:
        for worker in [*idle, *(worker for worker, _ in at_work.values())]:
            worker.end()
