"""MIMIC-IV-ECG's two tables become reports with files: on the shared records, and on small tables with faults."""

from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from meit.data.shards import read_examples
from meit.data.sources.mimic_iv_ecg import (
    MACHINE_REPORTS,
    MEASUREMENT_NAMES,
    MEASUREMENTS,
    RECORD_LIST,
    planned,
    possible,
    prepare,
)
from meit.data.splits import SPLITS, fold_of
from meit.ecg.files.formats import read_ecg
from meit.errors import DataError

NOT_MEASURED = {"p_end_ms": 24, "p_onset_ms": 14, "p_axis_deg": 14}  # 29999 in the shared table
MEASURED = dict(zip(MEASUREMENTS, (800, 40, 150, 200, 290, 600, 50, 10, 40), strict=True))


def _record(study, subject=10_000_001):
    path = f"files/p1000/p{subject}/s{study}/{study}"
    return {"subject_id": subject, "study_id": study, "file_name": study, "ecg_time": "2150-01-01", "path": path}


def _machine(study, *lines, subject=10_000_001, **measured):
    reports = {f"report_{number}": (lines[number] if number < len(lines) else None) for number in range(18)}
    return {"subject_id": subject, "study_id": study, "cart_id": 1, **reports, **MEASURED, **measured}


@pytest.fixture
def write(tmp_path):
    def make(records: list[dict], machine: list[dict]) -> Path:
        pd.DataFrame(records).to_csv(tmp_path / RECORD_LIST, index=False)
        pd.DataFrame(machine).to_csv(tmp_path / MACHINE_REPORTS, index=False)
        return tmp_path

    return make


def _plan(source, **settings):
    drops = Counter()
    return list(planned(source, drops, **settings)), drops


def test_shared_records(shared):
    source = shared / "mimic-iv-ecg"
    plan, drops = _plan(source)
    table = pd.read_csv(source / RECORD_LIST)
    assert [report.record_id for report, _ in plan] == [str(study) for study in table["study_id"]]
    assert [path for _, path in plan] == [source / f"{path}.hea" for path in table["path"]]
    assert not drops
    assert {name: sum(name not in report.measurements for report, _ in plan) for name in NOT_MEASURED} == NOT_MEASURED
    machine = pd.read_csv(source / MACHINE_REPORTS).set_index("study_id")
    for report, _ in plan:
        row = machine.loc[int(report.record_id)]
        lines = [row[f"report_{number}"] for number in range(18)]
        assert report.source_text == "\n".join(line for line in lines if isinstance(line, str))
        assert report.patient_id == str(row["subject_id"])
        known = {name: row[column] for column, (name, _, _) in MEASUREMENTS.items() if row[column] != 29999}
        assert report.measurements == known
        assert (report.language, report.coverage, report.age, report.sex, report.codes) == ("en", 1.0, None, None, {})


def test_a_planned_file_is_the_patients_recording(shared):
    plan, _ = _plan(shared / "mimic-iv-ecg")
    for report, path in plan[:5]:
        recording = read_ecg(path)
        assert recording.name == report.record_id and not recording.missing
        assert f"<subject_id>: {report.patient_id}" in path.read_text()


def test_prepared_signals_are_the_recordings_by_lead_name(shared, tmp_path):
    source = shared / "mimic-iv-ecg"
    manifest = prepare(source, tmp_path / "out", rate=500)
    plan, drops = _plan(source)
    assert (manifest["recordings"], manifest["reports"], manifest["unit"]) == (99, 99, "mV")
    assert manifest["dropped"] == drops
    for example, (report, path) in zip(read_examples(tmp_path / "out"), plan, strict=True):
        assert (example.report.record_id, example.report.text, example.report.measurements) == (
            report.record_id,
            report.text,
            report.measurements,
        )
        error = example.signal - read_ecg(path).signal
        assert np.nanmax(np.abs(error)) < 1e-3  # mV


def test_the_order_is_the_record_lists_and_files_may_be_absent(write):
    source = write([_record(3), _record(1), _record(2)], [_machine(study, "Sinus rhythm") for study in (1, 2, 3)])
    header = source / _record(1)["path"]
    header.parent.mkdir(parents=True)
    header.with_suffix(".hea").write_text("")
    plan, drops = _plan(source)
    assert [report.record_id for report, _ in plan] == ["3", "1", "2"]
    assert [path for _, path in plan] == [None, header.with_suffix(".hea"), None]
    assert not drops


