"""Workers draft what is uploaded, once each, also when one is killed at it; a bad file stops nothing."""

import os
import signal
import sys
import time
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import torch
from stations import count_drafts, ecg_files, example_files, quick_reader

from meit.drafting import draft as drafting
from meit.drafting.checks.urgency import Urgency
from meit.ecg.measure import looking, measuring
from meit.ecg.quality import inspect
from meit.errors import ModelError, RecordingError
from meit.exports import EXPORT_FORMATS
from meit.station.intake import grouped, is_half
from meit.station.page_data import exported, reading
from meit.station.shelf import Shelf
from meit.station.store.recording_entries import add_recording, counts, get_recording
from meit.station.store.saved_drafts import check_text, get_draft
from meit.station.store.schema import Status
from meit.station.store.signing import save_text
from meit.station.store.verifying import verify
from meit.station.work import worker as working
from meit.station.work.processes import Workers
from meit.station.work.queue import waiting
from meit.station.work.worker import Worker, read_files, worker_name


@pytest.fixture
def model(tiny_model, tmp_path):
    """A tiny random model in a folder, as workers load it."""
    tiny_model.save(tmp_path / "model")
    return tmp_path / "model"


@pytest.fixture
def worker(sqlite_store, model):
    from meit.model.report_model import load_model

    return Worker(sqlite_store, load_model(model), worker_name(), batch=4)


def test_files_are_read_whatever_makes_one_recording():
    assert read_files(example_files()).source == "00195_hr.hea"
    assert read_files(ecg_files(3)).name == "ecg3"
    two = {**example_files(), **example_files("00041_lr")}
    for files, words in (
        (two, "2 recordings at once"),
        ({"letter.txt": b"Dear colleague"}, "letter.txt: not a known ECG format"),
        ({"00195_hr.hea": example_files()["00195_hr.hea"]}, "00195_hr"),
        ({"a.txt": b"a", "b.txt": b"b"}, "no recordings"),
    ):
        with pytest.raises(RecordingError, match=words) as caught:
            read_files(files)
        assert "/" not in str(caught.value), caught.value


def test_a_batch_with_bad_files_among_good_ones(worker):
    store = worker.store
    noise = ecg_files(9)
    noise["ecg9.npy"] = noise["ecg9.npy"][:-24000] + torch.randn(6000).numpy().tobytes()
    good, bad, noisy, other = (
        add_recording(store, files)[0]
        for files in (example_files(), {"letter.csv": b"Dear,colleague\n"}, noise, ecg_files(1))
    )
    assert worker.work_once() == 4 and worker.work_once() == 0 and waiting(store) == 0
    statuses = [get_recording(store, one).status for one in (good, bad, noisy, other)]
    assert statuses == ["drafted", "failed", "drafted", "drafted"]
    assert get_recording(store, bad).error.startswith("letter.csv: ") and "/" not in get_recording(store, bad).error
    draft = get_draft(store, good)
    assert draft.model_sha256 == worker.model.sha256 and draft.draft.recording.source == "00195_hr.hea"
    assert check_text(store, good, "Normal ECG.").statements[0].support == "contradicted"
    assert get_draft(store, noisy).draft.quality.verdict == "unusable"
    assert (
        get_recording(store, noisy).urgency == Urgency.UNREAD
        and check_text(store, noisy, "Normal ECG.").statements[0].support == "unchecked"
    )
    assert verify(store).holds


def test_names_in_capitals_go_the_whole_way(worker):
    """As old recorders write them; the header names its signal in small letters."""
    files = {name.upper(): content for name, content in example_files("00041_lr").items()}
    (group,) = grouped(files)
    assert group == ["00041_LR.HEA", "00041_LR.DAT"] and not is_half(group)
    recording, _ = add_recording(worker.store, {name: files[name] for name in group})
    assert worker.work_once() == 1
    entry = get_recording(worker.store, recording)
    assert (entry.status, entry.name, entry.error) == ("drafted", "00041_LR", None)
    assert np.array_equal(
        Shelf(worker.store).get(recording).recording.signal, read_files(example_files("00041_lr")).signal
    )


