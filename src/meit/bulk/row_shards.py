"""Shards: files of many recordings' rows, `part-00000.jsonl` or `.parquet`, each whole or not there.

Rows are collected as JSON lines in a file that nobody sees; a full one gets its name by a rename, the last thing that
happens to it. One process writes shards, whatever drafts.
"""

import io
import json
from collections.abc import Callable, Container, Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from meit.atomic import atomic_path
from meit.bulk.rows import row_schema

SHARD_ROWS = 10_000
_ROWS_AT_ONCE = 1_000  # of a Parquet file: what is held in memory


def _lines_as_they_are(lines: Iterator[bytes], path: Path) -> None:
    with path.open("wb") as file:
        file.writelines(lines)


def _lines_to_parquet(lines: Iterator[bytes], path: Path) -> None:
    import pyarrow.json as pj

    options = pj.ParseOptions(explicit_schema=row_schema(), unexpected_field_behavior="error")
    with pq.ParquetWriter(path, row_schema(), compression="zstd") as file:
        while part := b"".join(islice(lines, _ROWS_AT_ONCE)):
            reading = pj.ReadOptions(block_size=len(part) + 1, use_threads=False)
            file.write_table(pj.read_json(io.BytesIO(part), reading, options))


def _lines(path: Path) -> Iterator[tuple[str, bytes]]:
    with path.open("rb") as file:
        for line in file:
            yield json.loads(line)["path"], line


class ShardFormat(NamedTuple):
    """write(JSON lines, path): a shard. drop(path, kept, temporary): writes a shard anew with those rows alone whose recording
    is among kept; there is no file where none is left."""

    suffix: str
    write: Callable[[Iterator[bytes], Path], None]
    drop: Callable[[Path, Container[str], Path], None]

    def name(self, number: int) -> str:
        return f"part-{number:05d}{self.suffix}"

    def number(self, name: str) -> int:
        return int(name.removeprefix("part-").removesuffix(self.suffix))

    def present(self, folder: Path) -> list[str]:
        return [path.name for path in folder.glob(f"part-*{self.suffix}")]


def _drop_lines(path: Path, kept: Container[str], temporary: Path) -> None:
    left = 0
    with atomic_path(path, temporary) as anew:
        with anew.open("wb") as file:
            for name, line in _lines(path):
                if name in kept:
                    left += file.write(line)
    _removed_if(not left, path)


def _drop_rows(path: Path, kept: Container[str], temporary: Path) -> None:
    left = 0
    with atomic_path(path, temporary) as anew, pq.ParquetFile(path) as old:
        with pq.ParquetWriter(anew, old.schema_arrow, compression="zstd") as file:
            for batch in old.iter_batches(_ROWS_AT_ONCE):
                rows = batch.filter(pa.array([name in kept for name in batch.column("path").to_pylist()]))
                left += len(rows)
                if len(rows):
                    file.write_batch(rows)
    _removed_if(not left, path)


def _removed_if(empty: bool, path: Path) -> None:
    if empty:
        path.unlink()


SHARD_FORMATS = {
    "jsonl": ShardFormat(".jsonl", _lines_as_they_are, _drop_lines),
    "parquet": ShardFormat(".parquet", _lines_to_parquet, _drop_rows),
}
