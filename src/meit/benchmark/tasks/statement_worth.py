"""Task `statements`, what each statement is worth: of the text that a reader gets, against reports and others' diagnoses.

    sensitivity   of the recordings that have the finding, how many drafts state it
    specificity   of those that have it not, how many drafts do not
    ppv, npv      of the drafts that state it, how many recordings have it; of those that do not, how many have it not

On prepared data a finding is there where the report asserts its code, and stated where the draft asserts that very code; on
coded recordings (--coded) where somebody's diagnosis says so, and stated by any code of coded_statements.tsv's row. What a
hospital never diagnoses counts as absent there, so that its PPV is low for what its cardiologists do not write down. Statements
with FEWEST_CASES or more are told. Intervals: 95%, Wilson's, recordings taken as independent.
"""

import csv
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

from meit.atomic import write_json, write_text
from meit.benchmark.finding_counts import calls_abnormal
from meit.benchmark.finding_scores import PATIENT_GROUPS
from meit.benchmark.tables.metric_tables import results_json
from meit.benchmark.tasks.coded_recordings import coded_files, diagnoses, restated
from meit.benchmark.tasks.comparison import data_identity, model_identity
from meit.data.batches import EcgSet
from meit.data.shards import Report, read_manifest
from meit.data.splits import folds_of
from meit.drafting.calibration.confidence import Validation
from meit.drafting.draft_files import draft_paths
from meit.drafting.prepared_drafts import as_a_reader_gets, prepared_recording
from meit.drafting.set_drafts import write_drafts
from meit.ecg.quality import GOOD, inspect
from meit.errors import DataError
from meit.model.encoders.encoding import recordings_for
from meit.model.operating_points import BALANCED
from meit.model.report_model import ReportModel, load_model
from meit.model.sharing import gathered, is_first, share
from meit.patient_bootstrap import Metric
from meit.proportions import Proportion
from meit.reports.statements import asserted, codes, read_statements

FEWEST_CASES = 5
LEAST_OF_GROUP = 20  # recordings
WORTHS = ("sensitivity", "specificity", "ppv", "npv")
_ALL_HOSPITALS = "All hospitals of coded recordings"
_PREFACE = """# What each statement is worth

Of {name} {version} (sha256 {sha256:.12}): its drafts as a reader gets them, with measured findings written in. A finding is there
where the report asserts its code; of the hospitals' recordings, which the model has not seen, where a diagnosis in their file
says so (src/meit/benchmark/tasks/coded_statements.tsv), and it is stated where the draft has a code of that row. What a
hospital does not write down counts as absent. Statements with {least} cases or more; 95% intervals (Wilson; recordings taken
as independent). `meit evaluate --task statements` wrote this page as its table.md.

"""


@dataclass(frozen=True)
class Held:
    """What one recording has, what its draft states, as codes, and whether each calls it abnormal; groups: it belongs to."""

    has: frozenset[str]
    stated: frozenset[str]
    abnormal: tuple[bool, bool] | None = None
    groups: tuple[str, ...] = ()


def evaluate_statements(
    model_folder: Path,
    data: Sequence[Path],
    out: Path,
    coded: Sequence[Path] = (),
    split: str = "validation",
    quantised: str | None = None,
    device: str = "auto",
    dtype: str = "auto",
    operating_point: str = BALANCED,
) -> str:
    """coded: folders of recordings whose files tell diagnoses, none of which the model was trained on.

    Writes results.json, statements.csv, table.md and validation.json to `out`; returns the table. validation.json, put into
    the model's folder, has its drafts say what each statement is worth. Raises DataError and ModelError.
    """
    files = coded_files(coded)
    model = load_model(model_folder, quantised, device, dtype, operating_point=operating_point)
    test = recordings_for(model.spec.encoder, data, folds_of(split))
    others = _coded(model, files)  # first, since files may not be what they should be
    held = _prepared(model, test)
    if not is_first():
        return ""
    source = str(read_manifest(Path(data[0]))["source"])
    sets = {f"{source}, {split}": held}
    for hospital, one in others:
        sets.setdefault(hospital, []).append(one)
    if len(sets) > 2:
        sets[_ALL_HOSPITALS] = [one for _, one in others]
    tables = {name: by_statement(records) for name, records in sets.items()}
    groups = worth_by_group(held)
    identity = model_identity(model, quantised), data_identity(data)
    text = _PREFACE.format(least=FEWEST_CASES, **identity[0]) + "\n".join(
        f"## {name}\n\nn = {len(sets[name])} recordings\n\n{statements_table(rows)}" for name, rows in tables.items()
    )
    text += f"\n## Groups of {next(iter(sets))}\n\nAll statements together.\n\n{groups_table(groups)}"
    validation = Validation(
        model.sha256, source, {code: tuple(row["ppv"]) for code, row in next(iter(tables.values())).items()}
    )
    extra = {
        "split": split,
        "sets": {
            name: {code: {measure: _json(of) for measure, of in row.items()} for code, row in rows.items()}
            for name, rows in tables.items()
        },
        "recordings": {name: len(records) for name, records in sets.items()},
        "groups": {name: {measure: _json(of) for measure, of in row.items()} for name, row in groups.items()},
    }
    whole = {f"statement_{name}": Metric(of.value, of.ci95) for name, of in groups["all"].items() if of.cases}
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    write_json(out / "results.json", results_json("statements", len(held), *identity, whole, extra))
    write_text(out / "statements.csv", _csv(tables))
    write_text(out / "table.md", text)
    validation.save(out)
    return text


def _prepared(model: ReportModel, test: EcgSet) -> list[Held]:
    texts = as_a_reader_gets(model, test, write_drafts(model, test))
    return gathered([_of_report(test, index, texts[index]) for index in share(len(test))])


