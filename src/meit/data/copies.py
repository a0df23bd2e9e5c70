"""Near-identical recordings in two splits: the same ECG, stored twice.

A recording's sketch is its encoder input (band-passed, scaled, 100 Hz, its first 10 s) seen through PROJECTIONS random
directions, which keep cosines (Johnson and Lindenstrauss 1984). Pairs whose sketches have a cosine of SAME_COSINE or more are
compared sample by sample, and are the same where the inputs themselves have. On PTB-XL, z-scored copies of recordings in
mV have .82 and more, different recordings .60 at most (docs/data.md). Sketches of 640,000 recordings against 80,000 are
some minutes of matrix products.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from meit.data.shards import Shard
from meit.data.splits import SPLITS
from meit.ecg.recording import LEADS
from meit.ecg.signal.windowing import first_windows

SKETCH_RATE, SKETCH_SECONDS = 100, 10.0
PROJECTIONS = 128
SAME_COSINE = 0.75
AT_ONCE = 100  # recordings whose inputs are in memory at once
_BLOCK = 4096  # sketches compared with as many others at a time


@dataclass(frozen=True)
class Copy:
    """A recording of `split` that is the same as `original`, a recording of another split."""

    record_id: str
    split: str
    original: str
    original_split: str


@cache
def _directions() -> np.ndarray:
    shape = (round(SKETCH_RATE * SKETCH_SECONDS) * len(LEADS), PROJECTIONS)
    return np.random.default_rng(0).standard_normal(shape, dtype=np.float32)


def sketch(inputs: np.ndarray) -> np.ndarray:
    """(N, n_samples, 12) encoder inputs -> (N, PROJECTIONS) float32 of length 1 each; zeros for a flat recording."""
    rows = inputs.reshape(len(inputs), -1) @ _directions()
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)


def sketch_shard(shard: Shard) -> np.ndarray:
    """(recordings of the shard, PROJECTIONS) float32."""
    starts = range(0, len(shard), AT_ONCE)
    return np.concatenate([sketch(_inputs(shard, range(i, min(i + AT_ONCE, len(shard))))) for i in starts])


def alike(sketches: np.ndarray, others: np.ndarray) -> list[tuple[int, int]]:
    """Indices of rows of (N, PROJECTIONS) and (M, PROJECTIONS) sketches that may be of the same recording."""
    pairs: list[tuple[int, int]] = []
    for i in range(0, len(sketches), _BLOCK):
        for j in range(0, len(others), _BLOCK):
            rows, columns = np.nonzero(sketches[i : i + _BLOCK] @ others[j : j + _BLOCK].T >= SAME_COSINE)
            pairs += zip((rows + i).tolist(), (columns + j).tolist(), strict=True)
    return sorted(pairs)


def same_recording(ecg: np.ndarray, other: np.ndarray) -> bool:
    """Whether two encoder inputs (n_samples, 12) are of one recording, sample by sample."""
    a, b = ecg.ravel().astype(np.float64), other.ravel().astype(np.float64)
    return bool(a @ b >= SAME_COSINE * max(float(np.sqrt((a @ a) * (b @ b))), 1e-9))


def find_copies(shards: Sequence[Shard], sketches: Sequence[np.ndarray]) -> list[Copy]:
    """Recordings that stand in a later split too: of train, those of validation or test; of validation, those of test.

    sketches: of `sketch_shard`, which may lie on disk: of the later splits alone all are in memory at once. The answer
    depends on the recordings and their order, on nothing else.
    """
    names = list(SPLITS)
    folds = [shard.column("fold").to_numpy() for shard in shards]
    copies: list[Copy] = []
    for place, split in enumerate(names[:-1]):
        later = _rows_of(folds, names[place + 1 :])
        if not later:
            continue
        of_later = np.concatenate([sketches[shard][rows] for shard, rows in later])
        where = [(shard, row) for shard, rows in later for row in rows.tolist()]
        for shard, rows in _rows_of(folds, [split]):
            copies += _copies_of_shard(shards, shard, rows, sketches[shard][rows], where, of_later, split)
    return copies


def _rows_of(folds: Sequence[np.ndarray], splits: Sequence[str]) -> list[tuple[int, np.ndarray]]:
    """(shard, its rows) of the splits, where there are any."""
    wanted = [fold for split in splits for fold in SPLITS[split]]
    rows = [(shard, np.flatnonzero(np.isin(of_shard, wanted))) for shard, of_shard in enumerate(folds)]
    return [(shard, of_shard) for shard, of_shard in rows if len(of_shard)]


def _copies_of_shard(
    shards: Sequence[Shard],
    shard: int,
    rows: np.ndarray,
    sketches: np.ndarray,
    where: Sequence[tuple[int, int]],
    of_later: np.ndarray,
    split: str,
) -> Iterator[Copy]:
    """Each recording of `rows` once, with the first recording that it is the same as."""
    done: set[int] = set()
    for index, other in alike(sketches, of_later):
        if index in done:
            continue
        other_shard, other_row = shards[where[other][0]], where[other][1]
        row = int(rows[index])
        if same_recording(_inputs(shards[shard], [row])[0], _inputs(other_shard, [other_row])[0]):
            done.add(index)
            report, original = shards[shard].report(row), other_shard.report(other_row)
            original_split = next(name for name, folds in SPLITS.items() if original.fold in folds)
            yield Copy(report.record_id, split, original.record_id, original_split)


def _inputs(shard: Shard, rows: Sequence[int]) -> np.ndarray:
    return first_windows([shard.signal(row) for row in rows], SKETCH_RATE, SKETCH_SECONDS)[0]
