"""Prepared data on disk: Parquet shards of int16 signals beside their reports, and a manifest that adds up.

A folder holds `records-00000.parquet`, ..., optionally `reports.parquet` (every usable report of the source table,
with or without a recording), and `manifest.json` with counts, drops and the SHA-256 of each file.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from meit.ecg.recording import LEADS
from meit.errors import DataError
from meit.files import atomic_path, write_json

ROWS_PER_SHARD = 500
INT16_MAX = 32_767
GAP = -32_768  # the one int16 value that no sample takes: not recorded
MANIFEST = "manifest.json"
REPORTS = "reports.parquet"


@dataclass(frozen=True)
class Report:
    """One report of the source table: English text, the text as found, the annotators' codes and the split's keys."""

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
    sex: str | None = None


@dataclass(frozen=True)
class Example:
    """A report with its recording. signal: (n_samples, 12) float32, NaN where not recorded; unit: "mV" or "z"."""

    report: Report
    signal: np.ndarray
    rate: float
    unit: str


def quantise(signal: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(n, 12) float -> int16 (n, 12) and the scale (12,) that multiplies it back; NaN becomes GAP."""
    peak = np.nanmax(np.abs(np.where(np.isfinite(signal), signal, 0.0)), axis=0)
    scale = np.where(peak > 0, peak, 1.0) / INT16_MAX
    values = np.where(np.isfinite(signal), np.rint(signal / scale), GAP)
    return values.astype(np.int16), scale.astype(np.float32)


def restore(values: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """The inverse of `quantise`: float32 (n, 12), NaN where not recorded."""
    return np.where(values == GAP, np.float32(np.nan), values * scale.astype(np.float32)).astype(np.float32)


def write_shards(
    folder: Path, examples: Iterable[Example], reports: Sequence[Report], drops: Counter, about: dict
) -> dict:
    """Write the shards, then the manifest (last, so that a folder without one is an unfinished one). Returns it."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    folder.mkdir(parents=True, exist_ok=True)
    for old in [*folder.glob("records-*.parquet"), folder / REPORTS, folder / MANIFEST]:
        old.unlink(missing_ok=True)
    files: dict[str, str] = {}

    def save(name: str, rows: list[dict]) -> None:
        with atomic_path(folder / name) as temporary:
            pq.write_table(pa.Table.from_pylist(rows), temporary, compression="zstd")
        files[name] = sha256(folder / name)

    rows: list[dict] = []
    folds: Counter = Counter()
    for example in examples:
        rows.append(_example_row(example))
        folds[example.report.fold] += 1
        if len(rows) == ROWS_PER_SHARD:
            save(f"records-{len(files):05d}.parquet", rows)
            rows = []
    if rows:
        save(f"records-{len(files):05d}.parquet", rows)
    if reports:
        save(REPORTS, [_report_row(report) for report in reports])
    manifest = {
        **about,
        "leads": list(LEADS),
        "recordings": sum(folds.values()),
        "recordings_by_fold": {str(fold): folds[fold] for fold in sorted(folds)},
        "reports": len(reports),
        "dropped": dict(drops.most_common()),
        "sha256": files,
    }
    write_json(folder / MANIFEST, manifest)
    return manifest


def read_manifest(folder: Path) -> dict:
    """The manifest of a prepared folder. Raises DataError where there is none."""
    try:
        return json.loads((Path(folder) / MANIFEST).read_text())
    except FileNotFoundError:
        raise DataError(
            f"{folder} is not a prepared data folder (no {MANIFEST}): make one with 'meit prepare'"
        ) from None


def read_examples(folder: Path, folds: Sequence[int] | None = None) -> list[Example]:
    """The recordings of a prepared folder whose fold is in `folds` (all folds if None)."""
    names = [name for name in read_manifest(folder)["sha256"] if name != REPORTS]
    examples = []
    for name in names:
        for row in _rows(Path(folder) / name):
            if folds is None or row["fold"] in folds:
                values = np.frombuffer(row["signal"], dtype=np.int16).reshape(-1, len(LEADS))
                signal = restore(values, np.array(row["scale"], dtype=np.float32))
                examples.append(Example(_report(row), signal, row["rate"], row["unit"]))
    return examples


def read_reports(folder: Path, folds: Sequence[int] | None = None) -> list[Report]:
    """The reports of a prepared folder, with or without a recording, whose fold is in `folds`."""
    if REPORTS not in read_manifest(folder)["sha256"]:
        raise DataError(f"{folder} holds no {REPORTS}: it was not prepared from a table of reports")
    rows = _rows(Path(folder) / REPORTS)
    return [_report(row) for row in rows if folds is None or row["fold"] in folds]


def read_all_reports(folders: Sequence[Path | str], folds: Sequence[int] | None = None) -> list[Report]:
    """The reports of those of several prepared folders that came from a table of reports; empty where none did."""
    tables = [folder for folder in folders if REPORTS in read_manifest(folder)["sha256"]]
    return [report for folder in tables for report in read_reports(folder, folds)]


def _rows(path: Path) -> list[dict]:
    """The rows of one file. Raises DataError where it is damaged or gone."""
    import pyarrow.parquet as pq
    from pyarrow import ArrowException

    try:
        return pq.read_table(path).to_pylist()
    except (ArrowException, OSError) as error:
        raise DataError(f"{path} cannot be read ({str(error).splitlines()[0]}): run 'meit prepare' again") from None


def sha256(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _report_row(report: Report) -> dict:
    return {**vars(report), "codes": json.dumps(report.codes)}


def _example_row(example: Example) -> dict:
    values, scale = quantise(example.signal)
    return {
        **_report_row(example.report),
        "signal": values.tobytes(),
        "scale": scale.tolist(),
        "rate": float(example.rate),
        "unit": example.unit,
    }


def _report(row: dict) -> Report:
    fields = {name: row[name] for name in Report.__dataclass_fields__}
    return Report(**{**fields, "codes": json.loads(row["codes"])})
