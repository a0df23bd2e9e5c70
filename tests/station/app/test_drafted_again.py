"""A recording that a second model drafts after a reader has begun: page, check, signature and exports keep to the draft
that the text began with."""

import json

import pytest
from stations import add_draft, add_drafted

from meit.station.store.recording_entries import get_recording
from meit.station.store.schema import DraftRow
from meit.station.store.signing import signed_versions, working_text
from meit.station.store.verifying import verify
from meit.station.study.studies import get_reading, make_study, next_reading

FIRST = "Sinus rhythm. Normal ECG."
OTHER = "Atrial fibrillation."
TEXT = "Sinus rhythm. Right bundle branch block."
B = "b" * 64


@pytest.fixture
def recording(store):
    return add_drafted(store, FIRST)  # by model 000...


@pytest.fixture
def api(store, recording):
    return f"/api/recordings/{get_recording(store, recording).public_id}"


def models_named(reader, api: str, query: str = "") -> list[str]:
    """By each export that names one: the short sum of the model's weights."""
    document = reader.get(f"{api}/report.json{query}").json()
    agents = [
        one["resource"]
        for one in reader.get(f"{api}/report.fhir{query}").json()["entry"]
        if one["resource"]["resourceType"] in ("Provenance", "Device")
    ]
    written = json.dumps(agents)
    texts = [reader.get(f"{api}/report.{form}{query}").text for form in ("text", "html")]
    return [
        document["model"]["sha256"][:12],
        *("b" * 12 if "b" * 12 in one else "0" * 12 if "0" * 12 in one else "none" for one in (written, *texts)),
    ]


def test_the_signed_report_names_the_draft_that_it_began_with(enter, store, recording, api):
    reader = enter("reader")
    reader.put(f"{api}/text", json={"text": TEXT, "version": 0})
    add_draft(store, recording, OTHER, B)
    assert reader.post(f"{api}/signature", json={"version": 1}).status_code == 201
    (signed,) = signed_versions(store, recording)
    assert signed.draft_id == 1
    assert set(models_named(reader, api)) == {"0" * 12}
    assert reader.get(f"{api}/report.json").json()["drafted"] == FIRST
    page = reader.get(api).json()
    assert page["draft"]["report"] == FIRST and "0" * 12 in page["draft"]["by"]
    reader.put(f"{api}/text", json={"text": f"{TEXT} Checked.", "version": 1})
    amended = reader.post(f"{api}/signature", json={"version": 2, "reason": "checked"})
    assert amended.status_code == 201 and signed_versions(store, recording)[0].draft_id == 1
    assert set(models_named(reader, api)) == set(models_named(reader, api, "?version=1")) == {"0" * 12}
    assert verify(store).holds


def test_before_the_signature_it_is_the_working_text_s(enter, store, recording, api):
    reader = enter("reader")
    add_draft(store, recording, OTHER, B)
    assert set(models_named(reader, api)) == {"b" * 12}  # nobody has begun: the newest
    page = reader.get(api).json()
    assert page["text"]["text"] == page["draft"]["report"] == OTHER
    reader.put(f"{api}/text", json={"text": TEXT, "version": 0})
    add_draft(store, recording, FIRST, "c" * 64)
    assert set(models_named(reader, api)) == {"b" * 12}


def test_a_text_begun_before_the_second_draft_came_stays_with_the_first(enter, store, recording, api):
    """The page was open with the first draft: what is saved over it says so."""
    reader = enter("reader")
    begun = reader.get(api).json()["text"]
    add_draft(store, recording, OTHER, B)
    saved = reader.put(f"{api}/text", json={"text": TEXT, "version": 0, "draft": begun["draft"]})
    assert saved.status_code == 200 and working_text(store, recording).draft_id == begun["draft"] == 1
    assert set(models_named(reader, api)) == {"0" * 12}
    elsewhere = add_drafted(store, FIRST, 1)
    other = f"/api/recordings/{get_recording(store, elsewhere).public_id}"
    assert reader.put(f"{other}/text", json={"text": TEXT, "version": 0, "draft": 1}).status_code == 404


def test_texts_are_held_against_what_was_measured_for_their_own_draft(enter, store, recording, api):
    """The same files, measured by another version of the software: the signing check and the page agree."""
    reader = enter("reader")
    reader.put(f"{api}/text", json={"text": FIRST, "version": 0})
    with store.writing() as session:  # of the second draft nothing was measured
        known = session.get_one(DraftRow, 1)
        about = {**json.loads(known.draft), "model": {"name": "b", "version": "0", "sha256": B}}
        session.add(DraftRow(recording_id=recording, model_sha256=B, draft=json.dumps(about), measured=None))
    contradicted = reader.post(f"{api}/check", json={"text": FIRST}).json()["contradicted"]
    assert "QRS 146 ms" in contradicted[0] and reader.get(api).json()["checked"]["contradicted"] == contradicted
    assert reader.post(f"{api}/check", json={"text": FIRST, "draft": 2}).json()["contradicted"] == []
    refused = reader.post(f"{api}/signature", json={"version": 1})
    assert refused.status_code == 409 and refused.json()["contradicted"] == contradicted


def test_a_study_s_reading_is_held_against_the_study_s_draft(enter, store, recording):
    other = add_drafted(store, FIRST, 1)
    reader = enter("reader")
    leader = enter("leader").about.person
    study = make_study(store, leader.id, "Study", [reader.about.person.id], 2, seed=1)
    add_draft(store, recording, OTHER, B)
    add_draft(store, other, OTHER, B)
    seen = []
    while following := next_reading(store, reader.about.person.id, study):
        given = get_reading(store, reader.about.person.id, following)
        if given.draft is not None:
            found = reader.get(f"/api/readings/{following}").json()
            assert found["draft"]["report"] == FIRST and "0" * 12 in found["draft"]["by"]
            assert found["checked"]["contradicted"]
            seen.append(given.draft.model_sha256)
        progress = {"text": "Done.", "active_ms": 1, "keystrokes": 1}
        assert reader.post(f"/api/readings/{following}/finish", json=progress).status_code == 200
    assert seen == ["0" * 64]
