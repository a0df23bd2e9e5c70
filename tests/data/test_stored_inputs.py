"""Encoder inputs of large sets lie beside their shards: the same numbers, made once, never another shard's or rule's."""

import os
import shutil

import numpy as np
import pytest
from support import write_prepared

from meit.data import batches, stored_inputs
from meit.data.batches import EcgSet
from meit.data.shards import Example, Report

EVERY = range(1, 11)


def examples(count, scale=0.3):
    rng = np.random.default_rng(0)
    for number in range(count):
        report = Report(str(number), f"p{number}", 1 + number % 10, "Text.", "", "en", 1.0)
        signal = rng.normal(0, scale, (1200 if number == 5 else 700 + number, 12)).astype(np.float32)
        signal[10:40, 3] = np.nan
        yield Example(report, signal, 100.0, "mV")


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    return write_prepared(tmp_path_factory.mktemp("stored") / "a", list(examples(120)))


@pytest.fixture
def folder(prepared, tmp_path, monkeypatch):
    """A prepared folder of its own, of which nothing is kept in memory."""
    monkeypatch.setattr(batches, "KEPT_BYTES", 0)
    return shutil.copytree(prepared, tmp_path / "a")


def files(folder):
    return sorted(path.name for path in folder.glob("*.npy"))


def test_stored_inputs_are_those_that_are_made(folder):
    data = EcgSet([folder], EVERY, 100, 10)
    asked = [5, 3, 119, 3, 0]
    made = data.inputs(asked)
    data.store_inputs()
    assert len(files(folder)) == 1
    for again in (data, EcgSet([folder], (6, 4, 10, 1), 100, 10)):  # another set reads them too, whatever its folds
        places = [again.column("record_id").index(str(number)) for number in asked]
        ecgs, masks = again.inputs(places)
        assert ecgs.tobytes() == made[0].tobytes() and masks.tobytes() == made[1].tobytes()
    assert isinstance(again._stored[0], np.memmap)  # and they are read, not made anew


def test_each_rate_and_normalisation_has_its_own(folder):
    settings = [(100, 10, "band"), (100, 10, "min-max"), (50, 10, "band"), (100, 5, "band")]
    for rate, seconds, normalisation in settings:
        data = EcgSet([folder], EVERY, rate, seconds, normalisation=normalisation)
        made = data.inputs(range(7))[0]
        data.store_inputs()
        assert np.array_equal(data.inputs(range(7))[0], made)
    assert len(files(folder)) == len(settings)


def test_they_are_written_once(folder, monkeypatch):
    EcgSet([folder], EVERY, 100, 10).store_inputs()
    (path,) = folder.glob("*.npy")
    before = path.stat().st_mtime_ns
    monkeypatch.setattr(stored_inputs, "store_one", None)
    EcgSet([folder], EVERY, 100, 10).store_inputs()
    assert path.stat().st_mtime_ns == before


def test_other_recordings_under_the_same_name_and_another_rule_make_them_anew(folder, tmp_path, monkeypatch):
    EcgSet([folder], EVERY, 100, 10).store_inputs()
    (old,) = files(folder)
    other = write_prepared(tmp_path / "b", list(examples(120, scale=0.6)))
    shutil.copy(folder / old, other / old)  # as where one folder was copied over another
    data = EcgSet([other], EVERY, 100, 10)
    assert data._stored == [None]
    data.store_inputs()
    assert len(files(other)) == 1 and files(other) != [old]  # what belongs to nothing is gone
    monkeypatch.setattr(stored_inputs, "_code", lambda: "another version")
    assert EcgSet([other], EVERY, 100, 10)._stored == [None]


def test_a_damaged_file_is_not_read(folder):
    data = EcgSet([folder], EVERY, 100, 10)
    made = data.inputs([1])[0]
    data.store_inputs()
    (path,) = folder.glob("*.npy")
    os.truncate(path, 5000)
    data = EcgSet([folder], EVERY, 100, 10)
    assert np.array_equal(data.inputs([1])[0], made)
    data.store_inputs()
    assert data._stored[0] is not None


def test_a_killed_run_leaves_nothing_that_is_read_and_is_cleared_away(folder):
    data = EcgSet([folder], EVERY, 100, 10)
    name = data._settings.path(*next(iter(data._sums.items())))
    begun = name.with_name(f".{name.stem}-0123.npy")
    begun.write_bytes(b"half")
    os.utime(begun, (0, 0))
    data.store_inputs()
    assert not begun.exists() and [path.name for path in folder.glob("*.npy")] == [name.name]


def test_without_room_they_are_made_on_the_way(folder, monkeypatch, capsys):
    monkeypatch.setattr(stored_inputs, "SPARE", 0.0)
    data = EcgSet([folder], EVERY, 100, 10)
    data.store_inputs()
    assert "has no room for encoder inputs" in capsys.readouterr().err and files(folder) == []
    assert data.inputs([0])[0].any()


def test_a_small_part_of_a_folder_and_what_is_kept_in_memory_are_not_stored(folder, monkeypatch):
    EcgSet([folder], (9, 10), 100, 10).store_inputs()
    monkeypatch.setattr(batches, "KEPT_BYTES", 10**9)
    EcgSet([folder], EVERY, 100, 10).store_inputs()
    assert files(folder) == []
