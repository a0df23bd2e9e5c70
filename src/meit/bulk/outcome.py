"""What workers are told, what they are handed, and what they give back: plain values that any process can be sent."""

from dataclasses import dataclass
from pathlib import Path

from meit.bulk.bookkeeping.identity import FileIdentity
from meit.model.operating_points import BALANCED

DRAFTED, UNUSABLE, FAILED = BECAME = "drafted", "unusable", "failed"


@dataclass(frozen=True)
class DraftTask:
    """How all recordings of a run are drafted. kind: the format's name. out, temporary: folders of one file system, the
    second for files that are being written. plot: suffix of the ECG sheet to be drawn too, or None. threads: of each
    worker, and processes that read ahead of it; 0: one a processor. The rest is load_model's and draft_paths'."""

    model: Path
    kind: str
    out: Path
    temporary: Path
    strict: bool = False
    quantised: str | None = None
    device: str = "auto"
    dtype: str = "auto"
    operating_point: str = BALANCED
    plot: str | None = None
    threads: int = 0


@dataclass(frozen=True)
class Handed:
    """A recording to be drafted. name: of what is written about it, below `out` and without a suffix."""

    path: str
    name: str


@dataclass(frozen=True)
class Outcome:
    """What became of a recording. target: where its draft is, below `out`; size: of that file in bytes. reason: of a
    failure. row: its line in a shard, where shards are written."""

    path: str
    status: str
    target: str = ""
    size: int = 0
    reason: str = ""
    identity: FileIdentity | None = None
    row: bytes = b""

    @property
    def failed(self) -> bool:
        return self.status == FAILED
