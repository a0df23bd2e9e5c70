"""A study from its making to its results, over the application."""

import csv
import io
import re

import pytest
from stations import add_drafted

REPORTS = (
    "Sinus rhythm. Normal ECG.",
    "Atrial fibrillation.",
    "Sinus rhythm. First degree AV block.",
    "Sinus bradycardia.",
)


@pytest.fixture
def study(enter, store):
    """Made by the leader for two readers: "ada", who has every role, and "reader"."""
    for number, report in enumerate(REPORTS, 1):
        add_drafted(store, report, number=number, patient_id="Smith")
    leader = enter("leader")
    page = leader.get("/studies").text
    people = re.findall(r'name="readers" value="(\d+)"', page)
    assert len(people) == 2 and "of 4 with a draft" in page
    made = leader.post("/studies", data={"name": "Does it help?", "readers": people, "recordings": 4, "seed": "7"})
    assert made.status_code == 303
    return made.headers["location"].split("/")[-1]


def begin(visitor, study) -> str:
    place = visitor.get(f"/studies/{study}/next").headers["location"]
    assert visitor.get(place).status_code == 200
    return f"/api{place}"


def test_from_the_first_reading_to_the_results(enter, store, study):
    arms = {}
    for login in ("reader", "ada"):
        visitor = enter(login)
        for number in range(1, 5):
            api = begin(visitor, study)
            given = visitor.get(api).json()
            view = visitor.get(f"{api}/view").json()
            assert (
                view["name"] == f"Recording {number} of 4"
                and view["patient"]["id"] is None
                and "Smith" not in str(given)
            )
            assert len(visitor.get(f"{api}/signal").content) == 4 * view["samples"] * 12
            drafted = given["draft"] is not None
            assert drafted == bool(given["text"]["text"]) == (given["checked"] is not None)
            assert (visitor.post(f"{api}/check", json={"text": "Sinus rhythm."}).json() is not None) == drafted
            arms[login] = [*arms.get(login, []), drafted]
            text = f"{given['text']['text']} Left axis deviation.".strip()
            assert visitor.put(f"{api}/text", json={"text": text, "active_ms": 1, "keystrokes": 5}).status_code == 200
            assert visitor.get(api).json()["keystrokes"] == 5  # a page that is loaded again goes on from there
            empty = visitor.post(f"{api}/finish", json={"text": " ", "active_ms": 1, "keystrokes": 5})
            assert empty.status_code == 400
            done = visitor.post(f"{api}/finish", json={"text": text, "active_ms": 10**9, "keystrokes": 3})
            assert done.json() == {"finished": True}
            again = visitor.put(f"{api}/text", json={"text": "else", "active_ms": 1, "keystrokes": 5})
            assert again.status_code == 400 and "finished" in again.json()["error"]
        assert visitor.get(f"/studies/{study}/next").headers["location"] == "/studies"
    assert all(sum(one) == 2 for one in arms.values())

    leader = enter("leader")
    page = leader.get(f"/studies/{study}").text
    assert "8 of 8 readings" in page and "linear mixed model" in page and "longer than 30 s counts as 30 s" in page
    rows = list(csv.DictReader(io.StringIO(leader.get(f"/studies/{study}/results.csv").text)))
    assert len(rows) == 8 and {row["reader"] for row in rows} == {"reader 1", "reader 2"}
    for row in rows:
        assert row["keystrokes"] == "5" and float(row["active_s"]) < 60  # no more than has passed
        assert (row["distance"], row["added"], row["removed"]) == (
            ("3", "1", "0") if row["arm"] == "draft" else ("", "", "")
        )
    by_recording = {}
    for row in rows:
        by_recording.setdefault(row["recording"], []).append(row["arm"])
    assert all(sorted(one) == ["blank", "draft"] for one in by_recording.values())
    assert leader.get(f"/studies/{study}/times.png").content[:4] == b"\x89PNG"
    assert leader.post("/api/worklist", json={}).json()["counts"]["signed"] == 0  # no clinical report came of it


def test_a_reading_is_its_reader_s_alone(enter, study):
    reader, other = enter("reader"), enter("ada")
    api = begin(reader, study)
    for method, path, body in (
        ("get", api, None),
        ("get", f"{api}/view", None),
        ("get", f"{api}/signal", None),
        ("post", f"{api}/check", {"text": ""}),
        ("put", f"{api}/text", {"text": "", "active_ms": 0, "keystrokes": 0}),
        ("post", f"{api}/finish", {"text": "x", "active_ms": 0, "keystrokes": 0}),
        ("get", api.removeprefix("/api"), None),
    ):
        found = other.request(method.upper(), path, **({"json": body} if body is not None else {}))
        assert found.status_code == 404, path


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"recordings": 99}, "4 have a draft"),
        ({"recordings": 1}, "2 to 4"),
        ({"readers": []}, "needs a reader"),
        ({"name": " "}, "name is missing"),
        ({"seed": "x"}, "whole number"),
        ({"idle_s": 1}, "5 to 600"),
    ],
)
def test_what_is_no_study(enter, study, change, words):
    leader = enter("leader")
    people = re.findall(r'name="readers" value="(\d+)"', leader.get("/studies").text)
    given = {"name": "Another", "readers": people, "recordings": 2, "seed": "", "idle_s": 30, **change}
    found = leader.post("/studies", data=given)
    assert found.status_code == 400 and words in found.text


def test_the_same_seed_draws_the_same(enter, store, study):
    from sqlalchemy import select

    from meit.station.store.schema import StudyReading

    leader = enter("leader")
    people = re.findall(r'name="readers" value="(\d+)"', leader.get("/studies").text)
    leader.post("/studies", data={"name": "Again", "readers": people, "recordings": 4, "seed": "7"})
    with store.reading() as session:
        columns = (StudyReading.account_id, StudyReading.recording_id, StudyReading.arm, StudyReading.position)
        first, second = (
            [tuple(row) for row in session.execute(select(*columns).where(StudyReading.study_id == one))]
            for one in (1, 2)
        )
    assert sorted(first) == sorted(second) and len(first) == 8
