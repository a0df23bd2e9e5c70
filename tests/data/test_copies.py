"""The same ECG in two splits: the copy of the earlier split is taken out and counted, whatever makes the shards."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from meit.data import prepare as preparing
from meit.data.copies import Copy, alike, same_recording
from meit.data.leaks import find_leaks
from meit.data.prepare import COPIED, prepare
from meit.data.prepare_settings import PrepareSettings, Read
from meit.data.shards import Report, read_examples, read_manifest
from meit.data.sources import ptb_xl

SETTINGS = PrepareSettings("examples", "here", 100)
ECGS = 4  # different ones, each a train recording and one of another split


def made_ecg(place: str, settings: PrepareSettings) -> Read:
    """SEED or SEED+noise -> beats whose times and shapes the seed draws."""
    seed, _, noise = place.partition("+")
    rng = np.random.default_rng(int(seed))
    time = np.arange(1000) / 100
    beats = np.cumsum(rng.uniform(0.6, 1.2, 20))
    shape = np.exp(-((time[:, None] - beats) ** 2) / rng.uniform(0.0005, 0.003)).sum(1)
    signal = shape[:, None] * rng.normal(0, 1, 12) + rng.normal(0, 0.02, (1000, 12))
    if noise:
        signal[-20:] += 0.05 * np.random.default_rng(1).normal(size=(20, 12))
    return Read(signal.astype(np.float32))


def planned(folds_of_copies=(9, 10, 1, 2)):
    """Recordings 0-3 in folds 1-4, 10-13 the same ECGs under other patients, 20-1220 all different, train."""
    for number in range(ECGS):
        yield Report(str(number), f"p{number}", 1 + number, "Text.", "", "en", 1.0), str(number)
    for number in range(20, 1221):
        yield Report(str(number), f"p{number}", 1 + number % 8, "Text.", "", "en", 1.0), str(number)
    for number, fold in enumerate(folds_of_copies):
        yield Report(str(10 + number), f"q{number}", fold, "Text.", "", "en", 1.0), f"{number}+"


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    out = tmp_path_factory.mktemp("whole")
    return out, prepare(planned(), Counter(), out, SETTINGS, read=made_ecg)


def test_the_copy_in_train_is_dropped_and_counted_and_a_copy_within_a_split_stays(whole):
    out, manifest = whole
    assert manifest["dropped"] == {COPIED: 2}
    assert manifest["copies"] == [
        {"record_id": "0", "split": "train", "original": "10", "original_split": "validation"},
        {"record_id": "1", "split": "train", "original": "11", "original_split": "test"},
    ]
    ids = [example.report.record_id for example in read_examples(out)]
    assert len(ids) == manifest["recordings"] == manifest["reports"] - 2
    assert set(range(1221)) - set(map(int, ids)) == {0, 1, *range(14, 20), *range(4, 10)}
    assert sum(manifest["recordings_by_fold"].values()) == len(ids)
    assert not find_leaks([out])


def test_of_validation_and_test_the_test_stays(tmp_path):
    plan = [
        (replace(report, fold=9), place) if report.record_id == "1" else (report, place) for report, place in planned()
    ]
    manifest = prepare(iter(plan), Counter(), tmp_path, SETTINGS, read=made_ecg)
    assert Copy("1", "validation", "11", "test") in [Copy(**row) for row in manifest["copies"]]


def test_killed_while_copies_are_taken_out_the_same_bytes_come_out(whole, tmp_path, monkeypatch):
    taken = []

    def dies_at_the_second(path, ids):
        taken.append(path)
        if len(taken) == 2:
            raise KeyboardInterrupt
        real(path, ids)

    # two shards lose a recording: the second is of fold 9 and copied in fold 10
    plan = [(replace(report, fold=9) if report.record_id == "1100" else report, place) for report, place in planned()]
    plan.append((Report("2000", "p2000", 10, "Text.", "", "en", 1.0), "1100+"))
    prepare(iter(plan), Counter(), tmp_path / "at once", SETTINGS, read=made_ecg)
    real = preparing.drop_records
    monkeypatch.setattr(preparing, "drop_records", dies_at_the_second)
    with pytest.raises(KeyboardInterrupt):
        prepare(iter(plan), Counter(), tmp_path / "killed", SETTINGS, read=made_ecg)
    monkeypatch.setattr(preparing, "drop_records", real)
    assert not (tmp_path / "killed" / "manifest.json").exists()
    prepare(iter(()), Counter(), tmp_path / "killed", SETTINGS, read=made_ecg)
    assert files(tmp_path / "killed") == files(tmp_path / "at once")
    assert len(read_manifest(tmp_path / "killed")["copies"]) == 3


def test_alike_sketches_are_held_against_the_signals():
    """Two recordings whose sketches meet are no copies where their signals differ."""
    rng = np.random.default_rng(0)
    ecg, other = rng.normal(size=(2, 1000, 12)).astype(np.float32)
    assert same_recording(ecg, ecg + 0.1 * other) and not same_recording(ecg, other)
    assert not same_recording(np.zeros_like(ecg), np.zeros_like(ecg)) and alike(np.eye(2), np.eye(2)) == [
        (0, 0),
        (1, 1),
    ]


def test_ptb_xls_ecg_140_is_1370_too(shared, tmp_path):
    """The same ECG under two patients, in folds 9 and 3: validation keeps it."""
    import tarfile

    import pandas as pd

    source = tmp_path / "ptb-xl"
    lr = "records100/01000/01370_lr"
    with tarfile.open(shared / "ptb-xl-more" / "records100.tar.xz") as packed:
        left = 2
        for member in packed:
            if lr in member.name:
                member.name = f"{lr}.{member.name.rpartition('.')[2]}"
                packed.extract(member, source, filter="data")
                left -= 1
            if not left:  # what comes after it need not be unpacked
                break
    table = pd.read_csv(shared / "ptb-xl" / ptb_xl.PTB_XL_TABLE)
    table[table["ecg_id"].isin([140, 1370])].to_csv(source / ptb_xl.PTB_XL_TABLE, index=False)
    for name in (f"records100/00000/00140_lr.{kind}" for kind in ("hea", "dat")):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_bytes((shared / "ptb-xl" / name).read_bytes())
    manifest = ptb_xl.prepare(source, tmp_path / "out")
    assert manifest["copies"] == [
        {"record_id": "1370", "split": "train", "original": "140", "original_split": "validation"}
    ]
    assert [example.report.record_id for example in read_examples(tmp_path / "out")] == ["140"]
