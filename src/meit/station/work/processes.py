"""Worker processes beside a server: started, replaced when they die, stopped."""

import logging
import multiprocessing
import threading
from multiprocessing.process import BaseProcess
from pathlib import Path

from meit.model.operating_points import BALANCED
from meit.station.store.database import Store
from meit.station.work.queue import LEASE
from meit.station.work.worker import run_worker

ALIVE_LOOK_S = 1.0  # seconds between two looks at whether all are alive
STOP_PATIENCE_S = 20.0  # seconds that a worker has to end its batch
log = logging.getLogger(__name__)


class Workers:
    """`with Workers(store, model, 2): ...` keeps two worker processes running.

    Each loads the model, so each needs its memory. Processes are spawned, not forked: threads and connections of the
    server must not be copied.
    """

    def __init__(
        self,
        store: Store,
        model: str | Path,
        count: int = 1,
        lease: float = LEASE,
        device: str = "auto",
        dtype: str = "auto",
        operating_point: str = BALANCED,
    ):
        self._arguments = (store.url, str(model), lease, device, dtype, operating_point)
        self._count = count
        self._context = multiprocessing.get_context("spawn")
        self._processes: dict[int, BaseProcess] = {}  # by the worker's number, which its successor inherits
        self._stopping = threading.Event()
        self._watch = threading.Thread(target=self._keep, daemon=True)

    def __enter__(self) -> "Workers":
        self._watch.start()
        return self

    def __exit__(self, *_) -> None:
        self._stopping.set()
        self._watch.join()
        processes = list(self._processes.values())
        for process in processes:
            process.terminate()
        for process in processes:
            process.join(STOP_PATIENCE_S)
            if process.is_alive():
                process.kill()
                process.join()

    @property
    def pids(self) -> list[int]:
        """Of those that live."""
        processes = list(self._processes.values())
        return [process.pid for process in processes if process.pid is not None and process.is_alive()]

    def _keep(self) -> None:
        while True:
            for number in range(self._count):
                process = self._processes.get(number)
                if process is not None and process.is_alive():
                    continue
                if process is not None:
                    log.warning("worker process %s ended (%s); another takes its place", process.pid, process.exitcode)
                self._processes[number] = self._start(number)
            if self._stopping.wait(ALIVE_LOOK_S):
                return

    def _start(self, number: int) -> BaseProcess:
        process = self._context.Process(target=run_worker, args=(*self._arguments, number, self._count), daemon=True)
        process.start()
        return process
