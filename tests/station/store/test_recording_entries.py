"""Recordings are taken in once and whole, found by what is known of them, and listed page by page."""

import sqlite3
import threading

import pytest
from stations import add_drafted, ecg_files, example_draft, example_files, make_admin, quick_reader

from meit.drafting.checks.urgency import Urgency
from meit.errors import AbsentError, AccessError, RecordingError, StationError
from meit.station.store.recording_entries import (
    SORT_ORDERS,
    add_recording,
    counts,
    files_of,
    get_recording,
    others_of_patient,
    worklist,
)
from meit.station.store.saved_drafts import save_draft
from meit.station.store.schema import Status
from meit.station.store.signing import save_text, sign
from meit.station.store.verifying import verify


def test_files_come_back_as_they_came(store):
    files = example_files()
    one, new = add_recording(store, files)
    assert new and files_of(store, one) == files
    entry = get_recording(store, one)
    assert (entry.name, entry.status, entry.urgency, entry.patient_id) == ("00195_hr", "queued", Urgency.UNREAD, None)


def test_the_same_files_are_one_recording_also_under_other_names_and_at_once(store):
    content = ecg_files(1)
    found = []
    work = lambda: found.append(add_recording(store, content))  # noqa: E731
    threads = [threading.Thread(target=work) for _ in range(5)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    renamed = {name.replace("ecg1", "copy"): bytes_ for name, bytes_ in content.items()}
    found.append(add_recording(store, renamed))
    assert len({one for one, _ in found}) == 1 and sorted(new for _, new in found) == [False] * 5 + [True]
    assert sum(counts(store).values()) == 1 and verify(store).rows == 2


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "../x.csv", "a/b.csv", "a\\b.csv", "C:x.csv", ".hidden", "a\nb", "x" * 201, "a\0b", "\ud800"],
)
def test_names_that_are_no_plain_ones_are_refused(sqlite_store, name):
    with pytest.raises(StationError, match="plain"):
        add_recording(sqlite_store, {name: b"content"})
    assert sum(counts(sqlite_store).values()) == 0


def test_who_is_not_active_adds_nothing(store):
    with pytest.raises(AccessError):
        add_recording(store, ecg_files(1), account_id=7)
    assert verify(store).rows == 1
    with pytest.raises(StationError, match="1 to 32"):
        add_recording(store, {})


def test_a_changed_file_is_noticed(sqlite_store):
    one, _ = add_recording(sqlite_store, ecg_files(1))
    raw = sqlite3.connect(sqlite_store.engine.url.database)
    raw.execute("DROP TRIGGER files_unchanged")
    raw.execute("UPDATE files SET content = x'00'")
    raw.commit()
    with pytest.raises(RecordingError, match="was changed"):
        files_of(sqlite_store, one)


def test_critical_ones_come_first_and_signed_ones_last(store):
    """The example's QRS is 142 ms: "normal ECG" is contradicted there, and "sinus rhythm" leaves it out; so neither is
    NORMAL. Another example has nothing that would have to be said."""
    queued, _ = add_recording(store, ecg_files(0))
    doubted = add_drafted(store, "Sinus rhythm. Normal ECG.", 1)
    silent = add_drafted(store, "Sinus rhythm.", 2)
    quiet, _ = add_recording(store, ecg_files(6))
    with store.writing() as session:
        save_draft(session, quiet, example_draft("Sinus rhythm.", stem="00178_lr"), None)
    critical = add_drafted(store, "Atrial fibrillation. Acute inferior infarction.", 3)
    block = add_drafted(store, "Sinus rhythm. Right bundle branch block.", 4)
    old_critical = add_drafted(store, "Ventricular tachycardia.", 5)
    reader = quick_reader(store)
    save_text(store, reader, old_critical, "Sinus rhythm.", 0)
    sign(store, reader, old_critical, 1)
    page = worklist(store)
    assert [one.id for one in page.entries] == [critical, doubted, silent, block, queued, quiet, old_critical]
    order = [Urgency.CRITICAL, *[Urgency.ABNORMAL] * 3, Urgency.UNREAD, Urgency.NORMAL, Urgency.CRITICAL]
    assert [one.urgency for one in page.entries] == order
    assert page.entries[0].critical == ("atrial_fibrillation", "acute_infarction") and page.after is None
    assert [one.id for one in worklist(store, "status").entries][-1] == old_critical
    assert counts(store)[Status.SIGNED] == 1 and counts(store)[Status.DRAFTED] == 5


@pytest.mark.parametrize("order", SORT_ORDERS)
def test_pages_give_every_recording_once_and_in_order(store, order):
    texts = ["Atrial fibrillation.", "Sinus rhythm.", "Right bundle branch block."]
    for number in range(11):
        add_drafted(store, texts[number % 3], number) if number % 4 else add_recording(store, ecg_files(number))
    whole = [one.id for one in worklist(store, order).entries]
    assert sorted(whole) == list(range(1, 12))
    seen, after = [], None
    while True:
        page = worklist(store, order, after=after, limit=3)
        seen += [one.id for one in page.entries]
        after = page.after
        if after is None:
            break
    assert seen == whole
    assert order != "newest" or whole == sorted(whole, reverse=True)


@pytest.mark.parametrize("after", ["", "x", "1_2", "1_2_3_4", "1;2;3", "-1_0_0", "٣_1_1", "1_2_9999999999999"])
def test_a_forged_key_is_refused(sqlite_store, after):
    with pytest.raises(StationError, match="key"):
        worklist(sqlite_store, after=after)
    with pytest.raises(StationError, match="order by"):
        worklist(sqlite_store, order="name; DROP TABLE audit")


def test_search_by_name_patient_and_text(store):
    one = add_drafted(store, "Sinus rhythm. First degree AV block.", 1, patient_id="PÄT-77%_x")
    two = add_drafted(store, "Atrial fibrillation.", 2, patient_id="other")
    reader = quick_reader(store)

    def ids(search, **options):
        return [entry.id for entry in worklist(store, search=search, **options).entries]

    assert ids("pat-77") == ids("AV block") == ids("block  AV") == ids("77%_") == [one]
    assert ids("%") == [one] and ids("_x") == [one] and ids("'; --") == [] and ids("") == [two, one]
    assert ids("atrial", statuses=[Status.SIGNED]) == [] and ids("atrial", statuses=[Status.DRAFTED]) == [two]
    save_text(store, reader, two, "Pacemaker of the Müller type.", 0)
    assert ids("muller") == ids("MÜLLER") == [two] and ids("fibrillation") == []


def test_others_of_the_same_patient(store):
    ids = [add_drafted(store, "Sinus rhythm.", number, patient_id="7") for number in (1, 2)]
    stranger = add_drafted(store, "Sinus rhythm.", 3)
    assert [one.id for one in others_of_patient(store, ids[0])] == [ids[1]]
    assert others_of_patient(store, stranger) == ()
    for call in (others_of_patient, get_recording, files_of):
        with pytest.raises(AbsentError):
            call(store, 99)


def test_the_admin_is_named_as_who_added(store):
    admin = make_admin(store)
    one, _ = add_recording(store, ecg_files(1), admin.id)
    with store.reading() as session:
        assert session.connection().exec_driver_sql(f"SELECT created_by FROM recordings WHERE id = {one}").scalar() == 1
