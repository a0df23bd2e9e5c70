"""Reading, correcting, signing, amending, exporting: what the page of a recording asks for."""

import json

import numpy as np
import pytest
from stations import EXAMPLES, add_drafted, ecg_files

from meit.ecg import read_ecg
from meit.ecg.recording import LEADS
from meit.station.store.recording_entries import add_recording, get_recording
from meit.station.store.verifying import verify

WRONG = "Sinus rhythm. Normal ECG."  # over a QRS complex of 142 ms
RIGHT = "Sinus rhythm. Right bundle branch block."


@pytest.fixture
def api(store):
    """The address of a drafted recording: the example with a right bundle branch block, drafted as normal."""
    return f"/api/recordings/{get_recording(store, add_drafted(store, WRONG)).public_id}"


def test_all_that_is_known(enter, api):
    found = enter("leader").get(api).json()
    assert found["text"] == {"version": 0, "text": WRONG, "draft": 1, "saved_at": None} and found["versions"] == []
    rhythm, normal = found["checked"]["statements"]
    assert rhythm["support"] == "measured" and rhythm["places"] == [{"leads": ["II"], "from": None, "to": None}]
    assert normal["support"] == "contradicted" and found["checked"]["contradicted"] == [normal["evidence"]]
    assert WRONG[normal["start"] : normal["end"]] == "Normal ECG"
    (missing,) = found["checked"]["unmentioned"]
    assert "QRS 146 ms" in missing["words"] and missing["places"][0]["leads"] == ["V1"]
    assert missing["says"] == "Complete right bundle branch block."


def test_the_signal_is_the_recording_s(enter, api):
    reader = enter("reader")
    about = reader.get(f"{api}/view").json()
    whole = read_ecg(EXAMPLES / "00195_hr").signal
    drawn = np.frombuffer(reader.get(f"{api}/signal").content, "<f4").reshape(len(LEADS), -1).T
    assert about["leads"] == list(LEADS) and np.array_equal(drawn, whole)
    calm = np.frombuffer(reader.get(f"{api}/signal?band=0.5-40&mains=50").content, "<f4")
    assert calm.size == whole.size and abs(calm.mean()) < abs(whole.mean()) + 0.01
    assert reader.get(f"{api}/signal?band=9-10").status_code == 400


def test_what_is_typed_is_checked(enter, api):
    reader = enter("reader")
    found = reader.post(f"{api}/check", json={"text": RIGHT + " Zebra stripes."}).json()
    assert [one["support"] for one in found["statements"]] == ["measured", "measured"]
    assert found["contradicted"] == []
    (sentence,) = found["not_read"]
    assert sentence["words"] == ["Zebra", "stripes"]
    assert f"{RIGHT} Zebra stripes."[sentence["start"] : sentence["end"]] == "Zebra stripes"
    assert reader.post(f"{api}/check", json={"text": "x" * 30_000}).status_code == 422


def test_from_draft_to_amendment(enter, api, store):
    reader, leader = enter("reader"), enter("leader")
    unsaved = reader.post(f"{api}/signature", json={"version": 1})
    assert unsaved.status_code == 409
    assert reader.put(f"{api}/text", json={"text": WRONG, "version": 0}).json()["version"] == 1
    refused = reader.post(f"{api}/signature", json={"version": 1})
    assert refused.status_code == 409 and "QRS 146 ms" in refused.json()["contradicted"][0]
    assert reader.post(f"{api}/signature", json={"version": 1, "acknowledged": ["something else"]}).status_code == 409

    assert reader.put(f"{api}/text", json={"text": RIGHT, "version": 1}).json()["version"] == 2
    stale = reader.put(f"{api}/text", json={"text": "mine", "version": 1})
    assert stale.status_code == 409 and "version 2" in stale.json()["error"]
    signed = reader.post(f"{api}/signature", json={"version": 2})
    assert (
        signed.status_code == 201
        and signed.json()["signer"] == "Dr. Reader"
        and signed.json()["anchor"].startswith("meit-audit:")
    )
    again = reader.post(f"{api}/signature", json={"version": 2})
    assert again.status_code == 400 and "signed already" in again.json()["error"]

    amended = f"{RIGHT} Left axis deviation."
    reader.put(f"{api}/text", json={"text": amended, "version": 2})
    assert "reason" in reader.post(f"{api}/signature", json={"version": 3}).json()["error"]
    number = reader.post(f"{api}/signature", json={"version": 3, "reason": "axis added", "acknowledged": []})
    if number.status_code == 409:  # the axis lies between the thresholds in this recording, or beyond
        number = reader.post(
            f"{api}/signature",
            json={"version": 3, "reason": "axis added", "acknowledged": number.json()["contradicted"]},
        )
    assert number.json()["number"] == 2
    found = reader.get(api).json()
    assert found["status"] == "amended" and [one["text"] for one in found["versions"]] == [amended, RIGHT]
    assert (
        amended in flat(leader.get(f"{api}/report.text").text) and "axis added" in leader.get(f"{api}/report.text").text
    )
    first = json.loads(leader.get(f"{api}/report.json?version=1").text)
    assert first["report"] == RIGHT
    assert leader.get(f"{api}/report.text?version=7").status_code == 404
    verdict = verify(store)
    assert verdict.holds
    keeper = enter("keeper")
    assert keeper.get("/api/audit", params={"anchor": signed.json()["anchor"]}).json()["holds"]
    forged = keeper.get("/api/audit", params={"anchor": "meit-audit:2:" + "0" * 64}).json()
    assert not forged["holds"] and forged["faults"]
    assert "report.signed" in keeper.get("/audit").text and RIGHT not in keeper.get("/audit").text