def counting(monkeypatch, *functions) -> Counter:
    """Counts the calls of functions, by whatever module of meit they are called."""
    counts = Counter()
    for function in functions:

        def counted(*arguments, _function=function, **options):
            counts[_function.__name__] += 1
            return _function(*arguments, **options)

        modules = [module for name, module in sys.modules.items() if name.startswith("meit")]
        for module in modules:
            for name in [name for name, value in vars(module).items() if value is function]:
                monkeypatch.setattr(module, name, counted)
    return counts


def test_a_recording_is_looked_at_measured_and_inspected_once(worker, monkeypatch):
    """For the draft, its urgency, the viewer, the check of texts and all exports together."""
    store, reader = worker.store, quick_reader(worker.store)
    ids = [add_recording(store, files)[0] for files in (example_files(), ecg_files(1))]
    calls = counting(monkeypatch, looking.look, measuring.measured, measuring.measure, inspect)
    assert worker.work_once() == 2
    assert calls == {"look": 2, "measured": 2, "inspect": 2}
    shelf = Shelf(store)
    for one in ids:
        entry, shown = get_recording(store, one), shelf.get(one)
        assert reading(store, entry, shown)["checked"] is not None and shown.document["measurements"]
        save_text(store, reader, one, "Sinus rhythm. Left axis deviation.", 0)
        for form in ("text", "json", "html", "fhir"):
            assert EXPORT_FORMATS[form].write(exported(store, entry, shown))
    assert calls == {"look": 2, "measured": 2, "inspect": 2}


def test_one_that_breaks_the_model_fails_alone(worker, monkeypatch):
    ids = [add_recording(worker.store, ecg_files(number))[0] for number in range(3)]
    draft = drafting.draft_reports

    def broken(model, recordings, **options):
        if any(one.recording.name == "ecg1" for one in recordings):
            raise RuntimeError("the patient's name")
        return draft(model, recordings, **options)

    monkeypatch.setattr(working, "draft_reports", broken)
    assert worker.work_once() == 3
    found = [get_recording(worker.store, one) for one in ids]
    assert [one.status for one in found] == ["drafted", "failed", "drafted"]
    assert found[1].error == "drafting failed (RuntimeError)"


def test_while_a_batch_takes_longer_than_a_lease_it_stays_leased(worker, monkeypatch):
    add_recording(worker.store, ecg_files(1))
    short, other = replace(worker, lease=0.3), replace(worker, name="other")
    draft, stolen = drafting.draft_reports, []

    def slow(*arguments, **options):
        time.sleep(1)
        stolen.append(other.work_once())
        return draft(*arguments, **options)

    monkeypatch.setattr(working, "draft_reports", slow)
    assert short.work_once() == 1 and stolen == [0]


def test_each_is_drafted_once_though_a_worker_is_killed(sqlite_store, model):
    """benchmarks/station_kills.py does the same with more, and on PostgreSQL."""
    store = sqlite_store
    ids = [add_recording(store, ecg_files(number))[0] for number in range(12)]
    with Workers(store, model, 2, lease=2.0) as workers:
        while counts(store)[Status.DRAFTING] == 0:
            time.sleep(0.01)
        os.kill(workers.pids[0], signal.SIGKILL)
        end = time.time() + 100
        while waiting(store) and time.time() < end:
            time.sleep(0.05)
        alive = workers.pids
    assert counts(store)[Status.DRAFTED] == len(ids) and [count_drafts(store, one) for one in ids] == [1] * len(ids)
    assert verify(store).holds and alive and not workers.pids


def test_each_worker_process_takes_a_gpu_of_its_own(sqlite_store, monkeypatch):
    from meit.model.devices import KINDS, DeviceKind

    asked = []

    def load(model, device, dtype, operating_point):
        asked.append(device)
        raise ModelError("enough is seen")

    monkeypatch.setitem(KINDS, "cuda", DeviceKind(lambda: 2, lambda: ""))
    monkeypatch.setattr(working, "load_model", load)
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        for number in range(3):
            with pytest.raises(ModelError):
                working.run_worker(sqlite_store.url, "model", number=number, workers=3)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    assert asked == ["cuda:0", "cuda:1", "cuda:0"]
