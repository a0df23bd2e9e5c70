"""From reports and files to shards: planned once, read in pieces by any engine, resumed where a run was killed.

A source plans: it yields each usable report with the file of its recording, in a fixed order. Piece k is the k-th
thousand of those that have a file, and becomes shard k, whatever ran it; so engines give the same bytes. At the end,
recordings that stand in a later split too are taken out (meit.data.copies).
"""

import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from tqdm import tqdm

from meit.atomic import atomic_path, write_json
from meit.data.copies import Copy, find_copies, sketch_shard
from meit.data.engines import ENGINES
from meit.data.prepare_settings import FileReader, PrepareSettings, Read
from meit.data.shards import (
    MANIFEST,
    REPORTS,
    ROWS_PER_SHARD,
    SHARDS_FORMAT,
    Example,
    Report,
    Shard,
    drop_records,
    report_of,
    report_row,
    report_schema,
    sha256,
    write_shard,
)
from meit.ecg.deidentify import safe_age
from meit.ecg.files.formats import read_ecg
from meit.ecg.recording import LEADS
from meit.ecg.signal.resampling import resample
from meit.errors import DataError, MeitError

PLAN, PLANNED, COPIES = "plan.parquet", "plan.json", "copies.json"  # there while a run is unfinished
NO_FILE, UNREADABLE, COPIED = "no recording file", "unreadable", "same recording in a later split"


def read_recording(path: str, settings: PrepareSettings) -> Read:
    """A file of any known format. Raises RecordingError."""
    recording = read_ecg(path)
    signal = resample(recording.signal, recording.rate, settings.rate_hz)
    return Read(signal, safe_age(recording.patient.age), recording.patient.sex)


