"""What is drawn is true: scale, layouts, amplitudes and times in pixels, gaps, filters; and it agrees with the paper."""

import itertools
import re
from xml.etree import ElementTree

import numpy as np
import pytest

from meit.ecg import read_ecg
from meit.ecg.paper import draw_paper
from meit.ecg.recording import LEADS
from meit.station.viewer_document import LAYOUTS

CSS_MM = 96 / 25.4
NUMBER = r"-?\d+\.?\d*(?:e-?\d+)?"


def test_one_millivolt_is_ten_millimetres(page):
    page.open("spiked").run("viewer.trueSize(); viewer.view.x = viewer.view.y = 0; viewer.moved()")
    drawn = page.geometry()
    assert drawn["px_per_mm"] == pytest.approx(CSS_MM) and drawn["zoom"] == pytest.approx(1)
    foot, _, top, end, *_ = drawn["pulses"][0]
    assert foot[1] - top[1] == pytest.approx(10 * CSS_MM)
    assert end[0] - top[0] == pytest.approx(5 * CSS_MM)
    ink = page.ink(top[0] - 6, top[1] - 8, end[0] + 6, foot[1] + 8)
    rows = np.flatnonzero(ink.sum(axis=1) > 4)  # the pulse's top, and its feet
    assert rows[-1] - rows[0] == pytest.approx(10 * CSS_MM, abs=1.5)
    columns = np.flatnonzero(ink.sum(axis=0) > 20)  # its sides
    assert columns[-1] - columns[0] == pytest.approx(5 * CSS_MM, abs=1.5)


@pytest.mark.parametrize(("speed", "gain", "zoom"), [(25, 10, 1.0), (50, 20, 1.0), (25, 5, 3.0)])
def test_waves_are_where_and_as_high_as_recorded(page, speed, gain, zoom):
    page.open("spiked").show(layout="6x2", speed=speed, gain=gain)
    page.run("viewer.trueSize(); viewer.zoom(given[0]); viewer.view.x = viewer.view.y = 0; viewer.moved()", zoom)
    panel = page.panel("I")
    mm = CSS_MM * zoom
    assert panel["px_per_s"] == pytest.approx(speed * mm) and panel["px_per_mv"] == pytest.approx(gain * mm)
    for at in (0.5, 1.5):
        x = panel["left"] + at * panel["px_per_s"]
        top = panel["baseline"] - panel["px_per_mv"]
        ink = page.ink(x - 3, top - 6, x + 4, panel["baseline"] - 4)
        assert np.flatnonzero(ink.any(axis=1))[0] - 6 == pytest.approx(0, abs=3)  # the tip, half a line above
        half = page.ink(
            x - 0.04 * panel["px_per_s"],
            (top + panel["baseline"]) / 2,
            x + 0.04 * panel["px_per_s"],
            (top + panel["baseline"]) / 2 + 1,
        )
        columns = np.flatnonzero(half[0])
        assert columns.mean() == pytest.approx(0.04 * panel["px_per_s"], abs=1.5)
        assert columns[-1] - columns[0] == pytest.approx(0.02 * panel["px_per_s"], abs=3)


def test_small_and_large_squares(page):
    page.open("spiked").run("viewer.trueSize(); viewer.zoom(2); viewer.view.x = viewer.view.y = 0; viewer.moved()")
    line = page.pixels(0, 3, 900, 4)[0].astype(int)
    bright = line.sum(axis=1)
    coarse = np.flatnonzero(bright < 600)
    starts = coarse[np.diff(coarse, prepend=-9) > 1]
    assert np.diff(starts) == pytest.approx(10 * CSS_MM, abs=1.1)
    fine = np.flatnonzero(bright < 720)
    starts = fine[np.diff(fine, prepend=-9) > 1]
    assert np.diff(starts) == pytest.approx(2 * CSS_MM, abs=1.1)


