"""One run of `meit report --out`: what is not there yet is drafted, each recording once, and the journal tells it.

DIR/...                     drafts, or shards
DIR/manifest.json           what the last run did
DIR/.meit/journal.jsonl     one line a recording (meit.bulk.bookkeeping.journal)
DIR/.meit/temporary         what is being written
"""

import time
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, nullcontext
from dataclasses import replace
from itertools import chain, count, islice
from pathlib import Path
from typing import Self

from meit.bulk.bookkeeping.journal import Journal, journal_rows
from meit.bulk.bookkeeping.ledger import Ledger, journal_row
from meit.bulk.bookkeeping.manifest import MOST_LISTED, check_manifest, write_manifest
from meit.bulk.bookkeeping.places import Places
from meit.bulk.bookkeeping.provenance_key import made_by
from meit.bulk.outcome import BECAME, FAILED, DraftTask, Handed, Outcome
from meit.bulk.row_shards import SHARD_FORMATS, SHARD_ROWS
from meit.bulk.sinks import FileSink, ShardSink, Sink
from meit.bulk.stopping import Stopping
from meit.bulk.workers.drafter import Drafter, failed
from meit.bulk.workers.handing_out import DraftWorker, hand_out
from meit.drafting.report_writing import DRAFTED_AT_ONCE, READ_AHEAD
from meit.exports import EXPORT_FORMATS
from meit.exports.draft_targets import DraftTarget
from meit.machine import cores
from meit.model.devices import device_of_worker

MOST_IN_PIECE = DRAFTED_AT_ONCE * READ_AHEAD  # batches of like length are made of so many


class BulkRun:
    """In a `with`, at whose end, however it comes about, what is finished is journalled and the manifest written.

    workers: processes that draft; 0: this one alone or, on Ray, as many as the cluster has room for. Raises DataError
    where another run is at work in the folder, or its manifest is another program's. kept, told: recordings that an
    earlier run had drafted, and those of which this one has an outcome.
    """

    def __init__(self, task: DraftTask, engine: str = "local", workers: int = 0, shard_rows: int = SHARD_ROWS):
        self._task, self._engine, self._workers, self._shard_rows = task, engine, workers, shard_rows
        self._began = time.monotonic()
        self._stopping = Stopping()
        self._open = ExitStack()
        self._finished = False
        self.kept = self.told = 0

    def __enter__(self) -> Self:
        task = self._task
        check_manifest(task.out)
        with ExitStack() as opened:
            opened.enter_context(self._stopping.heard())
            places = opened.enter_context(Places(task.out).taken())
            self._cluster = opened.enter_context(_cluster(self._engine))
            self._gpus, self._by, self._run = made_by(task, self._cluster)
            shards = SHARD_FORMATS.get(task.kind)
            present = None if shards is None else shards.present(task.out)
            suffix = EXPORT_FORMATS[task.kind].suffix if shards is None else shards.suffix
            self._ledger = Ledger(task.kind, suffix, journal_rows(places.journal), present)
            self._journal = Journal(places.journal)
            opened.callback(self._journal.close)
            if self._by not in self._ledger.made_by:
                self._journal.append([{"by": self._by, **self._run}])
            written = (self._journal, self._ledger, self._by)
            self._sink: Sink = (
                FileSink(task.out, *written)
                if shards is None
                else ShardSink(shards, self._shard_rows, task.out, task.temporary, *written)
            )
            self._open = opened.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        with self._open, self._stopping.held():
            if kind is None or not issubclass(kind, OSError):  # a full disk takes no more
                self._sink.flush()
                about = {
                    "finished": self._finished,
                    **self.counts(),
                    "failures": self.failures(MOST_LISTED),
                    **self._run,
                }
                write_manifest(self._task.out, self._task.temporary, self._began, about)

    def plan(self, targets: Iterable[DraftTarget]) -> int:
        """Takes in what is asked for; how many recordings that is."""
        return self._ledger.plan(targets)

    def draft(self, advance: Callable[[int], object]) -> None:
        """Drafts what is not there; advance(n) is told of recordings that are done with."""
        with closing(self._outcomes(self._pieces(advance))) as outcomes:
            for outcome in outcomes:
                with self._stopping.held():
                    self._sink.put(outcome)
                self.told += 1
                advance(1)
        with self._stopping.held():
            self._sink.flush()
        self._finished = True

    def counts(self) -> dict[str, int]:
        """Of the recordings that were asked for, by what became of them; kept: those that an earlier run had drafted."""
        found = self._ledger.counts()
        return {
            "recordings": self._ledger.count(),
            **{name: found.get(name, 0) for name in BECAME},
            "kept": self.kept,
        }

    def failures(self, most: int) -> list[dict[str, str]]:
        return self._ledger.failures(most)

    def _pieces(self, advance: Callable[[int], object]) -> Iterator[list[Handed]]:
        """What is to be drafted, in pieces that keep all workers busy."""
        size = min(MOST_IN_PIECE, -(-self._ledger.count() // max(1, self._workers)))
        rest = self._to_draft(advance)
        while piece := list(islice(rest, size)):
            yield piece

    def _to_draft(self, advance: Callable[[int], object]) -> Iterator[Handed]:
        for one in self._ledger.planned():
            if self._is_there(one):
                self.kept += 1
                advance(1)
            else:
                yield one

    def _is_there(self, handed: Handed) -> bool:
        """Whether its draft is whole, and would be the same."""
        before = self._ledger.written(handed.path)
        if before is None or before.status == FAILED or before.made_by != self._by or before.identity is None:
            return False
        out = self._task.out
        if self._task.kind not in SHARD_FORMATS and _size(out / before.target) != before.size:
            return False
        if self._task.plot and _size(out / f"{handed.name}.{self._task.plot}") < 1:
            return False
        now = before.identity.now(Path(handed.path))
        if now is not None and now is not before.identity:
            again = Outcome(handed.path, before.status, before.target, before.size, identity=now)
            row = journal_row(self._ledger.kind, self._by, again)
            with self._stopping.held():
                self._journal.append([row])
                self._ledger.note(row)
        return now is not None

    def _outcomes(self, pieces: Iterator[list[Handed]]) -> Generator[Outcome]:
        if self._engine == "local" and self._workers < 2:
            first = next(pieces, None)
            if first is not None:  # else no model is loaded
                yield from Drafter(self._task).outcomes(chain(first, chain.from_iterable(pieces)))
            return
        processors = cores() if self._cluster is None else int(self._cluster["CPU"])
        workers = self._workers or self._gpus or processors
        task = replace(self._task, threads=max(1, processors // workers))
        numbers = count()

        def start() -> DraftWorker:
            if self._engine == "ray":
                from meit.bulk.workers.on_ray import ActorWorker

                return ActorWorker(task, int(self._gpus > 0))
            from meit.bulk.workers.local_workers import LocalWorker

            return LocalWorker(replace(task, device=device_of_worker(task.device, next(numbers), workers)))

        yield from hand_out(
            pieces, workers, start, lambda handed, reason: failed(task, handed, f"{handed.path}: {reason}")
        )


def _cluster(engine: str) -> AbstractContextManager[dict[str, float] | None]:
    """What a cluster has to draft with, by Ray's names; None of this machine alone."""
    if engine == "ray":
        from meit.data.engines import ray_cluster

        return ray_cluster()
    return nullcontext()


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:
        return -1
