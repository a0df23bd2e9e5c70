"""From reports and files to shards: planned once, read in pieces by any engine, resumed where a run was killed.

A source plans: it yields each usable report with the file of its recording, in a fixed order. Piece k is the k-th
thousand of those that have a file, and becomes shard k, whatever ran it; so engines give the same bytes.
"""

import json
import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from meit.atomic import atomic_path, write_json
from meit.data.engines import ENGINES
from meit.data.shards import (
    FORMAT,
    MANIFEST,
    REPORTS,
    ROWS_PER_SHARD,
    Example,
    Report,
    report_of,
    report_row,
    report_schema,
    sha256,
    write_shard,
)
from meit.ecg.recording import LEADS
from meit.errors import DataError, MeitError

PLAN, PLANNED = "plan.parquet", "plan.json"  # there while a run is unfinished
NO_FILE, UNREADABLE = "no recording file", "unreadable"


@dataclass(frozen=True)
class Settings:
    """What a run is of. rate_hz: samples a second to store; unit: "mV" or "z". place: where the source lies.

    keeps_reports: whether reports without a recording are kept, in reports.parquet.
    """

    source: str
    place: str
    rate_hz: float
    unit: str = "mV"
    reader: str = "recording"
    keeps_reports: bool = True


def prepare(
    planned: Iterable[tuple[Report, Path | str | None]],
    drops: Counter,
    out: Path,
    settings: Settings,
    engine: str = "local",
) -> dict:
    """Writes a prepared folder and returns its manifest, which is written last.

    planned: reports with their files; None where there is none. drops: what the source leaves out, by reason, counted
    while it plans. A run that was killed goes on, if the settings are the same; a finished folder is made anew.
    Raises DataError where no recording is found.
    """
    from tqdm import tqdm

    out.mkdir(parents=True, exist_ok=True)
    for stray in out.glob(".*-*.arrow"):  # what a killed run had begun to write
        stray.unlink()
    plan = _plan(planned, drops, out, settings)
    count = -(-plan["recordings"] // ROWS_PER_SHARD)
    missing = [number for number in range(count) if not _summary(out, number).exists()]
    with tqdm(total=plan["recordings"], desc="reading recordings", unit="ECG") as bar:
        bar.update(sum(_read(_summary(out, n))["rows"] for n in set(range(count)) - set(missing)))
        for rows, errors in ENGINES[engine](make_shard, [(str(out), number, settings) for number in missing]):
            bar.update(rows)
            for error in errors:  # with the file's place, which the manifest leaves out
                bar.write(f"meit: {error}", file=sys.stderr)
    return _finish(out, settings, plan, count)


def make_shard(out: str, number: int, settings: Settings) -> tuple[int, list[str]]:
    """Piece `number`, done in any process: its shard, and then its summary, which says that it is whole.

    Returns how many rows it had, and what could not be read.
    """
    import pyarrow.parquet as pq

    rows = pq.ParquetFile(Path(out) / PLAN).read_row_group(number, use_threads=False).to_pylist()
    read = READERS[settings.reader]
    failed: list[dict] = []
    errors: list[str] = []

    def examples():
        for row in rows:
            report = report_of(row)
            try:
                signal, age, sex = read(row["path"], settings)
            except MeitError as error:
                errors.append(str(error))
                failed.append({"record_id": report.record_id, "reason": _without_path(str(error), row["path"])})
                continue
            age, sex = age if report.age is None else report.age, report.sex or sex
            yield Example(replace(report, age=age, sex=sex), signal, settings.rate_hz, settings.unit)

    path = _shard(Path(out), number)
    folds = write_shard(path, examples())
    digest = sha256(path) if folds else None
    write_json(_summary(Path(out), number), {"rows": len(rows), "folds": folds, "unreadable": failed, "sha256": digest})
    return len(rows), errors


def _plan(planned: Iterable[tuple[Report, Path | str | None]], drops: Counter, out: Path, settings: Settings) -> dict:
    """Writes the plan, unless an unfinished run with these settings has left one."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    if (out / PLANNED).exists() and (out / PLAN).exists():
        left = _read(out / PLANNED)
        if left["settings"] == asdict(settings):
            return left
    for old in (MANIFEST, PLANNED, PLAN, REPORTS):  # a folder without manifest is an unfinished one
        (out / old).unlink(missing_ok=True)
    for old in [*out.glob("records-*.arrow"), *out.glob("records-*.json")]:
        old.unlink()
    schema = report_schema().append(pa.field("path", pa.string()))
    counts = Counter()
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


def _finish(out: Path, settings: Settings, plan: dict, count: int) -> dict:
    folds, drops = Counter(), Counter(plan["drops"])
    files, failed = {}, []
    for number in range(count):
        summary = _read(_summary(out, number))
        folds.update({int(fold): rows for fold, rows in summary["folds"].items()})
        failed += summary["unreadable"]
        if summary["sha256"]:
            files[_shard(out, number).name] = summary["sha256"]
    if not folds:
        first = f"; {failed[0]['record_id']}: {failed[0]['reason']}" if failed else ""
        raise DataError(f"{settings.place}: no recording of {settings.source} was found or could be read{first}")
    if failed:
        drops[UNREADABLE] = len(failed)
    if (out / REPORTS).exists():
        files[REPORTS] = sha256(out / REPORTS)
    manifest = {
        "format": FORMAT,
        **{key: value for key, value in asdict(settings).items() if key in ("source", "rate_hz", "unit")},
        "leads": list(LEADS),
        "recordings": folds.total(),
        "recordings_by_fold": {str(fold): folds[fold] for fold in sorted(folds)},
        "reports": plan.get("reports", 0),
        "dropped": dict(drops.most_common()),
        "unreadable": failed,
        "sha256": files,
    }
    write_json(out / MANIFEST, manifest)
    for left in [out / PLAN, out / PLANNED, *(_summary(out, number) for number in range(count))]:
        left.unlink()
    return manifest


def _recording(path: str, settings: Settings) -> tuple[np.ndarray, float | None, str | None]:
    """The signal at the rate to store, and what the file says of the patient's age (over 89: 90) and sex."""
    from meit.ecg.deidentify import safe_age
    from meit.ecg.files.formats import read_ecg
    from meit.ecg.signal.resampling import resample

    recording = read_ecg(path)
    patient = recording.patient
    return resample(recording.signal, recording.rate, settings.rate_hz), safe_age(patient.age), patient.sex


def _array(path: str, settings: Settings) -> tuple[np.ndarray, None, None]:
    """FILE.npz#INDEX."""
    from meit.data.arrays import read_array

    return read_array(path), None, None


READERS = {"recording": _recording, "array": _array}


def _shard(out: Path, number: int) -> Path:
    return out / f"records-{number:05d}.arrow"


def _summary(out: Path, number: int) -> Path:
    return out / f"records-{number:05d}.json"


def _read(path: Path) -> dict:
    return json.loads(path.read_text())


def _without_path(text: str, path: str) -> str:
    """An error without the file's place, which may say more than prepared data should."""
    return text.replace(path, "").replace(str(Path(path).with_suffix("")), "").lstrip(": ")
