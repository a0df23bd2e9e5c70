"""A text is saved, held against the measurements, signed, amended; and nothing is signed that the reader did not save."""

import json
import threading
from dataclasses import asdict

import pytest
from stations import add_drafted, ecg_files, make_admin, make_person, measured, quick_reader

from meit.errors import AbsentError, AccessError, RoleError, StaleError, StationError, UnacknowledgedError
from meit.exports import EXPORT_FORMATS
from meit.station.accounts.accounts import set_active
from meit.station.page_data import exported, reading
from meit.station.shelf import Shelf
from meit.station.store.recording_entries import add_recording, files_of, get_recording
from meit.station.store.saved_drafts import check_text, get_draft
from meit.station.store.schema import DraftRow, Role
from meit.station.store.signing import save_text, sign, signed_versions, working_text
from meit.station.store.storable import LONGEST_REPORT
from meit.station.store.verifying import verify

NORMAL = "Sinus rhythm. Normal ECG."  # the example's QRS lasts 142 ms
BLOCK = "Sinus rhythm. Right bundle branch block."


@pytest.fixture
def reader(store):
    return quick_reader(store)


@pytest.fixture
def recording(store):
    return add_drafted(store, NORMAL)


def test_from_draft_to_signed_report(store, reader, recording):
    begun = working_text(store, recording)
    assert (begun.version, begun.text, begun.account_id) == (0, NORMAL, None)
    saved = save_text(store, reader, recording, BLOCK + "\r\nFu\u0308r Kontrolle.", 0)
    assert working_text(store, recording) == saved and saved.text == BLOCK + "\nFür Kontrolle."
    assert signed_versions(store, recording) == ()
    signed = sign(store, reader, recording, 1)
    assert signed_versions(store, recording) == (signed,) and signed.number == 1 and signed.text == saved.text
    assert (signed.signer, signed.profession, signed.account_id) == ("Dr. Reader", "Cardiologist", reader)
    assert signed.draft_id == get_draft(store, recording).id and signed.subject["name"] == "00195_hr"
    assert set(signed.subject["files"]) == set(files_of(store, recording))
    assert get_recording(store, recording).status == "signed"
    assert verify(store, [signed.anchor]).holds


def test_a_stale_write_is_refused_and_changes_nothing(store, reader, recording):
    save_text(store, reader, recording, "First.", 0)
    for version in (0, 2, -1):
        with pytest.raises(StaleError, match="version 1 by now"):
            save_text(store, reader, recording, "Second.", version)
    assert working_text(store, recording).text == "First."
    save_text(store, reader, recording, "Third.", 1)
    with pytest.raises(StaleError):
        sign(store, reader, recording, 1)
    assert signed_versions(store, recording) == ()


def test_of_many_at_once_one_wins(store, reader, recording):
    outcomes = []

    def work(number):
        try:
            outcomes.append(save_text(store, reader, recording, f"Text {number}.", 0).text)
        except StaleError:
            outcomes.append(None)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    won = [one for one in outcomes if one]
    assert len(outcomes) == 6 and won == [working_text(store, recording).text] and verify(store).holds


def test_a_contradicted_statement_has_to_be_acknowledged(store, reader, recording):
    (evidence,) = check_text(store, recording, NORMAL).contradictions
    assert evidence.startswith("'Normal ECG' but") and "QRS 146 ms" in evidence
    save_text(store, reader, recording, NORMAL, 0)
    for acknowledged in ((), ("something else",), (evidence[:-1],)):
        with pytest.raises(UnacknowledgedError, match="acknowledge") as caught:
            sign(store, reader, recording, 1, acknowledged)
        assert caught.value.contradicted == (evidence,)
    assert signed_versions(store, recording) == () and get_recording(store, recording).status == "drafted"
    assert sign(store, reader, recording, 1, [evidence, "more than needed"]).acknowledged == (evidence,)


def test_also_one_that_the_reader_wrote(store, reader):
    recording = add_drafted(store, BLOCK)
    save_text(store, reader, recording, "Sinus bradycardia.", 0)
    with pytest.raises(UnacknowledgedError, match="rate"):
        sign(store, reader, recording, 1)


