"""A hospital's own recordings, in any mix of formats, joined with a table of their reports -> prepared shards."""

import os
import unicodedata
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from meit.data.prepare import prepare as prepare_shards
from meit.data.prepare_settings import PrepareSettings
from meit.data.shards import Report
from meit.data.splits import fold_of
from meit.ecg.deidentify import pseudonym
from meit.ecg.files.formats import find_recordings
from meit.ecg.files.wfdb_files import WFDB_SUFFIXES
from meit.ecg.stated import plain_id
from meit.errors import DataError

_COLUMNS = ("file", "patient_id", "report")
_FOLDS = tuple(map(str, range(1, 11)))
_ROWS = 10_000  # of the table in memory at once


def prepare(
    source: Path, table: Path, out: Path, key: bytes, rate: float = 100, seed: int = 0, engine: str = "local"
) -> dict:
    """`table`: a CSV with the columns file (a path below `source`), patient_id, report, and, optionally, fold (1-10).

    Without folds, patients are dealt to them by a hash with the seed: 80% train, 10% validation, 10% test. Ids are
    replaced by keyed hashes, and names and dates are not kept; the reports' texts are kept as they are written, but for
    white space. Returns the manifest. Raises DataError.
    """
    source = Path(source)
    drops: Counter[str] = Counter()
    settings = PrepareSettings("own recordings", f"{source} {table} seed {seed}", rate)
    return prepare_shards(_planned(source, Path(table), drops, key, seed), drops, Path(out), settings, engine)


def _planned(source: Path, table: Path, drops: Counter, key: bytes, seed: int) -> Iterator[tuple[Report, Path | None]]:
    listed: set[str] = set()
    patient_of: dict[str, str] = {}
    for row in _rows(table):
        text = " ".join(row["report"].split())
        file, patient_id = row["file"].strip(), plain_id(row["patient_id"])
        listed.add(file)
        other = patient_of.setdefault(_recording(file), patient_id)
        if other != patient_id:
            raise DataError(
                f"{table}: {file!r} stands under two patients, {other!r} and {patient_id!r}; keep one of them"
            )
        if not text:
            drops["no report in the text"] += 1
            continue
        patient = pseudonym(key, patient_id)
        fold = row.get("fold") or str(fold_of(patient, seed))
        if fold not in _FOLDS:
            raise DataError(f"{table}: fold {fold!r} of {file!r}; folds are 1 to 10 (9 validation, 10 test)")
        report = Report(pseudonym(key, file), patient, int(fold), text, text, "", 1.0)
        path = source / file
        there = path.exists() or path.with_name(path.name + ".hea").exists()  # WFDB's name without suffix
        yield report, path if there else None
    recordings = (str(path.relative_to(source)) for path in find_recordings(source))
    drops["recording without a row in the table"] += sum(
        not {name, name.removesuffix(".hea"), name.removesuffix(".hea") + ".dat"} & listed for name in recordings
    )


def _recording(file: str) -> str:
    """One spelling of a recording's file: WFDB's may be any of its files, or their stem."""
    place = os.path.normpath(unicodedata.normalize("NFC", file))
    stem, suffix = os.path.splitext(place)
    return stem if suffix.lower() in WFDB_SUFFIXES else place


def _rows(table: Path) -> Iterator[dict[str, str]]:
    try:
        for part in pd.read_csv(table, dtype=str, keep_default_na=False, chunksize=_ROWS):
            absent = [column for column in _COLUMNS if column not in part.columns]
            if absent:
                raise DataError(f"{table} has no column {', '.join(absent)}; it needs {', '.join(_COLUMNS)}")
            yield from part.to_dict("records")
    except FileNotFoundError:
        raise DataError(f"{table} does not exist: give a CSV with the columns {', '.join(_COLUMNS)}") from None
    except (ValueError, UnicodeDecodeError, pd.errors.ParserError) as error:
        raise DataError(f"{table} is no CSV of reports: {str(error).splitlines()[0]}") from None
