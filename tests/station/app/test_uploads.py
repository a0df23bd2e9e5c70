"""Recordings in: of every format at once, hostile ones, the same ones twice."""

import io
import time
import zipfile
from dataclasses import replace

import numpy as np
import pytest
from stations import EXAMPLES, example_draft, example_files

from meit.model.report_model import load_model
from meit.station.store.recording_entries import add_recording, files_of, find_recording
from meit.station.store.saved_drafts import save_draft
from meit.station.work.worker import Worker

HOSTILE = "<script>alert(1)</script>"


def send(visitor, files: dict[str, bytes]):
    return visitor.post("/api/recordings", files=[("files", (name, content)) for name, content in files.items()])


def test_several_recordings_in_one_upload(enter, store):
    reader = enter("reader")
    files = {**example_files("00195_hr"), **example_files("00041_lr")}
    found = send(reader, files)
    assert found.status_code == 201 and [one["added"] for one in found.json()] == [True, True]
    for one in found.json():
        assert files_of(store, find_recording(store, one["id"]).id) == {name: files[name] for name in one["files"]}
    again = send(reader, files).json()
    assert [one["added"] for one in again] == [False, False] and again[0]["id"] == found.json()[0]["id"]
    assert reader.post("/api/worklist", json={}).json()["counts"]["queued"] == 2


@pytest.mark.parametrize(
    "name", ["../../etc/cron.d/x", "..\\..\\x.hea", "/etc/passwd", ".hidden", "con:.csv", "..", "x" * 300]
)
def test_names_lead_nowhere(enter, name, tmp_path):
    (one,) = send(enter("reader"), {name: b"0"}).json()
    assert one["error"] and not one["added"]


def test_two_files_of_one_name_are_refused(enter):
    """Neither may be lost, nor the header of one recording meet the signal of another."""
    reader = enter("reader")
    files = [("files", ("x.hea", b"1")), ("files", ("x.dat", b"2")), ("files", ("x.dat", b"3"))]
    found = reader.post("/api/recordings", files=files, headers={"Accept": "application/json"})
    assert found.status_code == 400 and "x.dat" not in found.text
    assert reader.post("/api/worklist", json={}).json()["items"] == []


def bomb() -> bytes:
    """A file of 100 MB of zeros in 100 kB, ten times over."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(10):
            archive.writestr(f"{number}.dat", bytes(10**7))
    return packed.getvalue()


LAUGHS = b"""<?xml version="1.0"?><!DOCTYPE r [<!ENTITY a "ha">%s]><RestingECG><n>&i;</n></RestingECG>""" % b"".join(
    b'<!ENTITY %c "%s">' % (after, b"&%c;" % before * 10)
    for before, after in zip(b"abcdefgh", b"bcdefghi", strict=True)
)
OUTSIDE = b"""<?xml version="1.0"?><!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]>
<RestingECG><n>&x;</n></RestingECG>"""


def test_bombs_and_nonsense_fail_alone(enter, store, build, tmp_path):
    """A worker reads them; the one good recording among them is drafted, and nobody's words come back as markup."""
    reader = enter("reader")
    files = {
        "bomb.zip": bomb(),
        "laughs.xml": LAUGHS,
        "outside.xml": OUTSIDE,
        "text.csv": HOSTILE.encode(),
        "empty.npy": b"",
        "header.hea": f"{HOSTILE} 12 500 5000\n".encode(),
        "noise.dat": np.random.default_rng(0).bytes(1000),
        **example_files("00041_lr"),
    }
    taken = send(reader, files).json()
    assert sum(one["added"] for one in taken) == len(files) - 1 - sum(one["error"] is not None for one in taken)
    build("llama").save(tmp_path / "model")
    worker = Worker(store, load_model(tmp_path / "model"), "worker")
    begun = time.perf_counter()
    while worker.work_once():
        pass
    assert time.perf_counter() - begun < 60
    items = {one["name"]: one for one in reader.post("/api/worklist", json={}).json()["items"]}
    assert items.pop("00041_lr")["status"] == "drafted"
    assert {one["status"] for one in items.values()} == {"failed"} and all(one["error"] for one in items.values())
    assert not any("root:" in one["error"] for one in items.values())
    assert HOSTILE not in reader.get("/").text


def test_a_recording_named_by_an_attacker(enter, store):
    """Its name and its patient are text on every page and in every export."""
    name = "'\"><img src=x onerror=alert(1)>"
    header = (EXAMPLES / "00195_hr.hea").read_bytes()
    number, _ = add_recording(store, {"x.hea": header, "x.dat": (EXAMPLES / "00195_hr.dat").read_bytes()})
    draft = example_draft("Sinus rhythm.")
    draft = replace(draft, recording=replace(draft.recording, name=name))
    with store.writing() as session:
        save_draft(session, number, draft, name)
    reader = enter("reader")
    (item,) = reader.post("/api/worklist", json={"search": "onerror"}).json()["items"]
    assert item["name"] == item["patient_id"] == name
    for path in ("/", f"/recordings/{item['id']}"):
        assert "<img src=x" not in reader.get(path).text
