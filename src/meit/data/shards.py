"""Prepared data on disk: Arrow shards of int16 signals beside their reports, read where they lie (memory-mapped).

A folder holds `records-00000.arrow`, ..., `reports.parquet` (every usable report of the source table, with or without a
recording; absent where there was no such table), and `manifest.json` with counts, drops and the SHA-256 of each file.
Shards are Arrow IPC files (arrow.apache.org), uncompressed, so that a signal is read without copying the rest.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from meit.atomic import atomic_path
from meit.ecg.recording import LEADS
from meit.errors import DataError

ROWS_PER_SHARD = 1000
ROWS_PER_BATCH = 100  # of a shard: what its writer holds in memory
INT16_MAX = 32_767
GAP = -32_768  # the one int16 value that no sample takes: not recorded
MANIFEST = "manifest.json"
REPORTS = "reports.parquet"
SHARDS_FORMAT = 2


@dataclass(frozen=True)
class Report:
    """One report of the source table: English text, the text as found, the annotators' codes and the split's keys.

    measurements: what the cart measured, such as qrs_onset_ms or qrs_axis_deg.
    """

    record_id: str
    patient_id: str
    fold: int
    text: str
    source_text: str
    language: str
    coverage: float
    codes: dict[str, float] = field(default_factory=dict)
    heart_axis: str = ""
    age: float | None = None
    sex: Literal["F", "M"] | None = None
    measurements: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Example:
    """A report with its recording. signal: (n_samples, 12) float32, NaN where not recorded; unit: "mV" or "z"."""

    report: Report
    signal: np.ndarray
    rate: float
    unit: str


def to_int16(signal: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(n, 12) float -> int16 (n, 12) and the scale (12,) that multiplies it back; NaN becomes GAP."""
    peak = np.nanmax(np.abs(np.where(np.isfinite(signal), signal, 0.0)), axis=0)
    scale = np.where(peak > 0, peak, 1.0) / INT16_MAX
    values = np.where(np.isfinite(signal), np.rint(signal / scale), GAP)
    return values.astype(np.int16), scale.astype(np.float32)