def test_an_amendment_needs_a_reason_and_keeps_what_was_signed(store, reader, recording):
    save_text(store, reader, recording, BLOCK, 0)
    first = sign(store, reader, recording, 1)
    with pytest.raises(StationError, match="signed already"):  # a second click
        sign(store, reader, recording, 1, reason="again")
    save_text(store, reader, recording, BLOCK + " Left axis deviation?", 1)
    assert get_recording(store, recording).status == "signed"
    for reason in ("", "  \n"):
        with pytest.raises(StationError, match="reason of the amendment is missing"):
            sign(store, reader, recording, 2, reason=reason)
    second = sign(store, reader, recording, 2, reason="Axis\nadded")
    assert (second.number, second.reason) == (2, "Axis added")
    assert signed_versions(store, recording) == (second, first)
    assert get_recording(store, recording).status == "amended" and verify(store).holds
    other = add_drafted(store, BLOCK, 1)
    save_text(store, reader, other, BLOCK, 0)
    with pytest.raises(StationError, match="has no reason"):
        sign(store, reader, other, 1, reason="because")


def test_unsaved_empty_and_odd_texts(store, reader, recording):
    with pytest.raises(StationError, match="save the text"):
        sign(store, reader, recording, 0)
    for text in ("bell \a", "null \0", "half a pair \ud800", "x" * (LONGEST_REPORT + 1)):
        with pytest.raises(StationError, match="the text"):
            save_text(store, reader, recording, text, 0)
    save_text(store, reader, recording, " \n", 0)
    with pytest.raises(StationError, match="no text"):
        sign(store, reader, recording, 1)


def test_without_a_draft_there_is_no_text(store, reader):
    queued, _ = add_recording(store, ecg_files(1))
    for call in (lambda: working_text(store, queued), lambda: save_text(store, reader, queued, "Text.", 0)):
        with pytest.raises(AbsentError, match="no draft"):
            call()
    for call in (
        lambda: working_text(store, 99),
        lambda: save_text(store, reader, 99, "Text.", 0),
        lambda: sign(store, reader, 99, 1),
        lambda: signed_versions(store, 99),
    ):
        with pytest.raises(AbsentError, match="no such recording"):
            call()


def test_only_active_readers_write_and_sign(store, recording):
    admin = make_admin(store)
    leader = make_person(store, admin, "leader", Role.STUDY_LEADER, Role.ADMIN)
    reader = make_person(store, admin, "other", Role.READER)
    for call in (
        lambda: save_text(store, leader.id, recording, BLOCK, 0),
        lambda: sign(store, leader.id, recording, 0),
    ):
        with pytest.raises(RoleError, match="role reader"):
            call()
    save_text(store, reader.id, recording, BLOCK, 0)
    set_active(store, admin.id, reader.id, False)
    with pytest.raises(AccessError):
        sign(store, reader.id, recording, 1)
    assert signed_versions(store, recording) == ()


def test_a_draft_that_was_stored_before_its_statements_had_places_is_read(store, reader):
    """As earlier versions wrote it: without age, start and end of statements, and without quality."""
    recording = add_drafted(store, BLOCK)
    statement = {"text": "Sinus rhythm", "code": "SR", "certainty": "definite", "territory": ""}
    stored = {
        "recording": {
            "name": "00195_hr",
            "source": "00195_hr.hea",
            "rate_hz": 500.0,
            "seconds": 10.0,
            "start": None,
            "age": 61.0,
            "sex": "F",
            "derived_leads": [],
            "missing_leads": [],
        },
        "report": "Sinus rhythm.",
        "warnings": ["the recording is noisy"],
        "model": {"name": "old", "version": "1", "sha256": "e" * 64},
        "quality": None,
        "statements": [statement | {"support": "unchecked", "evidence": "", "confidence": 0.9}],
        "measurements": measured()[1].to_dict(),
        "note": "Draft for a clinician's review, not a diagnosis.",
    }
    record = json.dumps(asdict(measured()[1]))
    with store.writing() as session:
        session.add(DraftRow(recording_id=recording, model_sha256="e" * 64, draft=json.dumps(stored), measured=record))
    draft = get_draft(store, recording).draft
    assert (draft.report, draft.warnings) == ("Sinus rhythm.", ("the recording is noisy",))
    assert draft.model.name == "old" and draft.statements[0].confidence == 0.9
    assert check_text(store, recording, NORMAL).contradictions
    entry, shown = get_recording(store, recording), Shelf(store).get(recording)
    assert reading(store, entry, shown)["draft"]["report"] == "Sinus rhythm."
    assert "Sinus rhythm." in str(EXPORT_FORMATS["text"].write(exported(store, entry, shown)))