def test_layouts_follow_their_table(page):
    page.open("spiked")
    for layout, (_, rows) in LAYOUTS.items():
        drawn = page.show(layout=layout)
        panels = drawn["panels"]
        assert [one["lead"] for one in panels] == [lead for row in rows for lead in row]
        assert len(drawn["pulses"]) == len(rows) and drawn["width_mm"] == 275 and drawn["height_mm"] == 160
        shown = iter(panels)
        for row in rows:
            each = [next(shown) for _ in row]
            assert [one["from_s"] for one in each] == [10 / len(row) * place for place in range(len(row))]
            assert len({one["top"] for one in each}) == 1
            for one, after in itertools.pairwise(each):
                assert after["left"] == pytest.approx(one["right"])


def test_one_lead_is_magnified(page):
    page.open("real").run("document.querySelector('.ecg-name[data-at^=\"V2\"]').click()")
    assert page.state("lead") == "V2" and page.state("layout") == "3x4"
    page.run("document.querySelector('.ecg-name[data-at^=\"V2\"]').click()")
    drawn = page.geometry()
    assert {one["lead"] for one in drawn["panels"]} == {"V2"} and drawn["zoom"] > 1.8
    assert [(one["from_s"], one["to_s"]) for one in drawn["panels"]] == [(0, 5), (5, 10)]


def test_a_highlighted_lead_stands_out(page):
    page.open("real").show(layout="12x1", lead="V2")
    dark = {}
    for lead in ("V2", "aVL"):
        panel = page.panel(lead)
        dark[lead] = page.ink(panel["left"] + 60, panel["top"], panel["right"], panel["bottom"]).sum()
    assert dark["V2"] > 300 and dark["aVL"] < 0.1 * dark["V2"]


def points(path: str) -> np.ndarray:
    return np.array([float(number) for number in re.findall(NUMBER, path)]).reshape(-1, 2)


def test_agrees_with_the_paper(page, example, tmp_path):
    svg = ElementTree.parse(draw_paper(read_ecg(example), tmp_path / "sheet.svg"))
    space = {"svg": "http://www.w3.org/2000/svg"}
    traces = page.open("real").run(
        "viewer.pages.put(); return [...document.querySelectorAll('.ecg-trace')].map((one) => [one.dataset.lead, one.getAttribute('d')])"
    )
    assert len(traces) == 13
    for lead, path in traces[:12]:
        ours = points(path.replace("h0", "")) + np.array([11, 32])
        theirs = points(svg.find(f".//svg:g[@id='lead-{lead}']/svg:path", space).get("d")) * 25.4 / 72
        assert np.abs(ours - theirs[: len(ours)]).max() < 0.02  # mm
    page.run("viewer.pages.take()")


def test_what_was_not_recorded_is_no_line(page):
    drawn = page.open("gapped").show(layout="6x2")
    panels = {one["lead"]: one for one in drawn["panels"]}
    assert panels["V3"]["empty"] == "not recorded" and not panels["V2"]["empty"]
    assert panels["V1"]["gaps"] == [[pytest.approx(5.398), pytest.approx(6.2)]]
    for lead, start, end in (("V3", 5.2, 9.9), ("V1", 5.45, 6.15)):
        panel = panels[lead]
        left, right = (panel["left"] + (s - panel["from_s"]) * panel["px_per_s"] for s in (start, end))
        ink = page.ink(left, panel["top"] + 2, right, panel["bottom"] - 2)
        assert not (ink.any(axis=0).mean() > 0.4)  # its words have ink, a line would have it in every column
        hatched = page.pixels(left, panel["top"] + 4, left + 14, panel["top"] + 14)[..., :3].max(axis=-1)
        assert (hatched < 235).any()
    names = page.run("return [...document.querySelectorAll('.ecg-name')].map((one) => one.getAttribute('aria-label'))")
    assert {"Lead V3 not recorded", "Lead aVL derived", "Lead V1"} <= set(names)
    assert "V3 is not recorded" in page.text(".ecg-notes")
    assert "Not recorded: V3" in page.run("return viewer.canvas.getAttribute('aria-label')")


