"""PTB-XL (PhysioNet, CC BY 4.0) in its official layout -> prepared shards."""

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from meit.data.prepare import Settings
from meit.data.prepare import prepare as prepare_shards
from meit.data.shards import Report
from meit.errors import DataError
from meit.reports.clean import clean_report
from meit.reports.translate import translate

TABLE = "ptbxl_database.csv"
COLUMNS = ("ecg_id", "patient_id", "age", "sex", "report", "scp_codes", "heart_axis", "strat_fold", "filename_hr")
LOW_RATE, HIGH_RATE = 100, 500
SEX = {0: "M", 1: "F"}  # PTB-XL's own coding
AGE_OVER_89 = 300  # PTB-XL writes 300 for patients older than 89


def read_table(path: Path) -> tuple[dict[str, Report], dict[str, str], Counter]:
    """The official table -> reports by ecg_id (translated to English), high-rate file names, and counted drops."""
    import pandas as pd

    path = Path(path)
    if not path.is_file():
        raise DataError(f"{path} does not exist: SOURCE must hold PTB-XL's {TABLE}")
    table = pd.read_csv(path)
    absent = [column for column in COLUMNS if column not in table.columns]
    if absent:
        raise DataError(f"{path} has no column {', '.join(absent)}: is it PTB-XL's {TABLE}?")
    reports, files, drops = {}, {}, Counter()
    for row in table.to_dict("records"):
        record_id = str(row["ecg_id"])
        source = row["report"] if isinstance(row["report"], str) else ""
        cleaned = clean_report(source)
        if cleaned is None:
            drops["no report in the text"] += 1
            continue
        english = translate(cleaned)
        age = None if pd.isna(row["age"]) else min(float(row["age"]), 90.0)
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
    return reports, files, drops


def prepare(
    source: Path, out: Path, rate: float = LOW_RATE, challenge: Path | None = None, engine: str = "local"
) -> dict:
    """Write shards of every recording that is present under `source`; any subset of the official layout will do.

    challenge: a folder of the PhysioNet/CinC Challenge 2021, whose HRnnnnn files are PTB-XL recordings; they stand
    in for recordings that `source` lacks. Returns the manifest. Raises DataError.
    """
    source = Path(source)
    reports, files, drops = read_table(source / TABLE)

    def planned() -> Iterator[tuple[Report, Path | None]]:
        for record_id, name in files.items():
            places = _places(source, name, record_id, rate, challenge)
            yield reports[record_id], next((path for path in places if path.exists()), None)

    return prepare_shards(
        planned(), drops, Path(out), Settings("PTB-XL", f"{source} {challenge or ''}".strip(), rate), engine
    )


def _places(source: Path, name: str, record_id: str, rate: float, challenge: Path | None) -> Iterator[Path]:
    """Where a recording may lie, best first: the rate asked for, the higher rate, the challenge's copy."""
    if rate == LOW_RATE:
        yield source / (name.replace("records500", "records100").replace("_hr", "_lr") + ".hea")
    yield source / (name + ".hea")
    if challenge is not None:
        yield Path(challenge) / f"HR{int(record_id):05d}.hea"
