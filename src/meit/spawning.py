"""Processes beside this one: spawned, deaf to Ctrl-C, which is for this one, and gone when it is, however it ends."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, suppress

_THREADS = "OMP_NUM_THREADS"  # read when a process imports its libraries


def spawned(processes: int, threads: int, niceness: int = 0) -> ProcessPoolExecutor:
    """A pool whose processes are all started here. threads: of each one's libraries, unless the environment says it.
    niceness: by how much they stand back behind others, where the system knows that."""
    pool = ProcessPoolExecutor(processes, multiprocessing.get_context("spawn"), _begin, (niceness,))
    with _environment(_THREADS, os.environ.get(_THREADS, str(threads))), _unheard(signal.SIGINT):
        for _ in range(processes):
            pool.submit(os.getpid)
    return pool


def _begin(niceness: int) -> None:
    """In each process, which from now on ends with the one that started it, however that ends."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    if niceness and hasattr(os, "nice"):
        with suppress(OSError):
            os.nice(niceness)

    def watch() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


@contextmanager
def _environment(name: str, value: str) -> Iterator[None]:
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before


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
