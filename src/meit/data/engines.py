"""What runs the many equal pieces of `meit prepare`: processes of this machine, or Ray on any number of machines."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from meit.errors import DataError
from meit.machine import cores

IN_FLIGHT = 4  # pieces handed out for each processor


def local(work: Callable[..., Any], pieces: Sequence[tuple]) -> Iterator[Any]:
    """work(*piece) of each piece in its own process, as many as there are processors; results as they come."""
    from concurrent.futures import ProcessPoolExecutor, as_completed
    from concurrent.futures.process import BrokenProcessPool

    count = min(len(pieces), cores())
    if count <= 1:
        yield from (work(*piece) for piece in pieces)
        return
    with ProcessPoolExecutor(count) as pool:
        try:
            for done in as_completed([pool.submit(work, *piece) for piece in pieces]):
                yield done.result()
        except BrokenProcessPool:
            raise DataError("a process was killed (out of memory?): start the same command again to go on") from None
        finally:
            pool.shutdown(cancel_futures=True)


@contextmanager
def ray_cluster() -> Iterator[dict[str, float]]:
    """What the cluster at $RAY_ADDRESS has, or a fresh one on this machine: CPU, GPU."""
    try:
        import ray
    except ImportError:
        raise DataError("--engine ray needs Ray: pip install 'meit[cluster]'") from None
    ours = not ray.is_initialized()
    if ours:
        ray.init(log_to_driver=False, include_dashboard=False)
    try:
        yield ray.cluster_resources()
    finally:
        if ours:
            ray.shutdown()


def on_ray(work: Callable[..., Any], pieces: Sequence[tuple]) -> Iterator[Any]:
    """The same on the Ray cluster at $RAY_ADDRESS, or on a fresh local one; a piece whose worker dies is done again.

    Every machine must see the same folders, and have meit installed.
    """
    with ray_cluster() as resources:
        import ray

        task = ray.remote(max_retries=5)(work)
        rest = iter(pieces)
        most = IN_FLIGHT * max(1, int(resources.get("CPU", 1)))
        running = [task.remote(*piece) for _, piece in zip(range(most), rest, strict=False)]
        while running:
            (done,), running = ray.wait(running)
            yield ray.get(done)
            running += [task.remote(*piece) for _, piece in zip(range(1), rest, strict=False)]


ENGINES: dict[str, Callable[..., Iterator[Any]]] = {"local": local, "ray": on_ray}
