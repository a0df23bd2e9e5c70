"""Sets of prepared recordings: which ones, in which order, from the disk or kept, the same numbers."""

from dataclasses import replace

import numpy as np
import pytest
from support import write_prepared

from meit.data import batches
from meit.data.batches import EcgSet
from meit.data.shards import Example, Report, read_examples
from meit.ecg.signal.windowing import model_input
from meit.errors import DataError


def examples(ids, seed=0, length=1000):
    rng = np.random.default_rng(seed)
    for number, name in enumerate(ids):
        report = Report(
            name, f"p{name}", 1 + number % 10, f"Text {name}.", "", "en", 1.0, {"NORM": 100.0}, measurements={"rr": 1.5}
        )
        signal = rng.normal(0, 0.3, (length, 12)).astype(np.float32)
        signal[10:14, 3] = np.nan
        yield Example(report, signal, 100.0, "mV")


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    root = tmp_path_factory.mktemp("sets")
    first = list(examples([str(n) for n in range(250, 0, -1)]))
    # the same record in another folder, and some that only it has
    second = [replace(e, signal=e.signal * 2) for e in examples(["7", "300", "1000", "31"], seed=1)]
    return write_prepared(root / "a", first), write_prepared(root / "b", second)


def test_each_record_once_in_order_of_id_the_first_folder_counts(folders):
    data = EcgSet(folders, range(1, 11), 100, 10)
    ids = data.column("record_id")
    assert ids == [str(n) for n in range(1, 251)] + ["300", "1000"]
    stored = {e.report.record_id: e for e in read_examples(folders[0])}
    for index in (0, 6, 30, 249):
        assert data.report(index) == stored[ids[index]].report
        assert np.array_equal(data.signals([index])[0][0], stored[ids[index]].signal, equal_nan=True)
    assert data.patients[6] == "p7" and data.texts[6] == "Text 7." and next(data.reports).measurements == {"rr": 1.5}


def test_folds_are_chosen(folders):
    data = EcgSet(folders[:1], (9, 10), 100, 10)
    assert len(data) == 50 and set(data.column("fold")) == {9, 10}
    with pytest.raises(DataError, match=r"no recording of folds \[11\]"):
        EcgSet(folders, (11,), 100, 10)


def test_a_share_is_of_patients_and_lies_within_a_larger_one(folders):
    whole, third, tenth = (set(EcgSet(folders, range(1, 11), 100, 10, share).patients) for share in (1.0, 0.3, 0.1))
    assert tenth < third < whole
    assert len(third) / len(whole) == pytest.approx(0.3, abs=0.08)
    with pytest.raises(DataError, match="no recording"):
        EcgSet(folders, range(1, 11), 100, 10, 0.0)


def test_kept_and_unkept_inputs_are_the_same(folders, monkeypatch):
    kept = EcgSet(folders, range(1, 11), 100, 10)
    monkeypatch.setattr(batches, "KEPT_BYTES", 0)
    unkept = EcgSet(folders, range(1, 11), 100, 10)
    assert kept.keeps_inputs and not unkept.keeps_inputs
    for part in ([3, 3, 200], [5], [200, 3, 7]):
        ours, theirs = kept.inputs(part), unkept.inputs(part)
        assert np.array_equal(ours[0], theirs[0]) and np.array_equal(ours[1], theirs[1])
        signal = kept.signals(part)[-1]
        assert np.array_equal(ours[0][-1], model_input(*signal, 100, 10)[0][0])


def test_workers_make_the_same_batches(folders, monkeypatch):
    from meit.model.encoders.encoding import loaded, workers

    parts = [np.array([1, 2]), np.array([9]), np.array([200, 4, 4])]
    kept = EcgSet(folders, range(1, 11), 100, 10)
    monkeypatch.setattr(batches, "KEPT_BYTES", 0)
    unkept = EcgSet(folders, range(1, 11), 100, 10)
    assert workers(kept) == 0 and workers(unkept) > 0
    for (ours, mask, none), (theirs, other, _) in zip(loaded(kept, parts), loaded(unkept, parts), strict=True):
        assert ours.equal(theirs) and mask.equal(other) and none.shape == (len(ours), 0)


def test_signals_are_read_where_they_lie(folders):
    """A shard's memory is the file's: nothing is copied until a signal is asked for."""
    import pyarrow as pa

    before = pa.total_allocated_bytes()
    data = EcgSet(folders, range(1, 11), 100, 10)
    data.signals(range(50))
    assert pa.total_allocated_bytes() - before < 100_000  # of 6 MB


@pytest.mark.parametrize(("rate", "bound"), [(100, 0.2), (250, 0.2), (500, 0.2)])
def test_int16_loses_less_than_a_fifth_of_a_microvolt(shared, rate, bound):
    """Root mean square, over real recordings at each rate; a cart's own steps are 1 to 5 microvolts."""
    from meit.data.shards import from_int16, to_int16
    from meit.ecg import read_ecg
    from meit.ecg.signal.resampling import resample

    errors = []
    for path in sorted((shared / "mimic-iv-ecg" / "files").rglob("*.hea"))[:20]:
        recording = read_ecg(path)
        signal = resample(recording.signal, recording.rate, rate)
        errors.append(np.sqrt(np.nanmean((from_int16(*to_int16(signal)) - signal) ** 2)))
    assert 0 < np.max(errors) * 1000 < bound
