"""Recordings read and prepared ahead of the model, by processes of their own, so that it need not wait for them.

They stand back behind the model's own threads. One that is killed costs no recording: from then on this process reads.
"""

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from time import perf_counter

from meit.drafting.examine import InputForm, Prepared, prepare
from meit.ecg.files.formats import read_ecg
from meit.ecg.recording import check_leads
from meit.errors import MeitError
from meit.spawning import spawned

FEW = 16  # recordings, for which no process is started: that takes as long as to measure them
NICENESS = 10
_MOST_WORDS = 200  # letters of another library's error


@dataclass(frozen=True)
class ReadFile:
    """A recording as the model takes it, or the error that stood in the way."""

    path: Path
    prepared: Prepared | None = None
    error: str = ""


def read_prepared(path: Path, form: InputForm, missing_chest_leads: int) -> ReadFile:
    """What goes wrong costs this recording alone. An OSError, which is the machine's, goes through."""
    try:
        recording = read_ecg(path, allow_missing=True)
        check_leads(recording, missing_chest_leads)
        return ReadFile(path, prepare(recording, form))
    except OSError:
        raise
    except MemoryError:
        return ReadFile(path, error=f"{path}: the memory does not suffice to read it")
    except Exception as error:
        return ReadFile(path, error=not_drafted(path, error))


def read_ahead(
    paths: Iterable[Path],
    form: InputForm,
    missing_chest_leads: int,
    processes: int,
    window: int,
    waited: Callable[[float], object] = lambda seconds: None,
) -> Generator[ReadFile]:
    """Recordings in the order of their paths, `window` of them ahead of who asks; close it where that one stops early.

    With fewer than two processes, or no more than FEW recordings, this process reads each when it is asked for.
    waited(seconds) is told how long each was waited for.
    """
    rest = iter(paths)
    first = list(islice(rest, FEW + 1))
    rest = chain(first, rest)
    pool = spawned(processes, 1, NICENESS) if processes > 1 and len(first) > FEW else None
    handed: deque[tuple[Path, Future[ReadFile] | None]] = deque()
    try:
        while True:
            for path in islice(rest, (window if pool else 1) - len(handed)):
                handed.append((path, _submitted(pool, path, form, missing_chest_leads)))
            if not handed:
                return
            began = perf_counter()
            path, future = handed.popleft()
            found = _result(future) or read_prepared(path, form, missing_chest_leads)
            waited(perf_counter() - began)
            yield found
    finally:
        if pool is not None:
            pool.shutdown(cancel_futures=True)


def _submitted(pool: ProcessPoolExecutor | None, *asked) -> "Future[ReadFile] | None":
    try:
        return None if pool is None else pool.submit(read_prepared, *asked)
    except BrokenProcessPool:
        return None


def _result(future: "Future[ReadFile] | None") -> ReadFile | None:
    """None where nobody is at it, or who was has been killed."""
    try:
        return None if future is None else future.result()
    except BrokenProcessPool:
        return None


def not_drafted(path: Path, error: Exception) -> str:
    if isinstance(error, MeitError):
        return str(error)
    words = " ".join(str(error).split())[:_MOST_WORDS]
    return f"{path}: could not be drafted ({type(error).__name__}: {words}); please report this"
