"""Workers on a Ray cluster: actors, each with the model in its memory. Every machine has meit, and sees the same folders."""

from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from meit.bulk.outcome import DraftTask, Handed, Outcome

if TYPE_CHECKING:
    from meit.bulk.workers.drafter import Drafter


class ActorWorker:
    """One actor, which holds `threads` processors, and a GPU where it drafts on one. It waits until the cluster has them."""

    def __init__(self, task: DraftTask, gpus: int):
        import ray

        options = {"num_cpus": task.threads, "num_gpus": gpus, "max_restarts": 0}
        self._actor: Any = ray.remote(_Actor).options(**options).remote(task)

    def begin(self) -> Future:
        return self._actor.begin.remote().future()

    def draft(self, handed: list[Handed]) -> Future[list[Outcome]]:
        return self._actor.draft.remote(handed).future()

    def is_death(self, error: BaseException) -> bool:
        from ray.exceptions import RayError, RayTaskError

        return isinstance(error, RayError) and not isinstance(error, RayTaskError)

    def end(self) -> None:
        import ray

        ray.kill(self._actor)


class _Actor:
    """In a process of any machine of the cluster."""

    def __init__(self, task: DraftTask):
        self._task = task
        self._drafter: Drafter | None = None

    def begin(self) -> None:
        from meit.bulk.workers.drafter import Drafter

        self._drafter = Drafter(self._task)

    def draft(self, handed: list[Handed]) -> list[Outcome]:
        assert self._drafter is not None
        return list(self._drafter.outcomes(handed))
