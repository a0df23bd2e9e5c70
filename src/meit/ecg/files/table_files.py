"""Tables of samples: CSV and NPY files whose rate, unit and leads are stated beside the numbers, never guessed.

CSV: text; comment lines state the rate and the unit, the header row names the leads, one row a sample follows.
Separated by commas, semicolons or tabs. Numbers have a decimal point, or a decimal comma where the separator is another
one or they stand in quotes; never both, and no signs between thousands. An empty field or NaN was not recorded; columns
that are none of the 12 leads, such as the time, are left out.

    # rate_hz: 500
    # unit: mV
    I,II,III,aVR,aVL,aVF,V1,V2,V3,V4,V5,V6
    0.015,0.120,0.105,-0.067,-0.045,0.112,-0.030,0.080,0.110,0.095,0.070,0.045

NPY: numpy's array file, real numbers of shape (n_samples, n_leads) or (n_leads, n_samples); the JSON file of the same
name states what a CSV may state in it too:

    {"rate_hz": 500, "unit": "mV", "leads": ["I", "II", "V1", "V2", "V3", "V4", "V5", "V6"]}

rate_hz and unit (mV, uV, V) are required, of NPY also leads. Optional: age (years), sex (F, M), start (ISO 8601, such
as 2021-06-05T10:20:30) and patient_id.
"""

import json
import math
import re
from collections.abc import Mapping
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from meit.ecg.files import recognise
from meit.ecg.files.ages import age_in_years
from meit.ecg.files.limits import MAX_VALUES, MILLIVOLTS, read_bounded, sex_of
from meit.ecg.files.wfdb_files import WFDB_SUFFIXES
from meit.ecg.recording import Recording, assemble, canonical_lead, printable
from meit.ecg.stated import Patient
from meit.errors import RecordingError

if TYPE_CHECKING:
    import pandas as pd

MAX_CSV = 50_000_000  # bytes; twenty minutes of 12 leads at 500 Hz
MAX_STATED = 1_000_000  # bytes of a JSON file, or of the lines before a CSV's first sample
_NPY_MAGIC = b"\x93NUMPY"
_SEPARATORS = ",;\t"
_COMMENT = re.compile(r"#\s*(\w+)\s*[:=;,\t]\s*(.*)")  # name and value may be two fields of a spreadsheet
_EXAMPLES = {"rate_hz": 500, "unit": "mV", "leads": ["I", "II", "..."]}  # of what must be stated
_NUMBERS = re.compile(
    r"(?<![\w.])[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?(?![\w.])|(?<!\w)nan(?!\w)", re.IGNORECASE
)
_BETWEEN = _SEPARATORS + ' "'
_QUOTED_COMMA = re.compile(r'"\s*([-+]?\d*),(\d+(?:[eE][-+]?\d+)?)\s*"')  # "0,015"


def is_csv(path: Path, start: bytes) -> bool:
    """True for text that states a rate in a comment, or whose header row names two leads or more; start: the file's first
    bytes."""
    if path.suffix.lower() in WFDB_SUFFIXES:  # text under such a name is a damaged WFDB record
        return False
    stated, names, _ = _head(_decoded(start))
    return "rate_hz" in stated or sum(canonical_lead(name) is not None for name in names) >= 2


def is_npy(path: Path, start: bytes) -> bool:
    """True for a file that begins as numpy's array files do."""
    return start.startswith(_NPY_MAGIC)


def is_nameless_table(start: bytes) -> bool:
    """True for text in which a row of two numbers or more stands first, or after one row of names that name no lead."""
    lines = [line for line in _decoded(start).splitlines()[:50] if line.strip() and not line.lstrip().startswith("#")]
    return any(len(_NUMBERS.findall(line)) > 1 and not _NUMBERS.sub("", line).strip(_BETWEEN) for line in lines[:2])


