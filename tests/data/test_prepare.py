"""Prepared shards hold what the sources hold."""

import numpy as np
import pytest

from meit.data.batches import EcgSet
from meit.data.shards import from_int16, read_examples, read_manifest, read_reports, sha256, to_int16
from meit.data.sources import array_file, ptb_xl
from meit.ecg.signal.windowing import model_input
from meit.errors import DataError


@pytest.fixture(scope="module")
def source(shared, tmp_path_factory):
    """PTB-XL with the recordings that are at hand, and every 16th row of its table besides theirs."""
    import pandas as pd

    folder = tmp_path_factory.mktemp("ptb-xl")
    table = pd.read_csv(shared / "ptb-xl" / ptb_xl.PTB_XL_TABLE)
    table[(table["ecg_id"] <= 500) | (table["ecg_id"] % 16 == 0)].to_csv(folder / ptb_xl.PTB_XL_TABLE, index=False)
    for part in (shared / "ptb-xl").iterdir():
        if part.name != ptb_xl.PTB_XL_TABLE:
            (folder / part.name).symlink_to(part)
    return folder


@pytest.fixture(scope="module")
def prepared(shared, source, tmp_path_factory):
    folder = tmp_path_factory.mktemp("prepared")
    ptb_xl.prepare(source, folder / "raw", challenge=shared / "cinc2021")
    file = next((shared / "ptb-xl-zscored").glob("*.npz"))
    array_file.prepare(file, source / ptb_xl.PTB_XL_TABLE, folder / "zscored", "z")
    return folder


def test_int16_is_exact_to_a_thousandth_of_the_peak_and_keeps_gaps():
    signal = np.random.default_rng(0).normal(size=(1000, 12)).astype(np.float32)
    signal[10:20, 3] = np.nan
    signal[:, 7] = 0
    back = from_int16(*to_int16(signal))
    assert np.array_equal(np.isnan(signal), np.isnan(back))
    assert np.nanmax(np.abs(signal - back)) < 1e-4


def test_the_manifest_adds_up(prepared, source):
    import pandas as pd

    for name in ("raw", "zscored"):
        manifest = read_manifest(prepared / name)
        assert manifest["recordings"] == sum(manifest["recordings_by_fold"].values())
        for file, digest in manifest["sha256"].items():
            assert sha256(prepared / name / file) == digest
    raw = read_manifest(prepared / "raw")
    gone = raw["dropped"]["no recording file"]
    assert raw["recordings"] + gone == raw["reports"]
    assert (
        raw["reports"] + raw["dropped"]["no report in the text"]
        == len(pd.read_csv(source / ptb_xl.PTB_XL_TABLE))
        > 1_700
    )


def test_signals_are_those_of_the_files(prepared, shared):
    from meit.ecg import read_ecg
    from meit.ecg.signal.resampling import resample

    example = next(read_examples(prepared / "raw"))
    recording = read_ecg(shared / "ptb-xl" / "records500" / "00000" / f"{int(example.report.record_id):05d}_hr")
    signal = resample(recording.signal, recording.rate, example.rate)
    assert np.nanmax(np.abs(example.signal - signal)) < 1e-3  # mV


def test_both_sources_look_alike_to_the_encoder(prepared):
    """A z-scored recording and the same one in mV: the limb leads' ratio, lost by z-scoring, is recovered."""
    raw = {e.report.record_id: e for e in read_examples(prepared / "raw")}
    pairs = [(raw[e.report.record_id], e) for e in read_examples(prepared / "zscored") if e.report.record_id in raw]
    assert len(pairs) > 20
    likeness, ratio = [], []
    for one, other in pairs:
        a, b = (model_input(e.signal, e.rate, e.unit, 100, 10)[0][0] for e in (one, other))
        likeness.append(np.corrcoef(a.ravel(), b.ravel())[0, 1])
        ratio.append(np.abs(np.log(a[:, :6].std(0) / b[:, :6].std(0))).max())
    assert np.median(likeness) > 0.99
    assert np.median(ratio) < 0.05


def test_no_patient_is_in_two_splits_and_no_record_twice(prepared):
    sets = [EcgSet([prepared / "raw", prepared / "zscored"], folds, 100, 10) for folds in (range(1, 9), [9], [10])]
    patients = [set(part.patients) for part in sets]
    assert not patients[0] & patients[1] and not patients[0] & patients[2] and not patients[1] & patients[2]
    ids = [report.record_id for part in sets for report in part.reports]
    assert len(ids) == len(set(ids))
    assert next(len(part) for part in sets) > 400


def test_all_reports_are_kept_for_text_training(prepared):
    reports = read_reports(prepared / "raw", range(1, 9))
    assert len(reports) > 1_200 and {report.fold for report in reports} == set(range(1, 9))


def test_bad_input_is_named(tmp_path, shared):
    with pytest.raises(DataError, match="does not exist"):
        ptb_xl.prepare(tmp_path, tmp_path / "out")
    (tmp_path / ptb_xl.PTB_XL_TABLE).write_text("a,b\n1,2\n")
    with pytest.raises(DataError, match="has no column ecg_id"):
        ptb_xl.prepare(tmp_path, tmp_path / "out")
    (tmp_path / "x.npz").write_bytes(b"nothing")
    with pytest.raises(DataError, match="no .npz"):
        array_file.prepare(tmp_path / "x.npz", shared / "ptb-xl" / ptb_xl.PTB_XL_TABLE, tmp_path / "out", "z")
    with pytest.raises(DataError, match="not a prepared data folder"):
        read_manifest(tmp_path / "out")


def test_only_recordings_that_were_asked_for_are_counted_as_dropped(shared, tmp_path):
    """An array of five: two of PTB-XL's whole table with a report, one whose text is none, and two that it lacks."""
    import pandas as pd

    from meit.reports.clean import clean_report

    table = pd.read_csv(shared / "ptb-xl" / ptb_xl.PTB_XL_TABLE)
    none = next(row.ecg_id for row in table.itertuples() if clean_report(str(row.report)) is None)
    ids = [1, 2, none, 99_001, 99_002]
    x = np.random.default_rng(0).integers(-300, 300, (len(ids), 1000, 12), dtype=np.int16)
    leads = ["I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6"]
    np.savez(tmp_path / "five.npz", ecg_id=ids, x=x, scale=0.001, leads=leads, fs=100)
    manifest = array_file.prepare(
        tmp_path / "five.npz", shared / "ptb-xl" / ptb_xl.PTB_XL_TABLE, tmp_path / "out", "mV"
    )
    assert manifest["recordings"] == 2
    assert manifest["dropped"] == {"recording without a row in the table": 2, ptb_xl.WITHOUT_REPORT: 1}
