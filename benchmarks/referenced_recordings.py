"""Recordings of public sets beside what their references say, for the benchmarks of rules: PTB-XL's reports, the statements
of MIMIC-IV-ECG's carts, LUDB's diagnoses, and the diagnoses of the CinC challenges (SNOMED CT), each as a text."""

import csv
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from meit.data.sources.ptb_xl import read_table

SNOMED = {  # as the challenges name them, in the words of reports
    "426783006": "sinus rhythm",
    "427084000": "sinus tachycardia",
    "426177001": "sinus bradycardia",
    "426627000": "bradycardia",
    "427393009": "sinus arrhythmia",
    "284470004": "premature atrial complexes",
    "251170000": "premature atrial complexes",
    "63593006": "supraventricular premature complexes",
    "427172004": "premature ventricular complexes",
    "164884008": "premature ventricular complexes",
    "425856008": "ventricular tachycardia",
    "164889003": "atrial fibrillation",
    "164890007": "atrial flutter",
    "713422000": "atrial tachycardia",
    "233897008": "supraventricular tachycardia",
    "106068003": "ectopic atrial rhythm",
    "10370003": "paced rhythm",
    "270492004": "first degree AV block",
    "164947007": "prolonged PR interval",
    "233917008": "AV block",
    "27885002": "complete AV block",
    "59118001": "right bundle branch block",
    "713427006": "right bundle branch block",
    "713426002": "incomplete right bundle branch block",
    "164909002": "left bundle branch block",
    "445118002": "left anterior fascicular block",
    "698252002": "intraventricular conduction delay",
    "39732003": "left axis deviation",
    "47665007": "right axis deviation",
    "164873001": "left ventricular hypertrophy",
    "55827005": "left ventricular hypertrophy",
    "89792004": "right ventricular hypertrophy",
    "253352002": "left atrial enlargement",
    "67741000119109": "left atrial enlargement",
    "251146004": "low QRS voltage",
    "164865005": "myocardial infarction",
    "164867002": "old myocardial infarction",
    "164861001": "ischemia",
    "425623009": "lateral ischemia",
    "164931005": "ST elevation",
    "429622005": "ST depression",
    "428750005": "nonspecific ST-T changes",
    "55930002": "ST-T changes",
    "164930006": "ST-T changes",
    "164934002": "T wave abnormality",
    "59931005": "T wave inversion",
    "111975006": "long QT interval",
    "164917005": "Q waves",
    "164951009": "abnormal QRS",
    "365413008": "poor R wave progression",
}


class Referenced(NamedTuple):
    """file: the .hea. reference: what was said of it."""

    file: Path
    reference: str


def referenced(folder: Path) -> Iterator[Referenced]:
    """The recordings below a folder of one of the sets, in the order of their names; "" where nothing was said."""
    files = sorted(folder.rglob("*.hea"))
    if (folder / "ptbxl_database.csv").is_file():
        numbers = {str(int(file.stem.split("_")[0])): file for file in files}  # the high rate, where there are both
        reports = read_table(folder / "ptbxl_database.csv", numbers).reports
        yield from (Referenced(file, reports[key].text) for key, file in numbers.items() if key in reports)
    elif (folder / "machine_measurements.csv").is_file():
        with (folder / "machine_measurements.csv").open(encoding="utf-8") as lines:
            rows = {row["study_id"]: row for row in csv.DictReader(lines)}
        for file in files:
            row = rows.get(file.stem, {})
            yield Referenced(file, ". ".join(row[name] for name in row if re.match(r"report_\d", name) and row[name]))
    else:
        yield from (Referenced(file, _of_header(file)) for file in files)


def _of_header(file: Path) -> str:
    text = file.read_text(encoding="utf-8", errors="replace")
    if "#Dx:" in text:
        codes = re.findall(r"\d{5,}", text.split("#Dx:")[1].splitlines()[0])
        return ". ".join(SNOMED[code] for code in codes if code in SNOMED)
    return " ".join(line.lstrip("# ") for line in text.partition("<diagnoses>")[2].splitlines()[1:])