def prepare(
    planned: Iterable[tuple[Report, Path | str | None]],
    drops: Counter,
    out: Path,
    settings: PrepareSettings,
    engine: str = "local",
    read: FileReader = read_recording,
) -> dict:
    """Writes a prepared folder and returns its manifest, which is written last.

    planned: reports with their files; None where there is none. drops: what the source leaves out, by reason, counted
    while it plans. A run that was killed goes on, if the settings are the same; a finished folder is made anew.
    read: how a file is read. Raises DataError where no recording is found.
    """
    out.mkdir(parents=True, exist_ok=True)
    for stray in out.glob(".records-*"):  # what a killed run had begun to write
        stray.unlink()
    plan = _plan(planned, drops, out, settings)
    count = -(-plan["recordings"] // ROWS_PER_SHARD)
    missing = [number for number in range(count) if not _summary(out, number).exists()]
    with tqdm(total=plan["recordings"], desc="reading recordings", unit="ECG") as bar:
        bar.update(sum(_read(_summary(out, n))["rows"] for n in set(range(count)) - set(missing)))
        for rows, errors in ENGINES[engine](make_shard, [(str(out), number, settings, read) for number in missing]):
            bar.update(rows)
            for error in errors:  # with the file's place, which the manifest leaves out
                bar.write(f"meit: {error}", file=sys.stderr)
    return _finish(out, settings, plan, count)


def make_shard(
    out: str, number: int, settings: PrepareSettings, read: FileReader = read_recording
) -> tuple[int, list[str]]:
    """Piece `number`, done in any process: its shard, its sketches, and then its summary, which says that it is whole.

    Returns how many rows it had, and what could not be read.
    """
    rows = pq.ParquetFile(Path(out) / PLAN).read_row_group(number, use_threads=False).to_pylist()
    failed: list[dict] = []
    errors: list[str] = []

    def examples() -> Iterator[Example]:
        for row in rows:
            report = report_of(row)
            try:
                found = read(row["path"], settings)
            except MeitError as error:
                errors.append(str(error))
                failed.append({"record_id": report.record_id, "reason": _without_path(str(error), row["path"])})
                continue
            age, sex = found.age if report.age is None else report.age, report.sex or found.sex
            yield Example(replace(report, age=age, sex=sex), found.signal, settings.rate_hz, settings.unit)

    path = _shard(Path(out), number)
    folds = write_shard(path, examples())
    if folds:
        with atomic_path(_sketches(Path(out), number)) as temporary, temporary.open("wb") as file:
            np.save(file, sketch_shard(Shard(path)))
    write_json(_summary(Path(out), number), {"rows": len(rows), "unreadable": failed})
    return len(rows), errors


def _plan(
    planned: Iterable[tuple[Report, Path | str | None]], drops: Counter, out: Path, settings: PrepareSettings
) -> dict:
    """Writes the plan, unless an unfinished run with these settings has left one."""
    if (out / PLANNED).exists() and (out / PLAN).exists():
        left = _read(out / PLANNED)
        if left["settings"] == asdict(settings):
            return left
    for old in (MANIFEST, PLANNED, PLAN, COPIES, REPORTS):  # a folder without manifest is an unfinished one
        (out / old).unlink(missing_ok=True)
    for stale in out.glob("records-*.*"):
        stale.unlink()
    schema = report_schema().append(pa.field("path", pa.string()))
    counts: Counter[str] = Counter()
    with atomic_path(out / PLAN) as plan_path, atomic_path(out / REPORTS) as reports_path:
        with pq.ParquetWriter(plan_path, schema) as plan, pq.ParquetWriter(reports_path, report_schema()) as reports:
            rows: dict = {plan: [], reports: []}
            for report, path in planned:
                row = report_row(report)
                counts["reports"] += 1
                if settings.keeps_reports:
                    rows[reports].append(row)
                if path is None:
                    drops[NO_FILE] += 1
                else:
                    rows[plan].append({**row, "path": str(path)})
                    counts["recordings"] += 1
                for file in rows:
                    if len(rows[file]) == ROWS_PER_SHARD:
                        file.write_table(pa.Table.from_pylist(rows[file], file.schema), row_group_size=ROWS_PER_SHARD)
                        rows[file] = []
            for file, last in rows.items():
                if last:
                    file.write_table(pa.Table.from_pylist(last, file.schema))
    if not settings.keeps_reports:
        (out / REPORTS).unlink()
    left = {**counts, "recordings": counts["recordings"], "drops": dict(+drops), "settings": asdict(settings)}
    write_json(out / PLANNED, left)
    return left


def _finish(out: Path, settings: PrepareSettings, plan: dict, count: int) -> dict:
    folds: Counter[int] = Counter()
    drops = Counter(plan["drops"])
    files: dict[str, str] = {}
    failed = [failure for number in range(count) for failure in _read(_summary(out, number))["unreadable"]]
    copies = _take_out_copies(out, count)
    for path in filter(Path.exists, (_shard(out, number) for number in range(count))):
        folds.update(Shard(path).column("fold").to_pylist())
        files[path.name] = sha256(path)
    if not folds:
        for name in (PLANNED, PLAN, COPIES, REPORTS, *(_summary(out, number).name for number in range(count))):
            (out / name).unlink(missing_ok=True)  # the same command shall read the files anew, when they are mended
        first = f"; {failed[0]['record_id']}: {failed[0]['reason']}" if failed else ""
        raise DataError(f"{settings.place}: no recording of {settings.source} was found or could be read{first}")
    if failed:
        drops[UNREADABLE] = len(failed)
    if copies:
        drops[COPIED] = len(copies)
    if (out / REPORTS).exists():
        files[REPORTS] = sha256(out / REPORTS)
    manifest = {
        "format": SHARDS_FORMAT,
        **{key: value for key, value in asdict(settings).items() if key in ("source", "rate_hz", "unit")},
        "leads": list(LEADS),
        "recordings": folds.total(),
        "recordings_by_fold": {str(fold): folds[fold] for fold in sorted(folds)},
        "reports": plan.get("reports", 0),
        "dropped": dict(drops.most_common()),
        "unreadable": failed,
        "copies": [asdict(copy) for copy in copies],
        "sha256": files,
    }
    write_json(out / MANIFEST, manifest)
    of_shards = [place(out, number) for number in range(count) for place in (_summary, _sketches)]
    for left in [out / PLAN, out / PLANNED, out / COPIES, *of_shards]:
        left.unlink(missing_ok=True)
    return manifest


def _take_out_copies(out: Path, count: int) -> list[Copy]:
    """What is taken out is written down first: a run that is killed here goes on with the same."""
    if not (out / COPIES).exists():
        numbers = [number for number in range(count) if _shard(out, number).exists()]
        shards = [Shard(_shard(out, number)) for number in numbers]
        found = find_copies(shards, [np.load(_sketches(out, number), mmap_mode="r") for number in numbers])
        write_json(out / COPIES, [asdict(copy) for copy in found])
    copies = [Copy(**row) for row in _read(out / COPIES)]
    taken = {copy.record_id for copy in copies}
    for path in filter(Path.exists, (_shard(out, number) for number in range(count))):
        if taken.intersection(Shard(path).column("record_id").to_pylist()):
            drop_records(path, taken)
    return copies


def _shard(out: Path, number: int) -> Path:
    return out / f"records-{number:05d}.arrow"


def _sketches(out: Path, number: int) -> Path:
    return out / f"records-{number:05d}.npy"


def _summary(out: Path, number: int) -> Path:
    return out / f"records-{number:05d}.json"


def _read(path: Path) -> Any:
    return json.loads(path.read_text())


def _without_path(text: str, path: str) -> str:
    """An error without the file's place, which may say more than prepared data should."""
    return text.replace(path, "").replace(str(Path(path).with_suffix("")), "").lstrip(": ")