def flat(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize(
    ("form", "start"),
    [
        ("text", b"ECG "),
        ("json", b"{"),
        ("fhir", b"{"),
        ("pdf", b"%PDF-"),
        ("html", b"<!"),
    ],
)
def test_exports_say_what_they_are(enter, api, form, start):
    reader = enter("reader")
    draft = reader.get(f"{api}/report.{form}")
    assert draft.content.lstrip().startswith(start) and "draft" in draft.headers["content-disposition"]
    if form == "fhir":
        statuses = {one["resource"].get("status") for one in draft.json()["entry"]}
        assert "preliminary" in statuses and "final" not in {
            one["resource"]["status"]
            for one in draft.json()["entry"]
            if one["resource"]["resourceType"] == "DiagnosticReport"
        }
    reader.put(f"{api}/text", json={"text": RIGHT, "version": 0})
    assert reader.post(f"{api}/signature", json={"version": 1}).status_code == 201
    final = reader.get(f"{api}/report.{form}")
    assert "final" in final.headers["content-disposition"] and final.content != draft.content
    assert "00195" not in final.headers["content-disposition"]  # a name may be a patient's


def test_before_there_is_a_draft(enter, store):
    number, _ = add_recording(store, ecg_files(1))
    api = f"/api/recordings/{get_recording(store, number).public_id}"
    reader = enter("reader")
    found = reader.get(api).json()
    assert (found["status"], found["draft"], found["text"]) == ("queued", None, None)
    for answer in (
        reader.put(f"{api}/text", json={"text": "x", "version": 0}),
        reader.get(f"{api}/report.pdf"),
        reader.post(f"{api}/check", json={"text": "x"}),
    ):
        assert answer.status_code == 404 and "no draft yet" in answer.json()["error"]
    assert reader.post(f"{api}/again").status_code == 400
    assert reader.get(f"/recordings/{api.split('/')[-1]}").status_code == 200


def test_the_patient_s_ecg_before(enter, store):
    ids = [add_drafted(store, number=number, patient_id="P 7") for number in (1, 2)]
    other = add_drafted(store, number=3, patient_id="P 8")
    first, second, third = (get_recording(store, one).public_id for one in (*ids, other))
    reader = enter("reader")
    assert reader.get(f"/api/recordings/{second}").json()["previous"] == {
        "id": first,
        "acquired_at": None,
        "report": None,
    }
    reader.put(f"/api/recordings/{first}/text", json={"text": RIGHT, "version": 0})
    evidence = reader.post(f"/api/recordings/{first}/check", json={"text": RIGHT}).json()["contradicted"]
    signed = reader.post(f"/api/recordings/{first}/signature", json={"version": 1, "acknowledged": evidence})
    assert signed.status_code == 201
    assert reader.get(f"/api/recordings/{second}").json()["previous"]["report"] == RIGHT
    assert reader.get(f"/api/recordings/{first}").json()["previous"] is None
    assert reader.get(f"/api/recordings/{third}").json()["previous"] is None


def test_every_phrase_is_read_back():
    from meit.reports.statements import read
    from meit.station.app.recording_pages import phrases

    assert len(phrases()) > 70 and len(set(phrases())) == len(phrases())
    for phrase in phrases():
        found = read(phrase)
        assert found.statements and not found.unread and phrase.endswith("."), phrase


def test_what_is_left_out_can_be_written_as_it_is_offered():
    from meit.drafting.checks.grounding import finding_of
    from meit.drafting.checks.grounding_rules import grounding_rules
    from meit.reports.statements import read_statements
    from meit.station.page_data import capital

    codes = {code for rule in grounding_rules() if rule.names for code in rule.codes}
    assert len(codes) > 20
    unread = {
        code for code in codes if code not in {one.code for one in read_statements(f"{capital(finding_of(code))}.")}
    }
    assert not unread