def test_unusable_rows_are_counted_by_reason(write):
    records = [_record(study) for study in (1, 2, 3, 4, 5, 5, 6)] + [_record(7) | {"path": None}]
    machine = [
        _machine(1, "Sinus rhythm.", "", "Borderline EKG"),
        _machine(2),
        _machine(3, "PR 160 QRS 90"),
        _machine(4, "--- Recording unsuitable for analysis - please repeat ---"),
        _machine(5, "Atrial flutter"),
        _machine(5, "Sinus rhythm"),
        _machine("none", "Sinus rhythm"),
        _machine(7, "Sinus rhythm"),
    ]
    plan, drops = _plan(write(records, machine))
    assert {report.record_id: report.text for report, _ in plan} == {
        "1": "Sinus rhythm. Borderline ECG.",
        "5": "Atrial flutter.",
    }
    assert plan[0][0].source_text == "Sinus rhythm.\nBorderline EKG"
    assert drops == {
        "empty report": 1,
        "no finding, only measurement": 1,
        "no finding, only data quality": 1,
        "study listed twice in machine_measurements.csv": 1,
        "study listed twice in record_list.csv": 1,
        "malformed row of machine_measurements.csv": 1,
        "malformed row of record_list.csv": 1,
        "no machine report": 1,
    }


def test_lines_may_begin_anywhere(write):
    source = write([_record(1), _record(2)], [_machine(1, "", "Sinus rhythm", "", "Normal ECG"), _machine(2, "", "")])
    plan, drops = _plan(source)
    assert [report.source_text for report, _ in plan] == ["Sinus rhythm\nNormal ECG"]
    assert drops == {"empty report": 1}


def test_rows_of_another_length_are_left_out(write):
    source = write([_record(1), _record(2)], [_machine(1, "Sinus rhythm"), _machine(2, "Sinus rhythm")])
    with open(source / MACHINE_REPORTS, "a") as file:
        file.write("3,4,5\n")
    with open(source / RECORD_LIST, "a") as file:
        file.write("1,2,3,4,5,6,7\n")
    plan, drops = _plan(source)
    assert len(plan) == 2
    assert drops == {f"malformed row of {MACHINE_REPORTS}": 1, f"malformed row of {RECORD_LIST}": 1}


@pytest.mark.parametrize(
    ("bad", "left_out"),
    [
        ({"rr_interval": 29999}, {"rr_interval_ms"}),
        ({"rr_interval": 199}, {"rr_interval_ms"}),
        ({"rr_interval": 3001}, {"rr_interval_ms"}),
        ({"rr_interval": None}, {"rr_interval_ms"}),
        ({"rr_interval": "n/a"}, {"rr_interval_ms"}),
        ({"rr_interval": 200}, set()),
        ({"qrs_axis": -181}, {"qrs_axis_deg"}),
        ({"t_axis": 361}, {"t_axis_deg"}),
        ({"p_axis": -180, "t_axis": 360}, set()),
        ({"p_onset": -1}, {"p_onset_ms"}),
        ({"p_onset": 150}, {"p_onset_ms", "p_end_ms"}),
        ({"p_end": 210}, {"p_onset_ms", "p_end_ms"}),
        ({"p_end": 29999}, {"p_end_ms"}),
        ({"qrs_end": 200}, {"qrs_onset_ms", "qrs_end_ms"}),
        ({"qrs_end": 601}, {"qrs_onset_ms", "qrs_end_ms"}),
        ({"t_end": 280}, {"t_end_ms"}),
        ({"t_end": 1500}, {"t_end_ms"}),
    ],
)
def test_impossible_measurements_are_left_out(write, bad, left_out):
    plan, _ = _plan(write([_record(1)], [_machine(1, "Sinus rhythm", **bad)]))
    measurements = plan[0][0].measurements
    assert set(MEASUREMENT_NAMES) - set(measurements) == left_out
    written = {name: (MEASURED | bad)[column] for column, (name, _, _) in MEASUREMENTS.items()}
    assert measurements == {name: value for name, value in written.items() if name not in left_out}


def test_possible_measurements_stay_as_they_are():
    row = np.array([list(MEASURED.values())], dtype=np.float32)
    assert np.array_equal(possible(row), row)


