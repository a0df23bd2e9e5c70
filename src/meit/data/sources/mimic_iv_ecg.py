"""MIMIC-IV-ECG 1.0 (PhysioNet, doi:10.13026/4nqg-sb35, ODbL 1.0) in its official layout -> reports with their files.

`record_list.csv` says where each recording lies, `machine_measurements.csv` what the cart printed and measured; they
are joined by study_id. Held in memory is the second table alone, as Arrow text and NumPy numbers: 150 bytes a row.
"""

import csv
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as arrow_csv

from meit.data.prepare import prepare as prepare_shards
from meit.data.prepare_settings import PrepareSettings
from meit.data.shards import Report
from meit.data.splits import fold_of
from meit.errors import DataError
from meit.reports.cart_statements import clean_machine_report

RECORD_LIST, MACHINE_REPORTS = "record_list.csv", "machine_measurements.csv"
REPORT = re.compile(r"report_\d+")  # one line of the cart each; officially 18

# What the cart measured: column -> name, least, most. Times count from the start of its median beat.
MEASUREMENTS = {
    "rr_interval": ("rr_interval_ms", 200, 3000),
    "p_onset": ("p_onset_ms", 0, 3000),
    "p_end": ("p_end_ms", 0, 3000),
    "qrs_onset": ("qrs_onset_ms", 0, 3000),
    "qrs_end": ("qrs_end_ms", 0, 3000),
    "t_end": ("t_end_ms", 0, 3000),
    "p_axis": ("p_axis_deg", -180, 360),
    "qrs_axis": ("qrs_axis_deg", -180, 360),
    "t_axis": ("t_axis_deg", -180, 360),
}  # 29999, which the carts write for "not measured", is outside of all
MEASUREMENT_NAMES = [name for name, _, _ in MEASUREMENTS.values()]
# What must come after what, within how many ms at most, and which values are left out where it does not.
_INTERVALS = (
    ("qrs_onset_ms", "qrs_end_ms", 400, ("qrs_onset_ms", "qrs_end_ms")),
    ("qrs_end_ms", "t_end_ms", 800, ("t_end_ms",)),
    ("p_onset_ms", "p_end_ms", 400, ("p_onset_ms", "p_end_ms")),
    ("p_onset_ms", "qrs_onset_ms", 1000, ("p_onset_ms", "p_end_ms")),
    ("p_end_ms", "qrs_onset_ms", 1000, ("p_onset_ms", "p_end_ms")),
)


@dataclass(frozen=True)
class _Machine:
    """machine_measurements.csv. studies: (n,) int64, ascending; rows: (n,) of each study, counted through all of
    `lines`, which are the pieces of one column of text; repeats: (n,) how often the study is listed again;
    values: (rows, 9) float32, NaN where there is none.
    """

    studies: np.ndarray
    rows: np.ndarray
    lines: list[pa.Array]
    repeats: np.ndarray
    values: np.ndarray

    def find(self, studies: np.ndarray) -> np.ndarray:
        """Where each of (k,) float64 stands in `studies`; -1 where it does not."""
        places = np.minimum(np.searchsorted(self.studies, studies), len(self.studies) - 1)
        return np.where(self.studies[places] == studies, places, -1)

    def texts(self, places: np.ndarray) -> list[str]:
        ends = np.cumsum([len(piece) for piece in self.lines])
        rows = self.rows[places]
        pieces = np.searchsorted(ends, rows, side="right")
        within = rows - ends[pieces] + [len(self.lines[piece]) for piece in pieces]
        return [self.lines[piece][row].as_py() for piece, row in zip(pieces, within.tolist(), strict=True)]


def prepare(source: Path, out: Path, rate: float, seed: int = 0, engine: str = "local") -> dict:
    """Write shards of every recording that is present under `source`; any part of the official layout will do.

    rate: samples a second to store. seed: of the split. Returns the manifest. Raises DataError.
    """
    drops: Counter[str] = Counter()
    settings = PrepareSettings("MIMIC-IV-ECG", f"{source} seed {seed}", rate)
    return prepare_shards(planned(source, drops, seed), drops, Path(out), settings, engine)


def planned(source: Path, drops: Counter, seed: int = 0) -> Iterator[tuple[Report, Path | None]]:
    """Each usable report with its recording's header under `source` (None where it is not there), in the order of
    record_list.csv.

    drops: counts, while this runs, rows and reports that are left out, by reason. seed: of the split; a patient's fold
    depends on nothing else. Ages and sexes are not in these tables. Raises DataError for a table that is absent or
    another one.
    """
    source = Path(source)
    machine = _read_machine(source / MACHINE_REPORTS, drops)
    seen = np.zeros(len(machine.studies), dtype=bool)
    for batch in _batches(source / RECORD_LIST, ("subject_id", "study_id", "path"), drops):
        studies, subjects = _numbers(batch, "study_id"), _numbers(batch, "subject_id")
        paths = batch.column("path").to_pylist()
        whole = np.isfinite(studies) & np.isfinite(subjects) & np.array([path is not None for path in paths])
        places = machine.find(studies)
        _count(drops, f"malformed row of {RECORD_LIST}", np.sum(~whole))
        _count(drops, "no machine report", np.sum(whole & (places < 0)))
        usable = np.flatnonzero(whole & (places >= 0))
        for row, lines in zip(usable.tolist(), machine.texts(places[usable]), strict=True):
            place = places[row]
            if seen[place]:
                drops[f"study listed twice in {RECORD_LIST}"] += 1
                continue
            seen[place] = True
            _count(drops, f"study listed twice in {MACHINE_REPORTS}", machine.repeats[place])
            values = machine.values[machine.rows[place]]
            report = _report(str(int(studies[row])), str(int(subjects[row])), seed, lines, values, drops)
            if report is not None:
                header = source / f"{paths[row]}.hea"
                yield report, header if header.exists() else None


