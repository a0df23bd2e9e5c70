"""Workers draft what is uploaded, once each, also when one is killed at it; a bad file stops nothing."""

import os
import signal
import time
from dataclasses import replace

import pytest
import torch
from stations import count_drafts, ecg_files, example_files

from meit.drafting import draft as drafting
from meit.drafting.urgency import Urgency
from meit.errors import RecordingError
from meit.station.store.drafts import check_text, get_draft
from meit.station.store.models import Status
from meit.station.store.recordings import add_recording, counts, get_recording
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
    assert draft.model_sha256 == worker.model.sha256 and draft.draft["recording"]["source"] == "00195_hr.hea"
    assert check_text(store, good, "Normal ECG.").statements[0].support == "contradicted"
    assert get_draft(store, noisy).draft["quality"]["verdict"] == "unusable"
    assert (
        get_recording(store, noisy).urgency == Urgency.UNREAD
        and check_text(store, noisy, "Normal ECG.").statements[0].support == "unchecked"
    )
    assert verify(store).holds


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
    ids = [add_recording(store, ecg_files(number))[0] for number in range(24)]
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
