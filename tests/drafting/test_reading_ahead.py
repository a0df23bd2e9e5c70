"""What processes read and measure ahead of the model is what this process would; one that is killed costs nothing."""

import os
import pickle
import shutil
import signal

import numpy as np
import pytest

from meit.drafting import reading_ahead
from meit.drafting.examine import Examined, InputForm, examine, prepare
from meit.drafting.reading_ahead import read_ahead
from meit.ecg.files.formats import read_ecg
from meit.ecg.measure.measured_inputs import measured_inputs
from meit.errors import MeitError
from meit.spawning import spawned

FORM = InputForm(100.0, 10.0, "band", ("heart_rate_bpm", "qrs_ms", "V1 r_mv"))


@pytest.fixture(scope="module")
def paths(example, tmp_path_factory):
    """Five recordings, of which the second cannot be read."""
    folder = tmp_path_factory.mktemp("ahead")
    for file in example.parent.iterdir():
        shutil.copy(file, folder)
    whole = sorted(folder.glob("*.hea"))[:2]
    bad = folder / "bad.hea"
    bad.write_text("bad 12 500 5000\n")
    return [whole[0], bad, whole[1], whole[0], whole[1]]


@pytest.fixture
def eager(monkeypatch):
    monkeypatch.setattr(reading_ahead, "FEW", 2)
    pools = []

    def counted(*given):
        pools.append(spawned(*given))
        return pools[-1]

    monkeypatch.setattr(reading_ahead, "spawned", counted)
    return pools


def test_processes_give_what_this_process_gives_in_the_order_of_the_paths(paths, eager):
    waits = []
    alone = list(read_ahead(paths, FORM, 0, 1, 4))
    assert not eager
    ahead = list(read_ahead(iter(paths), FORM, 0, 2, 2, waits.append))
    assert len(eager) == 1 and len(waits) == len(paths) and all(seconds >= 0 for seconds in waits)
    assert [one.path for one in alone] == [one.path for one in ahead] == paths
    for here, there in zip(alone, ahead, strict=True):
        assert here.error == there.error
        if here.path.stem == "bad":
            assert there.prepared is None and "bad" in there.error
            continue
        one, other = here.prepared, there.prepared
        for name in ("ecg", "mask", "measures"):
            np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
        assert (one.windows, one.seen_s) == (other.windows, other.seen_s)
        assert one.examined.quality == other.examined.quality
        assert one.examined.measurements == other.examined.measurements
        np.testing.assert_array_equal(one.recording.signal, other.recording.signal)


def test_few_recordings_start_no_process(paths, monkeypatch):
    monkeypatch.setattr(reading_ahead, "spawned", None)
    assert len(list(read_ahead(paths, FORM, 0, 8, 4))) == len(paths)


def test_a_process_that_is_killed_costs_no_recording(paths, eager):
    read = read_ahead(paths * 3, FORM, 0, 2, 3)
    found = [next(read)]
    for pid in eager[0]._processes:
        os.kill(pid, signal.SIGKILL)
    found += read
    assert [one.path for one in found] == paths * 3
    assert [bool(one.error) for one in found] == [path.stem == "bad" for path in paths * 3]


def test_who_stops_early_leaves_no_process(paths, eager):
    read = read_ahead(paths * 3, FORM, 0, 2, 3)
    next(read)
    pids = list(eager[0]._processes)
    read.close()
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
    assert len(pids) == 2


def test_a_full_disk_goes_through_and_other_errors_cost_one_recording(paths, monkeypatch):
    def broken(error):
        def read(*_, **__):
            raise error

        monkeypatch.setattr(reading_ahead, "read_ecg", read)
        return [one.error for one in read_ahead(paths[:1], FORM, 0, 1, 4)]

    assert broken(MeitError("no ECG")) == ["no ECG"]
    assert "could not be drafted (ValueError: odd shapes); please report" in broken(ValueError("odd\n shapes"))[0]
    assert "memory does not suffice" in broken(MemoryError())[0]
    with pytest.raises(OSError, match="gone"):
        broken(OSError(5, "gone"))


def test_what_is_sent_has_measurements_and_not_the_look(example):
    recording = read_ecg(example)
    prepared = prepare(recording, FORM)
    sent = pickle.loads(pickle.dumps(prepared.examined))
    assert isinstance(sent, Examined) and "look" not in sent.__dict__ and "measurements" in sent.__dict__
    assert sent.measurements == examine(recording).measurements
    assert sent.look.beats is not None or sent.look  # found again where it is asked for
    expected = measured_inputs(prepared.ecg[None], prepared.mask[None], FORM.rate, FORM.measures)
    np.testing.assert_array_equal(prepared.measures, expected[0])
