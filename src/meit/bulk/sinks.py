"""Where outcomes go: to the journal at once, where each draft is a file of its own; or with a shard, once that is whole."""

import os
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from meit.bulk.bookkeeping.journal import Journal
from meit.bulk.bookkeeping.ledger import Ledger, journal_row
from meit.bulk.outcome import Outcome
from meit.bulk.row_shards import ShardFormat


class Sink(Protocol):
    def put(self, outcome: Outcome) -> None: ...

    def flush(self) -> None:
        """What has been put is written, and journalled."""


class FileSink:
    """Each draft is there already, written by whoever drafted it."""

    def __init__(self, out: Path, journal: Journal, ledger: Ledger, made_by: str):
        self._out, self._journal, self._ledger, self._made_by = out, journal, ledger, made_by

    def put(self, outcome: Outcome) -> None:
        before = self._ledger.written(outcome.path)
        row = journal_row(self._ledger.kind, self._made_by, outcome)
        self._journal.append([row])
        self._ledger.note(row)
        if outcome.failed and before is not None and before.target:  # of what the file was before it changed
            (self._out / before.target).unlink(missing_ok=True)

    def flush(self) -> None:
        pass


class ShardSink:
    """Rows are collected until a shard is full. A shard is committed so that no recording ever stands in two:

    1. recordings that stand in an older shard leave it (the journal says so first, then the shard is written anew);
    2. the journal takes the new rows;  3. the shard gets its name. Rows of a shard that is not there count for nothing.
    """

    def __init__(
        self, form: ShardFormat, rows: int, out: Path, temporary: Path, journal: Journal, ledger: Ledger, made_by: str
    ):
        self._form, self._most, self._out, self._temporary = form, rows, out, temporary
        self._journal, self._ledger, self._made_by = journal, ledger, made_by
        self._waiting: list[Outcome] = []
        self._lines = (temporary / f"rows{form.suffix}.jsonl").open("w+b")
        names = [*form.present(out), *filter(None, [ledger.last_shard])]
        self._next = max((form.number(name) for name in names), default=-1) + 1
        self._sweep()  # what a killed run did not come to

    def put(self, outcome: Outcome) -> None:
        before = self._ledger.written(outcome.path)
        if before is not None and outcome.failed and (before.status, before.reason) == (outcome.status, outcome.reason):
            return  # its row says that already
        self._lines.write(outcome.row)
        self._waiting.append(replace(outcome, row=b""))
        if len(self._waiting) >= self._most:
            self._commit()

    def flush(self) -> None:
        if self._waiting:
            self._commit()

    def _commit(self) -> None:
        place = self._out / self._form.name(self._next)
        whole = self._temporary / place.name
        self._lines.seek(0)
        self._form.write(iter(self._lines), whole)
        left = [one.path for one in self._waiting if self._ledger.written(one.path) is not None]
        self._journal.append({"kind": self._ledger.kind, "path": path, "void": True} for path in left)
        for path in left:
            self._ledger.forget(path)
        self._sweep()
        rows = [journal_row(self._ledger.kind, self._made_by, replace(one, target=place.name)) for one in self._waiting]
        self._journal.append(rows)
        os.replace(whole, place)
        for row in rows:
            self._ledger.note(row)
        self._waiting.clear()
        self._lines.seek(0)
        self._lines.truncate()
        self._next += 1

    def _sweep(self) -> None:
        """Takes out of shards what is to leave them."""
        for name in sorted(self._ledger.stale):
            kept = {path.encode("utf-8", "replace").decode() for path in self._ledger.current_in(name)}
            if (self._out / name).exists():
                self._form.drop(self._out / name, kept, self._temporary)
            self._journal.append([{"kind": self._ledger.kind, "swept": name}])
        self._ledger.stale.clear()