def read_csv(path: Path, allow_missing: bool) -> Recording:
    """Raises RecordingError where rate, unit or lead names are not stated, and for rows that are not numbers."""
    text = _decoded(_bytes(path, MAX_CSV, "cut the recording into shorter ones"))
    comments, names, begin = _head(text)
    stated = _merged(path, comments, _sidecar(path))
    rate, to_millivolts = _rate(path, stated), _unit(path, stated)
    leads = [canonical_lead(name) for name in names]
    columns = {lead: column for column, lead in enumerate(leads) if lead is not None}
    if not columns:
        raise RecordingError(f"{path}: its header row names none of the 12 leads; it must be like I,II,III,aVR,...,V6")
    twice = sorted(lead for lead in columns if leads.count(lead) > 1)  # at most 12 to count
    if twice:
        raise RecordingError(f"{path}: lead {twice[0]} occurs twice; keep one of them")
    rows = _rows(path, text[begin:], _separator(text[:begin].splitlines()[-1]), len(names), list(columns.values()))
    millivolts = {lead: rows[column] * to_millivolts for lead, column in columns.items()}
    return _recording(path, millivolts, rate, stated, allow_missing)


def read_npy(path: Path, allow_missing: bool) -> Recording:
    """Raises RecordingError where the JSON file beside it is absent or does not fit the array."""
    stated = _sidecar(path)
    rate, to_millivolts = _rate(path, stated), _unit(path, stated)
    leads = stated.get("leads")
    if not (isinstance(leads, list) and leads and all(isinstance(lead, str) for lead in leads)):
        raise _unstated(path, "leads")
    if len(set(leads)) < len(leads):
        raise RecordingError(f"{path}: a lead occurs twice in {_beside(path).name}; each column needs its own name")
    try:
        values = np.load(path, mmap_mode="r", allow_pickle=False)  # mapped: a header can announce more than there is
    except Exception as error:  # numpy lets out whatever parsing the header runs into
        raise RecordingError(f"{path}: numpy cannot read this array ({_reason(error)}); save it again") from None
    if values.dtype.kind not in "fiu" or values.ndim != 2 or len(leads) not in values.shape:
        raise RecordingError(
            f"{path}: holds {printable(str(values.dtype))} of shape {values.shape}; needed are real numbers of shape "
            f"(n_samples, {len(leads)}), one column for each of the leads in {_beside(path).name}"
        )
    if values.size > MAX_VALUES:
        raise RecordingError(f"{path}: too many samples for one ECG; cut the recording into shorter ones")
    if values.shape[1] != len(leads):
        values = values.T
    with np.errstate(over="ignore"):  # what is too large for float32 is no voltage: not recorded
        millivolts = {
            lead: (values[:, column].astype(np.float64) * to_millivolts).astype(np.float32)
            for column, lead in enumerate(leads)
        }
    return _recording(path, millivolts, rate, stated, allow_missing)


def _recording(
    path: Path,
    millivolts: Mapping[str, np.ndarray],
    rate: float,
    stated: Mapping[str, Any],
    allow_missing: bool,
) -> Recording:
    patient_id = stated.get("patient_id")
    start = stated.get("start")
    try:
        start = datetime.fromisoformat(start) if isinstance(start, str) else None
    except ValueError:
        start = None
    return assemble(
        millivolts,
        rate,
        name=path.stem,
        start=start,
        patient=Patient(
            id=str(patient_id) if isinstance(patient_id, str | int) and patient_id != "" else None,
            age=age_in_years(str(stated.get("age"))),
            sex=sex_of(str(stated.get("sex"))),
        ),
        source=str(path),
        allow_missing=allow_missing,
    )


def _head(text: str) -> tuple[dict[str, str], list[str], int]:
    """What the comments state, the names in the header row, and where the first sample begins in the text."""
    stated, position = {}, 0
    for line in text[:MAX_STATED].splitlines(keepends=True):
        position += len(line)
        content = line.strip().strip('"')
        if content.startswith("#"):
            comment = _COMMENT.match(content)
            if comment:  # spreadsheets fill comment lines up with separators
                stated[comment[1].lower()] = comment[2].strip(f'{_SEPARATORS} "')
        elif content.startswith(("{", "[", "<")):  # JSON that lists leads, XML
            break
        elif content:
            return stated, [name.strip(' "') for name in line.strip("\r\n").split(_separator(line))], position
    return stated, [], position


def _separator(row: str) -> str:
    return max(_SEPARATORS, key=row.count)


