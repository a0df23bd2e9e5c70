"""The question box of the reading page, before a real browser, with a worker whose model may be asked."""

from dataclasses import replace

import pytest
from serving import serving, set_up, until
from stations import EXAMPLES, add_drafted

from meit.reports.questions import KINDS
from meit.station.store.recording_entries import get_recording

ASKED = "Is there atrial fibrillation?"


@pytest.fixture(scope="module")
def station(tmp_path_factory, chromium, build):
    folder = tmp_path_factory.mktemp("asking")
    model = build("llama")
    model.spec = replace(model.spec, asks=tuple(KINDS))
    model.save(folder / "model")
    with serving(f"sqlite:///{folder / 'station.db'}", folder / "log", "--model", str(folder / "model")) as station:
        yield station


def test_a_question_is_answered_apart_from_the_report(chromium, station):
    set_up(chromium, station)
    files = [str(EXAMPLES / f"00195_hr.{suffix}") for suffix in ("hea", "dat")]
    chromium.find_element("id", "files").send_keys("\n".join(files))
    drafted = """const row = document.querySelector('#worklist tbody tr');
        return row && !/queued|drafting/.test(row.querySelector('.status').textContent) && row.dataset.id"""
    chromium.get(f"{station.address}/recordings/{until(chromium, drafted, seconds=120)}")
    until(chromium, "return window.page?.known?.text")
    text = chromium.find_element("id", "text").get_attribute("value")
    chromium.find_element("css selector", "#asking summary").click()
    chromium.find_element("id", "question").send_keys(ASKED)
    chromium.find_element("css selector", "#asking button").click()
    answer = until(
        chromium, "return document.querySelector('#answer .words') && document.getElementById('answer').textContent"
    )
    assert (
        answer.startswith(f"Asked: {ASKED}") and "no report, and not a diagnosis" in answer and "Model tiny 0" in answer
    )
    assert chromium.find_element("id", "text").get_attribute("value") == text  # nothing of it is in the report
    chromium.find_element("id", "question").clear()
    chromium.find_element("id", "question").send_keys("   ")
    chromium.find_element("css selector", "#asking button").click()
    until(chromium, "return document.getElementById('answer').textContent.includes('the question is empty')")


def test_what_may_be_asked_and_by_whom(enter, store):
    api = f"/api/recordings/{get_recording(store, add_drafted(store)).public_id}/questions"
    reader = enter("reader")
    asked = reader.post(api, json={"question": f" {ASKED}\n"})
    assert asked.status_code == 202
    assert reader.get(f"{api}/{asked.json()['id']}").json() == {"question": ASKED, "answer": None, "error": None}
    assert "at most 300" in reader.post(api, json={"question": "a" * 301}).json()["error"]
    assert enter("leader").post(api, json={"question": ASKED}).status_code == 403
