"""PTB-XL (PhysioNet, CC BY 4.0) in its official layout -> prepared shards."""

import ast
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pandas as pd

from meit.data.prepare import prepare as prepare_shards
from meit.data.prepare_settings import PrepareSettings
from meit.data.shards import Report
from meit.errors import DataError
from meit.reports.clean import clean_report
from meit.reports.translate import translate

PTB_XL_TABLE = "ptbxl_database.csv"
_COLUMNS = ("ecg_id", "patient_id", "age", "sex", "report", "scp_codes", "heart_axis", "strat_fold", "filename_hr")
LOW_RATE = 100
SEX: dict[int, Literal["F", "M"]] = {0: "M", 1: "F"}  # PTB-XL's own coding
_OLDEST = 90.0  # PTB-XL writes 300 for patients older than 89
WITHOUT_REPORT = "no report in the text"


@dataclass(frozen=True)
class ReportTable:
    """The official table, by ecg_id. reports: translated to English; files: of each of them, at the high rate;
    without_report: recordings whose text is no report."""

    reports: dict[str, Report]
    files: dict[str, str]
    without_report: frozenset[str]


def read_table(path: Path, wanted: Collection[str] | None = None) -> ReportTable:
    """wanted: the ecg_ids to read, all if None. Raises DataError where the table is absent or another one."""
    path = Path(path)
    if not path.is_file():
        raise DataError(f"{path} does not exist: SOURCE must hold PTB-XL's {PTB_XL_TABLE}")
    try:
        table = pd.read_csv(path)
    except ValueError as error:  # what is no text, and what is no table
        raise DataError(f"{path} is no CSV ({str(error).splitlines()[0]}): is it PTB-XL's {PTB_XL_TABLE}?") from None
    absent = [column for column in _COLUMNS if column not in table.columns]
    if absent:
        raise DataError(f"{path} has no column {', '.join(absent)}: is it PTB-XL's {PTB_XL_TABLE}?")
    reports, files, without_report = {}, {}, set()
    for row in table.to_dict("records"):
        record_id = str(row["ecg_id"])
        if wanted is not None and record_id not in wanted:
            continue
        source = row["report"] if isinstance(row["report"], str) else ""
        cleaned = clean_report(source)
        if cleaned is None:
            without_report.add(record_id)
            continue
        english = translate(cleaned)
        age = None if pd.isna(row["age"]) else min(float(row["age"]), _OLDEST)
        reports[record_id] = Report(
            record_id=record_id,
            patient_id=str(int(row["patient_id"])),
            fold=int(row["strat_fold"]),
            text=english.text,
            source_text=source,
            language=english.language,
            coverage=english.coverage,
            codes={code: float(value) for code, value in ast.literal_eval(row["scp_codes"]).items()},
            heart_axis=row["heart_axis"] if isinstance(row["heart_axis"], str) else "",
            age=age,
            sex=SEX.get(row["sex"]),
        )
        files[record_id] = row["filename_hr"]
    return ReportTable(reports, files, frozenset(without_report))


def prepare(
    source: Path, out: Path, rate: float = LOW_RATE, challenge: Path | None = None, engine: str = "local"
) -> dict:
    """Write shards of every recording that is present under `source`; any subset of the official layout will do.

    challenge: a folder of the PhysioNet/CinC Challenge 2021, whose HRnnnnn files are PTB-XL recordings; they stand
    in for recordings that `source` lacks. Returns the manifest. Raises DataError.
    """
    source = Path(source)
    table = read_table(source / PTB_XL_TABLE)

    def planned() -> Iterator[tuple[Report, Path | None]]:
        for record_id, name in table.files.items():
            places = _places(source, name, record_id, challenge)
            yield table.reports[record_id], next((path for path in places if path.exists()), None)

    drops = Counter({WITHOUT_REPORT: len(table.without_report)})
    settings = PrepareSettings("PTB-XL", f"{source} {challenge or ''}".strip(), rate)
    return prepare_shards(planned(), drops, Path(out), settings, engine)


def _places(source: Path, name: str, record_id: str, challenge: Path | None) -> Iterator[Path]:
    """Where a recording may lie, best first: at 500 Hz, the challenge's copy of that, then PTB-XL's own 100 Hz file.

    That order is kept whatever rate is stored: the 100 Hz files were filtered in another way than ours (10 to 25 uV rms
    and 1 ms apart), and a model shall meet one way where it can.
    """
    yield source / (name + ".hea")
    if challenge is not None:
        yield Path(challenge) / f"HR{int(record_id):05d}.hea"
    yield source / (name.replace("records500", "records100").replace("_hr", "_lr") + ".hea")
