"""Work on many recordings divided among the processes that torchrun starts, and its results gathered again.

    join()
    mine = share(len(data))             # which of them are this process's
    texts = gathered(work(data, mine))  # of all of them, in their order, in every process
    if is_first(): ...                  # scores and writes

Without torchrun there is one process, and all is its own. What is gathered goes through main memory, wherever models compute.
"""

import atexit
import os
import signal
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any, TypeVar

import numpy as np

from meit.errors import MeitError

T = TypeVar("T")
_LONGEST = timedelta(days=7)  # that one process works while another waits


def join() -> None:
    """The processes of one torchrun get to know of each other; does nothing where there is one, or where they do already."""
    import torch.distributed as dist

    if int(os.environ.get("WORLD_SIZE", 1)) == 1 or dist.is_initialized():
        return
    signal.signal(signal.SIGTERM, _stopped)
    dist.init_process_group("gloo", timeout=_LONGEST)
    atexit.register(dist.destroy_process_group)


def is_first() -> bool:
    """Whether this process scores and writes."""
    return _place()[0] == 0


def share(count: int) -> np.ndarray:
    """The numbers, out of 0 to count, that are this process's; they lie side by side. Raises MeitError where some process
    would have none."""
    rank, processes = _place()
    if count < processes:
        raise MeitError(f"{processes} processes are too many for a set of {count}: start fewer")
    return np.array_split(np.arange(count), processes)[rank]


def gathered(part: Sequence[T]) -> list[T]:
    """What each process has of its share, in the order of all. Raises MeitError where a process has ended."""
    import torch.distributed as dist

    _, processes = _place()
    if processes == 1:
        return list(part)
    parts: list[Any] = [None] * processes
    _meeting(lambda: dist.all_gather_object(parts, list(part)))
    return [one for of_process in parts for one in of_process]


def of_first(value: T) -> T:
    """The first process's value, in every process."""
    import torch.distributed as dist

    if _place()[1] == 1:
        return value
    held: list[Any] = [value]
    _meeting(lambda: dist.broadcast_object_list(held, src=0))
    return held[0]


def _place() -> tuple[int, int]:
    """This process's number, and how many there are."""
    import torch.distributed as dist

    on = dist.is_available() and dist.is_initialized()
    return (dist.get_rank(), dist.get_world_size()) if on else (0, 1)


def _meeting(collective: Callable[[], object]) -> None:
    try:
        collective()
    except RuntimeError as error:
        raise MeitError(f"{_ended()}: {str(error).splitlines()[0]}") from error


def _stopped(*_: object) -> None:
    raise MeitError(_ended())


def _ended() -> str:
    rank, processes = _place()
    return f"process {rank + 1} of {processes} gives up, since another one ended before its share was done"