def from_int16(values: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """The inverse of `to_int16`: float32 (n, 12), NaN where not recorded."""
    signal = values.astype(np.float32)
    signal *= scale
    gaps = values == GAP
    if gaps.any():
        signal[gaps] = np.nan
    return signal


@cache
def report_schema() -> pa.Schema:
    text = ("record_id", "patient_id", "text", "source_text", "language", "codes", "heart_axis", "sex", "measurements")
    numbers = {"fold": pa.int16(), "coverage": pa.float32(), "age": pa.float32()}
    kinds = dict.fromkeys(text, pa.string()) | numbers
    return pa.schema([(name, kinds[name]) for name in Report.__dataclass_fields__])


@cache
def record_schema() -> pa.Schema:
    signal = [("signal", pa.binary()), ("scale", pa.list_(pa.float32(), len(LEADS))), ("rate", pa.float64())]
    return pa.schema([*report_schema(), *signal, ("unit", pa.string())])


def report_row(report: Report) -> dict:
    return {**vars(report), "codes": json.dumps(report.codes), "measurements": json.dumps(report.measurements)}


def report_of(row: dict) -> Report:
    fields = {name: row[name] for name in Report.__dataclass_fields__}
    return Report(**{**fields, "codes": json.loads(row["codes"]), "measurements": json.loads(row["measurements"])})


def write_shard(path: Path, examples: Iterable[Example]) -> dict[int, int]:
    """Writes one shard, whole or not at all; no file where there is no example. Returns recordings by fold.

    The same examples give the same bytes.
    """
    return _write_rows(path, map(_record_row, examples))


def drop_records(path: Path, record_ids: Collection[str]) -> None:
    """Writes a shard anew without some records, the others as they are; no file where none is left."""
    shard = Shard(path)
    rows = (row for batch in shard.batches for row in batch.to_pylist() if row["record_id"] not in record_ids)
    _write_rows(path, rows)


def _record_row(example: Example) -> dict[str, Any]:
    values, scale = to_int16(example.signal)
    signal = {"signal": values.tobytes(), "scale": scale.tolist(), "rate": float(example.rate)}
    return {**report_row(example.report), **signal, "unit": example.unit}


def _write_rows(path: Path, rows: Iterable[dict[str, Any]]) -> dict[int, int]:
    folds: Counter[int] = Counter()
    with atomic_path(path) as temporary, pa.ipc.new_file(temporary, record_schema()) as file:
        batches = iter(rows)
        while batch := list(islice(batches, ROWS_PER_BATCH)):
            folds.update(row["fold"] for row in batch)
            file.write_batch(pa.RecordBatch.from_pylist(batch, record_schema()))
    if not folds:
        path.unlink()
    return dict(folds)


class Shard:
    """One shard, memory-mapped. len() is its number of recordings. Raises DataError where it is damaged or gone."""

    def __init__(self, path: Path):
        self.path = path
        try:
            file = pa.ipc.open_file(pa.memory_map(str(path)))
            self.batches = [file.get_batch(number) for number in range(file.num_record_batches)]
            if file.schema != record_schema():
                raise pa.ArrowInvalid("its columns are of another version")
        except (pa.ArrowException, OSError) as error:
            raise unreadable(path, error) from None

    def __len__(self) -> int:
        return sum(len(batch) for batch in self.batches)

    def column(self, name: str) -> pa.ChunkedArray:
        return pa.chunked_array([batch.column(name) for batch in self.batches], record_schema().field(name).type)

    def _at(self, row: int, name: str):
        return self.batches[row // ROWS_PER_BATCH].column(name)[row % ROWS_PER_BATCH]

    def report(self, row: int) -> Report:
        return report_of({name: self._at(row, name).as_py() for name in Report.__dataclass_fields__})

    def signal(self, row: int) -> tuple[np.ndarray, float, str]:
        """(n_samples, 12) float32, NaN where not recorded; its rate in Hz; its unit."""
        values = np.frombuffer(self._at(row, "signal").as_buffer(), dtype=np.int16).reshape(-1, len(LEADS))
        scale = self.batches[row // ROWS_PER_BATCH].column("scale")
        start = (scale.offset + row % ROWS_PER_BATCH) * len(LEADS)
        gain = scale.values.to_numpy()[start : start + len(LEADS)]
        return from_int16(values, gain), self._at(row, "rate").as_py(), self._at(row, "unit").as_py()

    def example(self, row: int) -> Example:
        return Example(self.report(row), *self.signal(row))


def read_manifest(folder: Path | str) -> dict:
    """The manifest of a prepared folder. Raises DataError where there is none, or one of another version."""
    try:
        manifest = json.loads((Path(folder) / MANIFEST).read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        raise DataError(
            f"{folder} is not a prepared data folder (no {MANIFEST}): make one with 'meit prepare'"
        ) from None
    except ValueError:
        raise DataError(f"{Path(folder) / MANIFEST} is damaged: run 'meit prepare' again") from None
    if not isinstance(manifest, dict) or manifest.get("format") != SHARDS_FORMAT:
        raise DataError(f"{folder} was prepared by another version of meit: run 'meit prepare' again")
    return manifest


def shard_sums(folder: Path | str) -> dict[Path, str]:
    """The shards of a prepared folder in their order, each with its SHA-256."""
    return {Path(folder) / name: sum_ for name, sum_ in read_manifest(folder)["sha256"].items() if name != REPORTS}


def shard_paths(folder: Path | str) -> list[Path]:
    return list(shard_sums(folder))


def read_examples(folder: Path | str, folds: Sequence[int] | None = None) -> Iterator[Example]:
    """The recordings of a prepared folder whose fold is in `folds` (all folds if None), one by one."""
    for path in shard_paths(folder):
        shard = Shard(path)
        for row, fold in enumerate(shard.column("fold").to_pylist()):
            if folds is None or fold in folds:
                yield shard.example(row)


def read_reports(folder: Path | str, folds: Sequence[int] | None = None) -> list[Report]:
    """The reports of a prepared folder, with or without a recording, whose fold is in `folds`."""
    path = Path(folder) / REPORTS
    if REPORTS not in read_manifest(folder)["sha256"]:
        raise DataError(f"{folder} holds no {REPORTS}: it was not prepared from a table of reports")
    try:
        rows = pq.read_table(path).to_pylist()
    except (pa.ArrowException, OSError) as error:
        raise unreadable(path, error) from None
    return [report_of(row) for row in rows if folds is None or row["fold"] in folds]


def read_all_reports(folders: Sequence[Path | str], folds: Sequence[int] | None = None) -> list[Report]:
    """The reports of those of several prepared folders that came from a table of reports; empty where none did."""
    tables = [folder for folder in folders if REPORTS in read_manifest(folder)["sha256"]]
    return [report for folder in tables for report in read_reports(folder, folds)]


def unreadable(path: Path, error: Exception) -> DataError:
    return DataError(f"{path} cannot be read ({str(error).splitlines()[0]}): run 'meit prepare' again")


def sha256(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
