"""Task `statements`: counts by hand, others' diagnoses as statements, and the whole command on a tiny model."""

import csv
import json

import numpy as np
import pytest
from support import write_prepared

from meit.benchmark.task_table import run_task
from meit.benchmark.tasks.coded_recordings import coded_files, coded_statements, diagnoses, restated
from meit.benchmark.tasks.statement_worth import FEWEST_CASES, Held, by_statement, measures, worth_by_group
from meit.data.shards import read_examples
from meit.drafting import report_writing
from meit.drafting.calibration.confidence import Validation, load_validation
from meit.drafting.checks.grounding import Grounded
from meit.errors import DataError
from meit.reports.statements import Statement, codes, read_statements


def test_the_four_counts():
    pairs = [(True, True)] * 6 + [(True, False)] * 2 + [(False, True)] * 3 + [(False, False)] * 9
    found = {name: tuple(of) for name, of in measures(pairs).items()}
    assert found == {"sensitivity": (6, 8), "specificity": (9, 12), "ppv": (6, 9), "npv": (9, 11)}


def test_only_statements_with_enough_cases_the_most_frequent_first():
    records = [Held(frozenset({"SR", "LAD"}), frozenset({"SR"}))] * FEWEST_CASES
    records += [Held(frozenset({"SR", "AFIB"}), frozenset({"AFIB"}))] * (FEWEST_CASES - 1)
    found = by_statement(records)
    assert list(found) == ["SR", "LAD"] and found["SR"]["sensitivity"] == (5, 9)
    assert found["LAD"]["ppv"] == (0, 0) and found["LAD"]["npv"] == (4, 9)


def test_groups_with_too_few_recordings_are_left_out():
    one = Held(frozenset({"SR", "AFIB"}), frozenset({"SR"}), (True, False), ("all", "women"))
    few = Held(frozenset({"SR"}), frozenset({"SR", "LAD"}), (False, False), ("all", "paced"))
    found = worth_by_group([one] * 20 + [few] * 3)
    assert list(found) == ["all", "women"]
    assert found["women"] == {
        "sensitivity": (20, 40),
        "ppv": (20, 20),
        "abnormal_sensitivity": (0, 20),
        "abnormal_specificity": (0, 0),
    }
    assert found["all"]["ppv"] == (23, 26) and found["all"]["abnormal_specificity"] == (3, 3)


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        (["426177001,270492004", "59118001"], {"SBRAD", "1AVB", "CRBBB"}),
        (["164909002"], {"CLBBB"}),
        (["1234567890"], set()),
        (["Rhythm: Sinus rhythm.", "I degree AV block.", "Left atrial overload."], {"SR", "1AVB", "LAO/LAE"}),
        (["III degree AV-block.", "Incomplete right bundle branch block."], {"3AVB", "IRBBB"}),
        (["Scar formation: inferior wall."], {"MI"}),
        ([], set()),
    ],
)
def test_diagnoses_of_others(statements, expected):
    assert diagnoses(statements) == expected


def test_the_table_names_codes_and_each_snomed_code_once():
    rows = coded_statements()
    assert {code for row in rows for code in row.stated_as} <= codes().keys()
    snomed = [code for row in rows for code in row.snomed]
    assert len(set(snomed)) == len(snomed) and all(row.snomed or row.words for row in rows)
    assert restated({"LPR", "IMI"}) == {"1AVB", "MI"}


def test_hospitals_by_the_letters_of_a_challenge(tmp_path):
    for name in ("JS00001", "E00001", "A0001", "HR00001", "7"):
        (tmp_path / f"{name}.hea").touch()
    found = {path.stem: hospital for path, hospital in coded_files([tmp_path])}
    assert found == {"JS00001": "Chapman", "E00001": "Georgia", "A0001": "CPSC", "7": tmp_path.name}  # PTB-XL left out
    (tmp_path / "none").mkdir()
    with pytest.raises(DataError, match="no recording"):
        coded_files([tmp_path / "none"])