def _rows(path: Path, text: str, separator: str, n_fields: int, columns: list[int]) -> "pd.DataFrame":
    """The table's lead columns, a float64 series each. A decimal comma is tried where a decimal point does not do."""
    import pandas as pd  # half a second

    text = _QUOTED_COMMA.sub(r"\1.\2", text)
    commas = separator != "," and "," in text
    rows = None
    for decimal in (".", ",") if commas else (".",):
        try:
            rows = pd.read_csv(
                BytesIO(text.encode()),
                sep=separator,
                header=None,
                usecols=columns,
                dtype=np.float64,
                skipinitialspace=True,
                decimal=decimal,
            )
            break
        except (ValueError, OverflowError) as error:
            reason = _reason(error)
    if rows is None:
        needed = f"each needs {n_fields} numbers with a decimal point"
        if commas:
            needed += ", or with a decimal comma in all of them, and without signs between thousands"
        raise RecordingError(f"{path}: its rows cannot be read ({reason}); {needed}")
    if text.count(separator) != (n_fields - 1) * len(rows):  # pandas takes what a short row lacks for NaN
        fields = text.partition("\n")[0].count(separator) + 1
        if separator == "," and fields == 2 * n_fields:
            raise RecordingError(
                f"{path}: its rows have twice as many fields as the header row: decimal commas between commas cannot "
                "be told apart; save it with semicolons or tabs between the numbers, or with decimal points"
            )
        raise RecordingError(f"{path}: not every row has {n_fields} fields, as the header row has; is it cut off?")
    return rows


def _sidecar(path: Path) -> dict[str, Any]:
    """What the JSON file beside a table states; nothing where there is none."""
    beside = _beside(path)
    if not beside.is_file():
        return {}
    try:
        stated = json.loads(_bytes(beside, MAX_STATED, "keep only what describes the recording"))
    except (ValueError, RecursionError) as error:
        raise RecordingError(f"{beside}: is no JSON ({_reason(error)}); correct it") from None
    if not isinstance(stated, dict):
        raise RecordingError(f"{beside}: must be an object, such as {json.dumps(_EXAMPLES)}")
    return stated


def _beside(path: Path) -> Path:
    capital = path.with_suffix(".JSON")
    return capital if capital.is_file() else path.with_suffix(".json")


def _merged(path: Path, comments: dict[str, str], sidecar: dict[str, Any]) -> dict[str, Any]:
    for key in comments.keys() & sidecar.keys():
        if comments[key] != str(sidecar[key]):
            raise RecordingError(
                f"{path}: {key} is {comments[key][:20]!r} here but {str(sidecar[key])[:20]!r} in {_beside(path).name}; "
                "correct one of them"
            )
    return sidecar | comments


def _rate(path: Path, stated: Mapping[str, Any]) -> float:
    rate = _number(stated.get("rate_hz"))
    if rate is None:
        raise _unstated(path, "rate_hz")
    return rate


def _unit(path: Path, stated: Mapping[str, Any]) -> float:
    """Millivolts in one of the stated unit."""
    unit = stated.get("unit")
    if not isinstance(unit, str):
        raise _unstated(path, "unit")
    if unit.lower() not in MILLIVOLTS:
        raise RecordingError(f"{path}: the unit {unit[:20]!r} is not mV, uV or V; convert the samples")
    return MILLIVOLTS[unit.lower()]


def _unstated(path: Path, key: str) -> RecordingError:
    line = (
        f'the line "# {key}: {_EXAMPLES[key]}" before its header row, or '
        if is_csv(path, recognise.first_bytes(path))
        else ""
    )
    return RecordingError(
        f"{path}: states no {key}; add {line}{json.dumps({key: _EXAMPLES[key]})} to {_beside(path).name} beside it"
    )


def _number(value: object) -> float | None:
    if isinstance(value, str) and re.fullmatch(r"\d+,\d+", value):  # of a spreadsheet that writes decimal commas
        value = value.replace(",", ".")
    if not isinstance(value, str | int | float):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _bytes(path: Path, most: int, remedy: str) -> bytes:
    return read_bounded(path, most, f"has more than {most / 1e6:g} MB; {remedy}")


def _decoded(raw: bytes) -> str:
    """UTF-8, or the UTF-16 or Latin-1 that spreadsheets write; the numbers are the same in all of them."""
    try:
        return raw.decode("utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _reason(error: Exception) -> str:
    return printable(str(error)) or type(error).__name__
