"""The viewer as a part of a page: marks, events, hostile texts, printing, taking it away."""

import base64
import re

import numpy as np
import pytest

CSS_MM = 96 / 25.4


def test_marks_lie_on_leads_and_time(page):
    page.open("real").show(layout="6x2")
    page.run("viewer.mark(['V1', 'V2'], 5.6, 6.0, 'ST elevation')")
    for lead, marked in (("V1", True), ("V2", True), ("V3", False)):
        panel = page.panel(lead)
        inside, outside = (panel["left"] + (s - panel["from_s"]) * panel["px_per_s"] for s in (5.8, 6.3))
        middle = (panel["top"] + panel["bottom"]) / 2
        assert page.pixels(inside, middle, inside + 2, middle + 2, "overlay")[..., 3].all() == marked
        assert not page.pixels(outside, panel["top"] + 2, outside + 2, middle, "overlay")[..., 3].any()
    assert page.text(".ecg-live") == "Marked: ST elevation in V1, V2, 5.60 to 6.00 s"
    page.run("viewer.clear()")
    assert not page.run(
        "return viewer.overlay.getContext('2d').getImageData(0, 0, viewer.overlay.width, viewer.overlay.height).data.some(Boolean)"
    )


def test_a_mark_is_brought_into_view(page):
    page.open("long").run("viewer.zoom(6); viewer.mark(['V1'], 16.1, 16.4, 'pause')")
    assert page.state("start") == 10
    panel = page.panel("V1")
    left = panel["left"] + (16.1 - panel["from_s"]) * panel["px_per_s"]
    assert 0 <= left <= page.run("return viewer.stage.clientWidth")
    assert page.pixels(left + 4, max(panel["top"] + 5, 5), left + 6, max(panel["top"] + 7, 7), "overlay")[..., 3].all()


def test_marks_wait_for_the_recording(page):
    page.open("real")
    page.run("viewer.mark(['II']); await viewer.show({ layout: '12x1' })")
    panel = page.panel("II")
    assert page.pixels(panel["left"] + 9, panel["top"] + 4, panel["left"] + 11, panel["top"] + 6, "overlay")[
        ..., 3
    ].all()


def test_hostile_texts_are_texts(page):
    page.open("gapped", "gapped").show(compare="over")
    page.run("viewer.mark(['I'], 1, 2, given[0]); viewer.pages.put()", "<img src=x onerror=\"window.hit='mark'\">")
    page.run("await new Promise((go) => setTimeout(go, 100))")
    assert page.text(".ecg-head strong").startswith("<img src=x") and "Patient <img" in page.text(".ecg-head")
    assert "<img src=x" in page.text(".ecg-print") and "<img" in page.text(".ecg-live")
    assert page.run("return [document.querySelectorAll('img, script:not([src])').length, window.hit ?? null]") == [
        0,
        None,
    ]


def test_events_tell_the_page(page):
    page.open("real")
    page.run(
        "window.heard = []; for (const name of ['ecg-change', 'ecg-caliper']) document.addEventListener(name, (event) => heard.push([name, event.detail]))"
    )
    page.focus()
    page.press("2", "c")
    heard = page.run("return heard")
    assert heard[0][0] == "ecg-change" and heard[0][1]["layout"] == "6x2"
    assert heard[-1][0] == "ecg-caliper" and heard[-1][1]["ms"] == 200 and heard[-1][1]["lead"] == "I"


def test_destroyed_it_leaves_nothing(page):
    page.open("real").run("viewer.destroy(); dispatchEvent(new Event('beforeprint'))")
    assert page.run(
        "return [document.querySelectorAll('[class^=ecg]').length, document.documentElement.className]"
    ) == [0, ""]


@pytest.mark.parametrize(
    ("speed", "layout", "compare", "pages"), [(25, "3x4", "off", 1), (50, "6x2", "off", 2), (25, "12x1", "beneath", 2)]
)
def test_print_is_true_to_scale(page, speed, layout, compare, pages):
    page.open("real", "slow").show(speed=speed, layout=layout, compare=compare)
    pdf = base64.b64decode(page.driver.execute_cdp_cmd("Page.printToPDF", {"preferCSSPageSize": True})["data"])
    boxes = re.findall(rb"/MediaBox \[([\d. ]+)\]", pdf)
    assert len(boxes) == pages
    for box in boxes:
        assert [float(number) for number in box.split()] == pytest.approx(
            [0, 0, 297 * 72 / 25.4, 210 * 72 / 25.4], abs=0.6
        )

    page.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    page.run("viewer.pages.put()")
    drawn = page.run(
        """const box = (one) => { const { width, height } = one.getBoundingClientRect(); return [width, height]; };
        return [[...document.querySelectorAll('.ecg-page')].map(box), box(document.querySelector('.ecg-pulse')),
                getComputedStyle(document.getElementById('ecg')).display]"""
    )
    page.run("viewer.pages.take()")
    page.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
    assert np.array(drawn[0]) == pytest.approx(np.array([[297, 210]] * pages) * CSS_MM, abs=0.5)
    assert drawn[1] == pytest.approx([(0.2 * speed + 4) * CSS_MM, 10 * CSS_MM], abs=0.1)  # 0.2 s and two feet; 1 mV
    assert drawn[2] == "none"


def test_fits_its_screen(page):
    page.open("real", "slow")
    for width, height in ((1366, 768), (1024, 768), (600, 700)):
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        page.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        page.run("await new Promise((go) => setTimeout(go, 100))")
        drawn = page.geometry()
        assert page.run("return document.documentElement.scrollWidth") <= width
        assert drawn["panels"][0]["left"] >= 0 and drawn["panels"][3]["right"] <= width
        assert page.run("return viewer.stage.clientHeight") > 0.55 * height
        right = page.run(
            "return [...document.querySelectorAll('.ecg-controls button:not([hidden])')].map((one) => one.getBoundingClientRect().right)"
        )
        assert max(right) <= width