def _report(study: str, subject: str, seed: int, lines: str, values: np.ndarray, drops: Counter) -> Report | None:
    cleaned = clean_machine_report(lines.split("\n"))
    if cleaned.text is None:
        drops[cleaned.reason] += 1
        return None
    measured = {name: float(value) for name, value in zip(MEASUREMENT_NAMES, values, strict=True) if np.isfinite(value)}
    return Report(
        record_id=study,
        patient_id=subject,
        fold=fold_of(subject, seed),
        text=cleaned.text,
        source_text=lines,
        language="en",
        coverage=1.0,
        measurements=measured,
    )


def possible(values: np.ndarray) -> np.ndarray:
    """(n, 9) in the order of MEASUREMENTS -> the same, NaN where a value is impossible by itself or beside another."""
    least, most = np.array([limits for _, *limits in MEASUREMENTS.values()], dtype=np.float32).T
    with np.errstate(invalid="ignore"):
        values = np.where((values >= least) & (values <= most), values, np.nan).astype(np.float32)
        for start, end, longest, wrong in _INTERVALS:
            interval = values[:, MEASUREMENT_NAMES.index(end)] - values[:, MEASUREMENT_NAMES.index(start)]
            bad = (interval <= 0) | (interval > longest)
            for name in wrong:
                values[bad, MEASUREMENT_NAMES.index(name)] = np.nan
    return values


def _read_machine(path: Path, drops: Counter) -> _Machine:
    studies, lines, values = [], [], []
    for batch in _batches(path, ("study_id", "report_0", *MEASUREMENTS), drops):
        study = _numbers(batch, "study_id")
        whole = np.isfinite(study)
        _count(drops, f"malformed row of {path.name}", np.sum(~whole))
        first, *others = map(batch.column, filter(REPORT.fullmatch, batch.schema.names))
        # Arrow 26 loses a row that is null throughout: one column is not null, and the newline it may add is trimmed.
        text = pc.binary_join_element_wise(pc.fill_null(first, ""), *others, "\n", null_handling="skip")
        text = pc.utf8_trim(text, "\n")
        measured = np.column_stack([_numbers(batch, column) for column in MEASUREMENTS])
        studies.append(study[whole].astype(np.int64))
        lines.append(text.filter(pa.array(whole)))
        values.append(possible(measured[whole]))
    if not any(map(len, studies)):
        raise DataError(f"{path} has no usable row: get it again from PhysioNet")
    ids, rows, times = np.unique(np.concatenate(studies), return_index=True, return_counts=True)
    return _Machine(ids, rows, lines, times - 1, np.concatenate(values))


def _batches(path: Path, columns: tuple[str, ...], drops: Counter) -> Iterator[pa.RecordBatch]:
    """`columns` and all of the cart's lines, piece by piece, as text; what is empty is null."""
    try:
        with open(path, newline="", encoding="utf-8-sig", errors="replace") as file:
            header = next(csv.reader(file), [])
    except OSError as error:
        raise DataError(
            f"{path}: {error.strerror}; SOURCE must hold MIMIC-IV-ECG's {RECORD_LIST} and {MACHINE_REPORTS}"
        ) from None
    absent = [column for column in columns if column not in header]
    if absent:
        raise DataError(f"{path} has no column {', '.join(absent)}: is it MIMIC-IV-ECG's {path.name}?")

    def skip(_row) -> str:
        drops[f"malformed row of {path.name}"] += 1
        return "skip"

    wanted = [name for name in header if name in columns or REPORT.fullmatch(name)]
    as_text = arrow_csv.ConvertOptions(
        include_columns=wanted,
        column_types=dict.fromkeys(wanted, pa.string()),
        strings_can_be_null=True,
        quoted_strings_can_be_null=True,
        null_values=[""],
    )
    try:
        yield from arrow_csv.open_csv(
            path,
            read_options=arrow_csv.ReadOptions(use_threads=False),
            parse_options=arrow_csv.ParseOptions(invalid_row_handler=skip),
            convert_options=as_text,
        )
    except pa.ArrowException as error:
        raise DataError(f"{path} cannot be read ({str(error).splitlines()[0]}): get it again from PhysioNet") from None


def _numbers(batch: pa.RecordBatch, column: str) -> np.ndarray:
    """(n,) float64; NaN where the text is no number."""
    return pd.to_numeric(batch.column(column).to_pandas(), errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)


def _count(drops: Counter, reason: str, count: int) -> None:
    """No key for what did not happen."""
    if count:
        drops[reason] += int(count)