def test_shared_recordings_have_the_diagnoses_that_are_known(shared):
    from meit.ecg import read_ecg

    ludb = [read_ecg(path).cart.statements for path, _ in coded_files([shared / "ludb"])]
    counts = [sum(code in diagnoses(one) for one in ludb) for code in ("SR", "SBRAD", "AFIB", "1AVB", "LVH", "IRBBB")]
    assert counts == [73, 13, 8, 6, 56, 14]  # lines of the headers, counted with grep


def test_worth_in_words():
    validation = Validation("x", "PTB-XL", {"AFIB": (43, 53)})
    said = Grounded(read_statements("Atrial fibrillation.")[0])
    assert validation.words(said) == "PPV .81, 43 of 53 (PTB-XL)"
    assert validation.words(Grounded(read_statements("No atrial fibrillation.")[0])) == ""
    assert validation.words(Grounded(Statement("SR", "sinus rhythm", 0, 12))) == ""


def test_the_command(build, simulated, tmp_path, example, monkeypatch):
    """A tiny model's drafts say nothing: sensitivity 0, specificity 1; and a draft says what was counted."""
    from dataclasses import replace

    from meit.drafting.draft import Draft, draft_report
    from meit.ecg import read_ecg
    from meit.model.report_model import load_model

    monkeypatch.setattr(report_writing, "MAX_NEW_TOKENS", 4)
    said = {"fast": "Atrial fibrillation.", "slow": "Normal ECG."}
    examples = [replace(x, report=replace(x.report, text=said[x.report.text])) for x in read_examples(simulated)]
    data = write_prepared(tmp_path / "data", examples)
    build("llama").save(tmp_path / "model")
    signal = (np.sin(np.arange(5000) / 40)[:, None] * np.ones(12)).astype(np.float32)
    coded = tmp_path / "coded"
    coded.mkdir()
    import wfdb

    wfdb.wrsamp(
        "JS00001",
        500,
        ["mV"] * 12,
        ["I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6"],
        signal,
        fmt=["16"] * 12,
        comments=["Dx: 164889003"],
        write_dir=str(coded),
    )
    options = {"model_folder": tmp_path / "model", "data": [data], "out": tmp_path / "out", "split": "all"}
    text = run_task("statements", options | {"quantised": None, "device": "cpu", "dtype": "auto", "coded": [coded]})
    assert "\n## simulated, all\n\nn = 30 recordings" in text and (tmp_path / "out" / "table.md").read_text() == text
    results = json.loads((tmp_path / "out" / "results.json").read_text())
    of = results["sets"]["simulated, all"]
    assert of["AFIB"]["sensitivity"] | {"ci95": 0} == {"right": 0, "cases": 15, "value": 0.0, "ci95": 0}
    assert of["NORM"]["specificity"]["right"] == of["NORM"]["specificity"]["cases"] == 15
    rows = list(csv.DictReader((tmp_path / "out" / "statements.csv").open()))
    assert len(rows) == 8 and {row["code"] for row in rows} == {"AFIB", "NORM"}
    model = load_model(tmp_path / "model", device="cpu")
    assert load_validation(tmp_path / "out", model.sha256).ppv == {"AFIB": [0, 0], "NORM": [0, 0]}
    assert load_validation(tmp_path / "out", "another") is None
    Validation(model.sha256, "PTB-XL", {"SR": (3, 4)}).save(tmp_path / "model")
    monkeypatch.setattr("meit.drafting.draft.write_reports", lambda model, given, *_: ["Sinus rhythm."] * len(given))
    draft = draft_report(model, read_ecg(example))
    assert draft.statements[0].worth == "PPV .75, 3 of 4 (PTB-XL)" and "3 of 4 (PTB-XL)" in draft.to_text()
    assert Draft.from_dict(draft.to_dict()) == draft
