"""A study in which cardiologists rate drafts and reference reports, blinded: the sample, the sheets, the key.

Draft and reference of a recording are two items under opaque names. Every recording is shown once before any is
shown again, whether draft or reference comes first is drawn, and so is the order.
"""

import csv
import hashlib
import json
import math
from base64 import b64encode
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory
from xml.etree import ElementTree

import numpy as np

from meit.atomic import atomic_path, write_json, write_text
from meit.benchmark.raters.rubric import rubric
from meit.data.batches import EcgSet
from meit.data.shards import Example, Report
from meit.data.splits import ALL
from meit.ecg.paper import draw_paper
from meit.ecg.recording import Recording
from meit.ecg.signal.normalising import normalise
from meit.ecg.stated import Patient
from meit.errors import DataError
from meit.reports.statements import asserted, codes, read_statements

REFERENCE = "reference"
KEY, SHEET, RATINGS_TABLE = "key.json", "sheet.html", "ratings.csv"
NO_CLASS = "rhythm, form or not coded"
DRAWN_DEVIATION = 0.2  # of a z-scored lead on the sheet, in the place of millivolts: about that of a common ECG
NO_SCALE = "25 mm/s   NO AMPLITUDE SCALE: this recording was z-scored, its millivolts are lost; do not judge voltage"
NOTE_COLOUR = "#a03a2c"  # in which draw_paper writes its notes on quality
SVG = "http://www.w3.org/2000/svg"


def export_study(
    evaluated: Path, data: Sequence[Path], out: Path, n: int = 50, seed: int = 0, system: str = "model"
) -> str:
    """Draws n recordings of those that `meit evaluate` drafted and writes the study to the folder `out`.

    evaluated: the folder that `meit evaluate` wrote; data: the prepared folders that it read. The folder gets
    sheet.html (self-contained: ECGs, reports, axes), ratings.csv (the same items to fill in by hand) and key.json,
    which says what each item is and is not for raters. At most one recording a patient is drawn, so that intervals
    over recordings are intervals over patients. Returns what was written, in one line. Raises DataError.
    """
    predictions = read_predictions(evaluated, system)
    recordings = EcgSet(data, ALL, rate=100, seconds=10)
    place = {record_id: index for index, record_id in enumerate(recordings.column("record_id"))}
    lost = [record_id for record_id in predictions if record_id not in place]
    if lost:
        raise DataError(
            f"{evaluated}: {len(lost)} of {len(predictions)} drafted recordings (such as {lost[0]}) are not in "
            f"{', '.join(map(str, data))}; give the prepared folders that were evaluated"
        )
    rng = np.random.default_rng(seed)
    strata = _strata(recordings, [place[record_id] for record_id in predictions], rng)
    drawn = dict(zip(strata, _allocate(list(strata.values()), n), strict=True))
    stratum_of = {index: name for name, part in drawn.items() for index in part}
    chosen = list(stratum_of)
    examples = {f"ecg-{number:03d}": recordings.example(index) for number, index in enumerate(chosen, 1)}
    items = _items(examples, predictions, system, rng)
    for item in items:
        item["stratum"] = stratum_of[place[item["record_id"]]]
    shown = [{name: item[name] for name in ("item", "ecg", "text")} for item in items]
    study = hashlib.sha256(json.dumps([shown, rubric().version]).encode()).hexdigest()[:10]

    out = Path(out)
    if (out / KEY).exists() and json.loads((out / KEY).read_text())["study"] != study:
        raise DataError(f"{out}: holds another study, whose ratings would lose their key; name a new folder")
    out.mkdir(parents=True, exist_ok=True)
    about = {"study": study, "rubric": rubric().version, "seed": seed, "system": system, "model": model_of(evaluated)}
    write_json(out / KEY, {**about, "items": items})
    _write_table(out / RATINGS_TABLE, study, shown)
    write_text(out / SHEET, _sheet(study, shown, {name: _drawn(example, name) for name, example in examples.items()}))
    counts = ", ".join(f"{name} {len(part)}" for name, part in drawn.items() if part)
    return f"{out / SHEET}: {len(items)} items of {len(chosen)} recordings ({counts}); {out / KEY} is not for raters"


def read_predictions(evaluated: Path, system: str = "model") -> dict[str, dict[str, str]]:
    """The lines of a folder's predictions.jsonl by record_id; each has `reference` and `system`. Raises DataError."""
    path = Path(evaluated) / "predictions.jsonl"
    try:
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
        predictions = {str(row["record_id"]): row for row in rows}
    except FileNotFoundError:
        raise DataError(f"{path}: no such file; 'meit evaluate' writes it") from None
    except (ValueError, KeyError, TypeError):
        raise DataError(f"{path}: is not what 'meit evaluate' writes; run it again") from None
    for row in predictions.values():
        if REFERENCE not in row or system not in row:
            known = ", ".join(sorted(row.keys() - {"record_id", REFERENCE}))
            raise DataError(f"{path}: has no drafts of {system!r}; it has {known}")
    if not predictions:
        raise DataError(f"{path}: holds no draft; run 'meit evaluate' again")
    return predictions


def model_of(evaluated: Path) -> object:
    """What results.json beside the predictions says of the model, if it is there."""
    path = Path(evaluated) / "results.json"
    return json.loads(path.read_text(encoding="utf-8")).get("model") if path.is_file() else None