def _of_report(test: EcgSet, index: int, text: str) -> Held:
    example = test.example(index)
    about = example.report
    has, stated = (frozenset(asserted(read_statements(words))) for words in (about.text, text))
    quality = inspect(prepared_recording(example)).verdict
    groups = ("all", *_groups_of(about), "quality: good" if quality == GOOD else "quality: limited")
    paced = "paced" if "PACE" in has else "not paced"
    return Held(has, stated, (calls_abnormal(about.text), calls_abnormal(text)), (*groups, paced))


def _groups_of(about: Report) -> list[str]:
    return [name for name, belongs in PATIENT_GROUPS.items() if belongs(about)]


def _coded(model: ReportModel, files: Sequence[tuple[Path, str]]) -> list[tuple[str, Held]]:
    """Of each file that can be drafted: its hospital, and what it has and what its draft states, as rows of the table.

    Files that cannot be read are told on the screen. Raises DataError where none can.
    """
    if not files:
        return []
    mine = [files[index] for index in share(len(files))]
    hospital = dict(mine)
    found: list[tuple[str, Held]] = []
    errors: list[str] = []
    for one in draft_paths(model, [path for path, _ in mine]):
        if one.draft is None or one.recording is None:
            errors.append(one.error or "")
        elif not one.draft.unusable:
            stated = restated(asserted(read_statements(one.draft.report)))
            found.append((hospital[one.path], Held(diagnoses(one.recording.cart.statements), stated)))
    found, errors = gathered(found), gathered(errors)
    if len(errors) == len(files):
        raise DataError(errors[0])
    if errors and is_first():
        print(f"meit: {len(errors)} of {len(files)} coded recordings are left out: {errors[0]}", file=sys.stderr)
    return found


def by_statement(records: Sequence[Held]) -> dict[str, dict[str, Proportion]]:
    """WORTHS of each code that FEWEST_CASES or more of the recordings have, the most frequent first."""
    cases: dict[str, int] = defaultdict(int)
    for one in records:
        for code in one.has:
            cases[code] += 1
    told = sorted((code for code, n in cases.items() if n >= FEWEST_CASES), key=lambda code: (-cases[code], code))
    return {code: measures([(code in one.has, code in one.stated) for one in records]) for code in told}


def measures(pairs: Sequence[tuple[bool, bool]]) -> dict[str, Proportion]:
    """(has it, states it) of each recording -> WORTHS."""
    count = {key: pairs.count(key) for key in ((True, True), (True, False), (False, True), (False, False))}
    hit, missed, false, neither = count.values()
    return {
        "sensitivity": Proportion(hit, hit + missed),
        "specificity": Proportion(neither, neither + false),
        "ppv": Proportion(hit, hit + false),
        "npv": Proportion(neither, neither + missed),
    }


def worth_by_group(records: Sequence[Held]) -> dict[str, dict[str, Proportion]]:
    """Of each group with LEAST_OF_GROUP recordings: over all statements of all of them, of those that reports have the
    share stated, and of those stated the share that reports have; and of calling the ECG abnormal."""
    names = list(dict.fromkeys(name for one in records for name in one.groups))
    found = {}
    for name in names:
        of_it = [one for one in records if name in one.groups]
        if len(of_it) < LEAST_OF_GROUP and name != "all":
            continue
        both = sum(len(one.has & one.stated) for one in of_it)
        abnormal = measures([one.abnormal for one in of_it if one.abnormal is not None])
        found[name] = {
            "sensitivity": Proportion(both, sum(len(one.has) for one in of_it)),
            "ppv": Proportion(both, sum(len(one.stated) for one in of_it)),
            "abnormal_sensitivity": abnormal["sensitivity"],
            "abnormal_specificity": abnormal["specificity"],
        }
    return found


def statements_table(rows: Mapping[str, Mapping[str, Proportion]]) -> str:
    head = ["statement", "code", "cases", *WORTHS, "ppv counted"]
    lines = [
        [
            codes()[code].description,
            code,
            str(row["sensitivity"].cases),
            *map(_cell, (row[m] for m in WORTHS)),
            str(row["ppv"]),
        ]
        for code, row in rows.items()
    ]
    return _markdown(head, lines) if lines else f"No statement has {FEWEST_CASES} cases.\n"


def groups_table(groups: Mapping[str, Mapping[str, Proportion]]) -> str:
    names = list(next(iter(groups.values())))
    return _markdown(["group", *names], [[name, *(_cell(row[m]) for m in names)] for name, row in groups.items()])


def _markdown(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    return "".join(f"| {' | '.join(line)} |\n" for line in (head, ["---"] * len(head), *lines))


def _cell(of: Proportion) -> str:
    if not of.cases:
        return ""
    low, high = of.ci95
    return f"{of.value:.2f} [{low:.2f}, {high:.2f}]"


def _json(of: Proportion) -> dict:
    value = of.value if of.cases else None
    return {"right": of.right, "cases": of.cases, "value": value, "ci95": list(of.ci95)}


def _csv(tables: Mapping[str, Mapping[str, Mapping[str, Proportion]]]) -> str:
    target = StringIO()
    to = csv.writer(target, lineterminator="\n")
    to.writerow(["set", "code", "measure", "right", "cases", "value", "low", "high"])
    for name, rows in tables.items():
        for code, row in rows.items():
            for measure, of in row.items():
                numbers = (of.value, *of.ci95) if of.cases else ("", "", "")
                to.writerow([name, code, measure, of.right, of.cases, *(n and f"{n:.4f}" for n in numbers)])
    return target.getvalue()
