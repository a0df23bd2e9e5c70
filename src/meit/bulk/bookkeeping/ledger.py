"""What a folder of drafts holds, as its journal tells, and what a run is to draft: in a temporary database.

SQLite keeps it in a file of its own that goes with the process, so that memory does not grow with the recordings.
"""

import json
import os
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from meit.bulk.bookkeeping.identity import FileIdentity
from meit.bulk.outcome import FAILED, Handed, Outcome
from meit.exports.draft_targets import DraftTarget, other_name

_TABLES = """
CREATE TABLE written (kind TEXT, path TEXT, target TEXT, bytes INTEGER, made_by TEXT, status TEXT, reason TEXT, file TEXT,
    PRIMARY KEY (kind, path)) WITHOUT ROWID;
CREATE INDEX written_target ON written (kind, target);
CREATE TABLE planned (number INTEGER PRIMARY KEY, path TEXT UNIQUE, place TEXT, name TEXT, step INTEGER DEFAULT 0);
"""
_SPACE_KB = 16_000  # of its pages in memory


class WrittenDraft(NamedTuple):
    """What the journal says of a recording. made_by: names the model and the options."""

    target: str
    size: int
    made_by: str
    status: str
    reason: str
    identity: FileIdentity | None


class Ledger:
    """Of one format (kind) in one folder. shards: whether targets are files of many recordings."""

    def __init__(self, kind: str, suffix: str, rows: Iterable[dict[str, Any]], present: Iterable[str] | None = None):
        """rows: the journal's. present: the shards that are there; what stands in another was never finished."""
        self.kind, self._suffix, self._shards = kind, suffix, None if present is None else set(present)
        self.made_by: set[str] = set()
        self.stale: Counter[str] = Counter()
        self.last_shard = ""
        self._base = sqlite3.connect("", isolation_level=None)
        self._base.executescript(f"PRAGMA cache_size = -{_SPACE_KB}; PRAGMA synchronous = OFF; {_TABLES}")
        self._base.execute("BEGIN")
        for row in rows:
            self._read(row)
        self._base.execute("COMMIT")

    def _read(self, row: dict[str, Any]) -> None:
        if "model" in row:
            self.made_by.add(row["by"])
        if row.get("kind") != self.kind:
            return
        if "swept" in row:
            self.stale.pop(row["swept"], None)
        elif row.get("void"):
            self.forget(row["path"])
        else:
            target = row["target"]
            self.last_shard = max(self.last_shard, target, key=lambda name: (len(name), name))
            if self._shards is not None and target not in self._shards:
                return
            self.note(row)

    def note(self, row: dict[str, Any]) -> None:
        """What was appended to the journal of a recording."""
        values = [_in(row["path"]), _in(row["target"]), *(row[name] for name in ("bytes", "by", "status", "reason"))]
        self._forget_elsewhere(row["path"], row["target"])
        self._base.execute(
            "INSERT OR REPLACE INTO written VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (self.kind, *values, json.dumps(row["file"])),
        )

    def forget(self, path: str) -> None:
        """A recording whose row is not to stand in its shard any more."""
        self._forget_elsewhere(path, "")
        self._base.execute("DELETE FROM written WHERE kind = ? AND path = ?", (self.kind, _in(path)))

    def _forget_elsewhere(self, path: str, target: str) -> None:
        if self._shards is None:
            return
        before = self.written(path)
        if before is not None and before.target != target:
            self.stale[before.target] += 1

    def written(self, path: str) -> WrittenDraft | None:
        row = self._base.execute(
            "SELECT target, bytes, made_by, status, reason, file FROM written WHERE kind = ? AND path = ?",
            (self.kind, _in(path)),
        ).fetchone()
        if row is None:
            return None
        target, size, maker, status, reason, file = row
        identity = json.loads(file)
        found = None if identity is None else FileIdentity.from_dict(identity)
        return WrittenDraft(_out(target), size, maker, status, reason, found)

    def current_in(self, shard: str) -> set[str]:
        """The recordings whose row stands in a shard, and is to."""
        rows = self._base.execute("SELECT path FROM written WHERE kind = ? AND target = ?", (self.kind, _in(shard)))
        return {_out(path) for (path,) in rows}

    # what is to be drafted

    def plan(self, targets: Iterable[DraftTarget]) -> int:
        """Takes in what a run is asked for, each recording once; how many there are. No two get one name, nor that of
        another recording of an earlier run; what was written keeps the name it had."""
        self._base.execute("BEGIN")
        for one in targets:
            row = [_in(each) for each in (os.path.abspath(one.path), str(one.place), one.name)]
            self._base.execute("INSERT OR IGNORE INTO planned (path, place, name) VALUES (?, ?, ?)", row)
        if self._shards is None:
            self._base.create_function(
                "other_name", 3, lambda path, place, step: _in(other_name(_out(path), _out(place), step))
            )
            self._base.create_function("is_there", 1, lambda path: os.path.exists(_out(path)))
            self._name()
        self._base.execute("COMMIT")
        return self.count()

    def _name(self) -> None:
        kept = "SELECT substr(target, 1, length(target) - ?) FROM written WHERE kind = ? AND written.path = planned.path AND target != ''"
        self._base.execute(
            f"UPDATE planned SET step = -1, name = ({kept}) WHERE EXISTS ({kept})",
            (len(self._suffix), self.kind, len(self._suffix), self.kind),
        )
        self._base.execute("CREATE INDEX planned_name ON planned (name)")
        for step in range(1, 5):
            self._base.execute(
                "CREATE TEMP TABLE clashing AS SELECT number FROM planned AS one WHERE step >= 0 AND ("
                "EXISTS (SELECT 1 FROM planned WHERE name = one.name AND number != one.number) OR "
                "EXISTS (SELECT 1 FROM written WHERE kind = ? AND target = one.name || ? AND path != one.path "
                "AND is_there(path)))",
                (self.kind, self._suffix),
            )
            self._base.execute(
                "UPDATE planned SET step = ?, name = other_name(path, place, ?) WHERE number IN clashing", (step, step)
            )
            self._base.execute("DROP TABLE clashing")

    def count(self) -> int:
        return self._base.execute("SELECT COUNT(*) FROM planned").fetchone()[0]

    def planned(self) -> Iterator[Handed]:
        """In the order in which they were asked for."""
        number = 0
        while True:  # a thousand at a time: what is noted meanwhile must not meet an open query
            part = self._base.execute(
                "SELECT number, path, name FROM planned WHERE number > ? ORDER BY number LIMIT 1000", (number,)
            ).fetchall()
            if not part:
                return
            yield from (Handed(_out(path), _out(name)) for _, path, name in part)
            number = part[-1][0]

    def failures(self, most: int) -> list[dict[str, str]]:
        """Of the recordings that were asked for, the first that failed, with the reasons."""
        rows = self._base.execute(
            "SELECT path, reason FROM planned JOIN written USING (path) WHERE kind = ? AND status = ? ORDER BY number LIMIT ?",
            (self.kind, FAILED, most),
        )
        return [{"path": _out(path), "reason": reason} for path, reason in rows]

    def counts(self) -> dict[str, int]:
        """Of the recordings that were asked for, by what became of them."""
        rows = self._base.execute(
            "SELECT status, COUNT(*) FROM planned JOIN written USING (path) WHERE kind = ? GROUP BY status",
            (self.kind,),
        )
        return dict(rows)


def _in(name: str) -> str:
    """A file's name, which may be of any bytes, as the database takes it."""
    return os.fsencode(name).decode("latin-1")


def _out(name: str) -> str:
    return os.fsdecode(name.encode("latin-1"))


def journal_row(kind: str, made_by: str, outcome: Outcome) -> dict[str, Any]:
    return {
        "path": outcome.path,
        "kind": kind,
        "target": outcome.target,
        "bytes": outcome.size,
        "by": made_by,
        "status": outcome.status,
        "reason": outcome.reason,
        "file": None if outcome.identity is None else outcome.identity.to_dict(),
    }