def _strata(recordings: EcgSet, indices: list[int], rng: np.random.Generator) -> dict[str, list[int]]:
    """Recordings by superclass, shuffled, one of each patient: of several superclasses a recording is of the rarest.

    Where annotators gave no codes, as in MIMIC-IV-ECG, those that the report states count.
    """
    reports = {index: recordings.report(index) for index in rng.permutation(indices).tolist()}
    one_each = {report.patient_id: index for index, report in reports.items()}.values()
    classes = {index: _classes(reports[index]) for index in one_each}
    sizes = Counter(name for names in classes.values() for name in names)
    strata: dict[str, list[int]] = {name: [] for name in sorted(sizes)}
    for index, names in classes.items():
        strata[min(names, key=lambda name: (sizes[name], name))].append(index)
    return {name: members for name, members in strata.items() if members}


def _classes(report: Report) -> set[str]:
    return superclasses(report.codes or asserted(read_statements(report.text))) or {NO_CLASS}


def superclasses(found: Iterable[str]) -> set[str]:
    """PTB-XL's diagnostic superclasses (NORM, MI, STTC, CD, HYP) of SCP-ECG codes; rhythm and form have none."""
    return {codes()[code].superclass for code in found if code in codes()} - {""}


def _allocate(strata: list[list[int]], n: int) -> list[list[int]]:
    """The first members of each stratum: n in all, in proportion to its size, and one of every stratum if n allows.

    What is left after rounding down goes to the largest remainders.
    """
    sizes = [len(members) for members in strata]
    total = sum(sizes)
    n = min(n, total)
    exact = [n * size / total for size in sizes]
    counts = [
        min(size, max(math.floor(share), 1 if n >= len(sizes) else 0)) for size, share in zip(sizes, exact, strict=True)
    ]
    while sum(counts) != n:
        step = 1 if sum(counts) < n else -1
        free = [i for i, size in enumerate(sizes) if (counts[i] < size if step > 0 else counts[i] > 1)]
        counts[max(free, key=lambda i: step * (exact[i] - counts[i]))] += step
    return [members[:count] for members, count in zip(strata, counts, strict=True)]


def _items(examples: dict[str, Example], predictions: dict, system: str, rng: np.random.Generator) -> list[dict]:
    """Two items a recording in the order in which they are shown."""
    names = iter(rng.choice(16**6, size=2 * len(examples), replace=False))
    rounds: tuple[list, list] = ([], [])
    for ecg, example in examples.items():
        row = predictions[example.report.record_id]
        sources = [REFERENCE, system]
        rng.shuffle(sources)
        for source, shown_in in zip(sources, rounds, strict=True):
            what = {"item": f"{next(names):06x}", "ecg": ecg, "text": row[source]}
            shown_in.append(what | {"record_id": example.report.record_id, "source": source})
    for shown_in in rounds:
        rng.shuffle(shown_in)
    return rounds[0] + rounds[1]


def _write_table(path: Path, study: str, shown: list[dict]) -> None:
    names = ["study", "rubric", "rater", "item", "ecg", "text", *rubric().keys, "comment"]
    with atomic_path(path) as temporary, temporary.open("w", encoding="utf-8-sig", newline="") as file:  # for Excel
        table = csv.DictWriter(file, names)
        table.writeheader()
        table.writerows({"study": study, "rubric": rubric().version} | item for item in shown)


def _sheet(study: str, shown: list[dict], ecgs: dict[str, str]) -> str:
    content = {
        "study": study,
        "rubric": rubric().version,
        "instruction": rubric().for_raters,
        "axes": [asdict(axis) for axis in rubric().axes],
        "items": shown,
        "ecgs": ecgs,
    }
    script = json.dumps(content).replace("<", "\\u003c")  # a report must not end the script
    page = files("meit.benchmark.raters").joinpath("study_sheet.html").read_text(encoding="utf-8")
    return page.replace("/*STUDY*/null", script)


def _drawn(example: Example, name: str) -> str:
    """The sheet of a recording as a data URI, without any name but `name`."""
    signal, is_z = example.signal, example.unit == "z"
    if is_z:
        scaled = normalise(signal, example.rate, "z") * np.float32(DRAWN_DEVIATION)
        signal = np.where(np.isfinite(signal), scaled, np.float32(np.nan))
    patient = Patient(age=example.report.age, sex=example.report.sex)
    recording = Recording(name=name, signal=signal, rate=example.rate, patient=patient)
    with TemporaryDirectory() as folder:
        svg = draw_paper(recording, Path(folder) / "sheet.svg").read_bytes()
    return "data:image/svg+xml;base64," + b64encode(_without_scale(svg) if is_z else svg).decode()


def _without_scale(svg: bytes) -> bytes:
    """The sheet without calibration pulses, and with a warning in the place of the scale and of notes in mV."""
    ElementTree.register_namespace("", SVG)
    tree = ElementTree.fromstring(svg)
    for parent in list(tree.iter()):
        for child in list(parent):
            if child.get("id", "").startswith("pulse-") or (
                child.tag == f"{{{SVG}}}text" and NOTE_COLOUR in child.get("style", "")
            ):
                parent.remove(child)
            elif child.tag == f"{{{SVG}}}text" and "mm/mV" in (child.text or ""):
                child.text = NO_SCALE
                child.set("style", child.get("style", "") + f"; fill: {NOTE_COLOUR}; font-weight: 700")
    return ElementTree.tostring(tree, encoding="utf-8", xml_declaration=True)
