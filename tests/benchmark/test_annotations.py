"""Drafts against annotators' codes: counted by hand, and by what a perfect and an empty draft must give."""

import json

import numpy as np
import pytest

from meit.benchmark.tasks.annotations import annotation_agreement, certainties, evaluate_annotations, read_annotations
from meit.errors import DataError

HEAD = "ecg_id,patient_id,report,scp_codes,validated_by_human\n"
TABLE = HEAD + "".join(
    f'{n},{patient},x,"{codes}",{validated}\n'
    for n, patient, codes, validated in (
        (1, 7, {"NORM": 100.0, "SR": 0.0}, True),
        (2, 7, {"LVH": 50.0, "SR": 0.0}, True),
        (3, 8, {"CLBBB": 100.0, "AFIB": 0.0}, True),
        (4, 9, {"NORM": 100.0}, False),
    )
)
DRAFTS = (
    "Sinus rhythm. Normal ECG.",
    "Sinus rhythm. Possible left ventricular hypertrophy. No atrial fibrillation.",
    "Sinus rhythm. Probable right bundle branch block.",
    "Normal ECG.",
)


@pytest.fixture
def evaluated(tmp_path):
    (tmp_path / "in").mkdir()
    rows = [{"record_id": str(n), "reference": "Sinus rhythm.", "model": text} for n, text in enumerate(DRAFTS, 1)]
    (tmp_path / "in" / "predictions.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "table.csv").write_text(TABLE)
    return tmp_path / "in"


def test_counts_by_hand(evaluated, tmp_path):
    table = evaluate_annotations(evaluated, tmp_path / "table.csv", tmp_path / "out")
    results = json.loads((tmp_path / "out" / "results.json").read_text())
    value = {name: metric["value"] for name, metric in results["metrics"].items()}
    assert results["n"] == 3 and "n = 3 human-validated" in table  # the fourth was not validated
    # stated: SR NORM | SR LVH | SR CRBBB; annotated: SR NORM | SR LVH | AFIB CLBBB
    assert value["precision"] == pytest.approx(4 / 6) and value["recall"] == pytest.approx(4 / 6)
    assert value["f1"] == pytest.approx(4 / 6)
    assert value["recall of likelihood 100"] == pytest.approx(1 / 2)  # NORM, not CLBBB
    assert value["recall of 50-99"] == 1 and value["recall of not stated"] == pytest.approx(2 / 3)
    assert "recall of 1-49" not in value  # none was annotated so
    assert value["annotated of definite"] == pytest.approx(3 / 4) and value["annotated of possible"] == 1
    assert value["annotated of probable"] == 0
    assert value["f1 of NORM"] == 1 and value["f1 of HYP"] == 1 and value["f1 of CD"] == 1 and "f1 of MI" not in value
    assert results["reference"]["recall"]["value"] == pytest.approx(2 / 6)
    # levels over NORM, LVH, CLBBB, CRBBB of 3 records; annotated, stated: 3,3 | 2,1 | 3,0 | 0,2 | 8 times 0,0
    annotated, said = np.array([3, 2, 3, 0] + [0] * 8), np.array([3, 1, 0, 2] + [0] * 8)
    chance = np.mean((annotated[:, None] - said) ** 2)
    assert value["weighted_kappa"] == pytest.approx(1 - np.mean((annotated - said) ** 2) / chance)


def test_intervals_are_over_patients():
    texts = ["Normal ECG.", ""] * 20
    annotated = [{"NORM": 100.0}] * 40
    apart = annotation_agreement(texts, annotated, np.arange(40))["recall"]
    together = annotation_agreement(texts, annotated, np.repeat(np.arange(20), 2))[
        "recall"
    ]  # one patient has both kinds
    assert apart.value == together.value == 0.5
    assert apart.ci95[0] < 0.4 and together.ci95 == (0.5, 0.5)


def test_perfect_and_empty_drafts():
    annotated = [{"NORM": 100.0}, {"LAFB": 100.0}, {"IRBBB": 100.0}]
    right = ["Normal ECG.", "Left anterior fascicular block.", "Incomplete right bundle branch block."]
    patients = np.arange(3)
    perfect = annotation_agreement(right, annotated, patients)
    assert {name: metric.value for name, metric in perfect.items()} == dict.fromkeys(perfect, 1.0)
    assert perfect["weighted_kappa"].value == 1.0
    empty = annotation_agreement([""] * 3, annotated, patients)
    assert empty["recall"].value == 0 and empty["f1"].value == 0 and "precision" not in empty
    assert empty["weighted_kappa"].value == 0


def test_certainty_is_the_highest_stated():
    text = "Possible left ventricular hypertrophy. Left ventricular hypertrophy. No atrial fibrillation."
    assert certainties(text) == {"LVH": 3}


def test_tables_that_are_none(evaluated, tmp_path):
    out = tmp_path / "out"
    with pytest.raises(DataError, match="give PTB-XL's ptbxl_database.csv"):
        evaluate_annotations(evaluated, tmp_path / "absent.csv", out)
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    with pytest.raises(DataError, match="has not the columns of PTB-XL's"):
        evaluate_annotations(evaluated, tmp_path / "other.csv", out)
    (tmp_path / "broken.csv").write_text(HEAD + "1,2,x,{broken,True\n")
    with pytest.raises(DataError, match="has not the columns"):
        evaluate_annotations(evaluated, tmp_path / "broken.csv", out)
    (tmp_path / "strange.csv").write_text(HEAD + '77,2,x,"{}",True\n')
    with pytest.raises(DataError, match="no drafted record is human-validated"):
        evaluate_annotations(evaluated, tmp_path / "strange.csv", out)
    assert not out.exists()


def test_the_official_table(shared):
    annotations = read_annotations(shared / "ptb-xl" / "ptbxl_database.csv")
    assert len(annotations) == 16_094
    assert annotations["2"] == ("13243", {"NORM": 80.0, "SBRAD": 0.0})
