"""Jobs are leased once, come back when their worker is gone, and give up on what kills workers."""

import threading
import time

import pytest
from stations import MODEL, add_drafted, count_drafts, ecg_files, example_draft, measured, quick_reader

from meit.drafting.checks.urgency import Urgency
from meit.errors import StationError
from meit.station.store.recording_entries import add_recording, counts, get_recording
from meit.station.store.saved_drafts import get_draft
from meit.station.store.schema import Status
from meit.station.store.signing import save_text, sign
from meit.station.store.verifying import verify
from meit.station.work.queue import ATTEMPTS, KILLED, claim_jobs, draft_again, fail, finish_job, release, renew, waiting

GONE = -1.0  # a lease that has ended already


@pytest.fixture
def ids(store):
    return [add_recording(store, ecg_files(number))[0] for number in range(4)]


def deliver(store, worker, recording_id, model=MODEL):
    return finish_job(store, worker, recording_id, example_draft("Sinus rhythm.", model), "patient 7")


def test_the_oldest_first_and_each_once(store, ids):
    assert (
        claim_jobs(store, "a", 3) == ids[:3]
        and claim_jobs(store, "b", 3) == ids[3:]
        and claim_jobs(store, "c", 3) == []
    )
    assert counts(store)[Status.DRAFTING] == 4 and waiting(store) == 4


def test_many_workers_at_once_share_without_overlap(store):
    for number in range(20):
        add_recording(store, ecg_files(number))
    taken = []

    def work(name):
        while found := claim_jobs(store, name, 2):
            taken.extend(found)

    threads = [threading.Thread(target=work, args=(f"worker {number}",)) for number in range(5)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(taken) == list(range(1, 21))


def test_a_draft_is_saved_with_what_it_says_of_the_recording(store, ids):
    claim_jobs(store, "a", 1)
    assert deliver(store, "a", ids[0])
    entry = get_recording(store, ids[0])
    assert (entry.status, entry.name, entry.patient_id, entry.urgency) == (
        "drafted",
        "00195_hr",
        "patient 7",
        Urgency.ABNORMAL,  # its text leaves a wide QRS out
    )
    recording = measured()[0]
    assert (entry.age, entry.sex, entry.rate_hz) == (recording.patient.age, recording.patient.sex, recording.rate)
    draft = get_draft(store, ids[0])
    assert draft.draft.to_dict() == example_draft("Sinus rhythm.").to_dict() and draft.model_sha256 == MODEL
    assert waiting(store) == 3 and verify(store).holds


def test_a_lease_that_ended_is_another_s_and_a_late_worker_delivers_nothing(store, ids):
    claim_jobs(store, "slow", 1, GONE)
    assert claim_jobs(store, "quick", 1) == ids[:1]
    assert not deliver(store, "slow", ids[0]) and not fail(store, "slow", ids[0], "late")
    assert deliver(store, "quick", ids[0]) and not deliver(store, "quick", ids[0])
    assert count_drafts(store, ids[0]) == 1 and verify(store).holds


def test_a_sign_of_life_keeps_leases(store, ids):
    claim_jobs(store, "a", 4, 0.2)
    renew(store, "a", 60)
    time.sleep(0.25)
    assert claim_jobs(store, "b", 4) == []
    release(store, "a")
    assert counts(store)[Status.QUEUED] == 4 and claim_jobs(store, "b", 4) == ids


def test_what_kills_its_workers_is_failed_and_takes_no_others_with_it(store, ids):
    assert claim_jobs(store, "a", 4, GONE) == ids
    tries = [claim_jobs(store, f"b{number}", 4, GONE) for number in range(ATTEMPTS - 1)]
    assert tries == [ids[:1]] * (ATTEMPTS - 1)  # what was broken off comes alone
    assert claim_jobs(store, "c", 4) == [ids[1]]
    entry = get_recording(store, ids[0])
    assert (entry.status, entry.error) == ("failed", KILLED)


def test_a_failure_says_why_and_can_be_tried_again(store, ids):
    reader = quick_reader(store)
    claim_jobs(store, "a", 4)
    assert fail(store, "a", ids[0], "no ECG\nin\0 it" + "x" * 2000)
    entry = get_recording(store, ids[0])
    assert entry.status == "failed" and entry.error.startswith("no ECG in? it") and len(entry.error) <= 1000
    with pytest.raises(StationError, match="failed or was drafted"):
        draft_again(store, reader, ids[1])
    draft_again(store, reader, ids[0])
    assert get_recording(store, ids[0]).status == "queued" and claim_jobs(store, "b", 4) == [ids[0]]
    assert deliver(store, "b", ids[0]) and get_recording(store, ids[0]).error is None


def test_another_model_adds_a_draft_the_same_one_does_not(store):
    recording, reader = add_drafted(store, "Sinus rhythm."), quick_reader(store)
    claim_jobs(store, "a", 1)
    assert deliver(store, "a", recording) and count_drafts(store, recording) == 1
    for worker, model, drafts in (("b", MODEL, 1), ("c", "1" * 64, 2), ("d", "1" * 64, 2)):
        draft_again(store, reader, recording)
        claim_jobs(store, worker, 1)
        assert deliver(store, worker, recording, model) and count_drafts(store, recording) == drafts
    assert get_draft(store, recording).model_sha256 == "1" * 64 and waiting(store) == 0
    draft_again(store, reader, recording)
    claim_jobs(store, "e", 1)
    assert fail(store, "e", recording, "broken") and get_recording(store, recording).status == "drafted"
    save_text(store, reader, recording, "Sinus rhythm.", 0)
    sign(store, reader, recording, 1)
    with pytest.raises(StationError, match="not signed"):
        draft_again(store, reader, recording)
    assert verify(store).holds