def test_the_filter_in_force_is_written(page):
    page.open("real")
    assert "no filter" in page.text(".ecg-scale")
    for band, mains, words in (("0.5-40", "off", "0.5–40 Hz"), ("0.05-150", "60", "0.05–150 Hz, notch 60 Hz")):
        page.show(band=band, mains=mains)
        assert page.text(".ecg-scale").endswith(words)
    before = page.run("return viewer.ecg.leads.get('II').values.slice(0, 9)")
    page.run("viewer.show({ band: 'none' }); await viewer.show({ mains: 'off' })")
    assert page.text(".ecg-scale").endswith("no filter")
    assert page.run("return viewer.ecg.leads.get('II').values.slice(0, 9)") != before
    page.open("slow").show(mains="60", band="0.05-150")  # no notch at 100 Hz
    assert page.text(".ecg-scale").endswith("nothing above 50 Hz)")


def test_the_median_beat_with_its_brackets(page, example):
    from meit.ecg.measure import measure

    found = measure(read_ecg(example))
    drawn = page.open("real").show(layout="beat", speed=50)
    assert {one["title"]: one["ms"] for one in drawn["brackets"]} == {
        "PR": found["pr_ms"].value,
        "QRS": found["qrs_ms"].value,
        "QT": found["qt_ms"].value,
    }
    for one in drawn["brackets"]:
        assert one["x1"] - one["x0"] == pytest.approx(one["ms"] / 1000 * 50)
    single = [one for one in drawn["panels"] if not one["together"]]
    assert sorted(one["lead"] for one in single) == sorted(LEADS)
    assert "median of 10 beats, 0.5 Hz high-pass" in page.text(".ecg-scale")
    assert [one["empty"] for one in page.open("gapped").show(layout="beat")["panels"] if one["lead"] == "V3"] == [
        "not measured"
    ]


def test_the_previous_recording_in_another_ink(page):
    drawn = page.open("real", "slow").show(compare="over")
    now, before = (
        next(one for one in drawn["panels"] if one["lead"] == "V5" and one["ink"] == ink)
        for ink in ("current", "previous")
    )
    assert (now["left"], now["px_per_mv"], now["baseline"]) == (before["left"], before["px_per_mv"], before["baseline"])
    beats = [
        page.run(f"return viewer.{one}.about.beats.filter((beat) => beat.usual).map((beat) => beat.at_s)")
        for one in ("ecg", "previous")
    ]
    first = next(at for at in beats[0] if at >= now["from_s"])
    offset = before["from_s"] - now["from_s"]
    assert min(abs(at - offset - first) for at in beats[1]) < 0.002  # a beat over the panel's first
    blue = page.pixels(now["left"], now["top"], now["right"], now["bottom"])[..., :3].astype(int)
    assert ((blue[..., 2] - blue[..., 0]) > 90).sum() > 100
    drawn = page.show(compare="beneath")
    panels = [one for one in drawn["panels"] if one["lead"] == "V5"]
    assert panels[1]["top"] == pytest.approx(panels[0]["bottom"]) and drawn["height_mm"] == 320
    assert "previous ECG, 00041_lr" in page.text(".ecg-notes") and "Lead V5 previous" in page.run(
        "return [...document.querySelectorAll('.ecg-name')].map((one) => one.getAttribute('aria-label'))"
    )
    headings = page.run("return [...viewer.table.querySelectorAll('th[scope=col]')].map((one) => one.textContent)")
    assert headings[:4] == ["Measurement", "Value", "Previous", "Reliability"]


def test_fine_screens_get_fine_lines(page):
    metrics = {"width": 1366, "height": 768, "deviceScaleFactor": 2, "mobile": False}
    page.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    page.open("spiked")
    assert page.run("return [viewer.canvas.width, viewer.stage.clientWidth]") == [2732, 1366]


def test_a_signal_that_is_not_whole_is_refused(page):
    page.open("broken", outcome="not whole")
    assert "can't be shown" in page.text(".ecg-notes [role=alert]")