def test_patients_stay_together_and_the_shares_are_80_10_10(write):
    subjects = range(10_000_000, 10_005_000)
    records = [_record(2 * subject + half, subject) for half in (0, 1) for subject in subjects]
    machine = [_machine(record["study_id"], "Sinus rhythm", subject=record["subject_id"]) for record in records]
    plan, _ = _plan(source := write(records, machine))
    folds = {}
    for report, _ in plan:
        folds.setdefault(report.patient_id, set()).add(report.fold)
    assert len(folds) == 5000 and all(len(fold) == 1 for fold in folds.values())
    for split, share in (("train", 0.8), ("validation", 0.1), ("test", 0.1)):
        found = sum(fold <= set(SPLITS[split]) for fold in folds.values()) / len(folds)
        assert abs(found - share) < 4 * (share * (1 - share) / len(folds)) ** 0.5  # four standard errors
    again, _ = _plan(source)
    other, _ = _plan(source, seed=1)
    assert [report.fold for report, _ in again] == [report.fold for report, _ in plan]
    assert [report.fold for report, _ in other] != [report.fold for report, _ in plan]


def test_large_tables_in_another_order_are_joined_by_study(write):
    studies = np.random.default_rng(0).permutation(15_000) + 40_000_000
    machine = [_machine(study, f"Finding {study}", rr_interval=500 + study % 1000) for study in studies]
    source = write([_record(study) for study in sorted(studies)], machine)
    assert (source / MACHINE_REPORTS).stat().st_size > 2**20  # Arrow reads it in several pieces
    plan, drops = _plan(source)
    assert [report.record_id for report, _ in plan] == [str(study) for study in sorted(studies)]
    for report, _ in plan:
        assert report.source_text == f"Finding {report.record_id}"
        assert report.measurements["rr_interval_ms"] == 500 + int(report.record_id) % 1000
    assert not drops


def test_folds_are_the_same_on_every_machine():
    assert [fold_of("10000032", seed) for seed in range(5)] == [3, 1, 9, 6, 6]


@pytest.mark.parametrize("name", [RECORD_LIST, MACHINE_REPORTS])
def test_a_missing_table_is_named(write, name):
    source = write([_record(1)], [_machine(1, "Sinus rhythm")])
    (source / name).unlink()
    with pytest.raises(DataError, match=rf"{name}.*SOURCE must hold") as error:
        _plan(source)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("name", "column"),
    [
        (RECORD_LIST, "path"),
        (RECORD_LIST, "subject_id"),
        (MACHINE_REPORTS, "study_id"),
        (MACHINE_REPORTS, "report_0"),
        (MACHINE_REPORTS, "qrs_axis"),
    ],
)
def test_a_missing_column_is_named(write, name, column):
    source = write([_record(1)], [_machine(1, "Sinus rhythm")])
    pd.read_csv(source / name).drop(columns=column).to_csv(source / name, index=False)
    with pytest.raises(DataError, match=rf"{name} has no column {column}"):
        _plan(source)


@pytest.mark.parametrize("content", [b"", b"\x00\xff\xfe\x00", b"PK\x03\x04 not a table"])
def test_another_file_is_no_table(write, content):
    source = write([_record(1)], [_machine(1, "Sinus rhythm")])
    (source / MACHINE_REPORTS).write_bytes(content)
    with pytest.raises(DataError, match=MACHINE_REPORTS):
        _plan(source)


def test_a_table_without_rows_or_with_broken_text_is_refused(write):
    source = write([_record(1)], [_machine(1, "Sinus rhythm")])
    whole = (source / MACHINE_REPORTS).read_bytes()
    (source / MACHINE_REPORTS).write_bytes(whole.splitlines()[0] + b"\n")
    with pytest.raises(DataError, match="get it again"):
        _plan(source)
    (source / MACHINE_REPORTS).write_bytes(whole.replace(b"Sinus", b"Sin\xffs"))
    with pytest.raises(DataError, match="get it again"):
        _plan(source)


def test_a_table_without_its_last_report_columns_will_do(write):
    source = write([_record(1)], [_machine(1, "Sinus rhythm", "Normal ECG")])
    table = pd.read_csv(source / MACHINE_REPORTS)
    table.drop(columns=[f"report_{number}" for number in range(2, 18)]).to_csv(source / MACHINE_REPORTS, index=False)
    assert _plan(source)[0][0][0].text == "Sinus rhythm. Normal ECG."
