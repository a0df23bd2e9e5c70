"""What a reader's hands do: calipers, zoom and pan by mouse, finger and keys; every control by key; screen scale."""

import pytest
from selenium.webdriver.common.keys import Keys

from meit.ecg.measure import GLOBAL
from meit.ecg.recording import LEADS

CSS_MM = 96 / 25.4


def reading(page) -> dict:
    return page.run("return viewer.caliper")


def test_calipers_by_mouse(page):
    page.open("spiked").focus()
    page.press("c")
    panel = page.panel("II")
    x = [panel["left"] + s * panel["px_per_s"] for s in (0.5, 1.5)]  # from peak to peak
    y = [panel["baseline"], panel["baseline"] - panel["px_per_mv"]]
    page.mouse("mousePressed", x[0], y[0])
    page.mouse("mouseMoved", x[1] - 40, y[1])
    page.mouse("mouseMoved", x[1], y[1])
    page.mouse("mouseReleased", x[1], y[1])
    found = reading(page)
    assert found["ms"] == pytest.approx(1000, abs=12) and found["mv"] == pytest.approx(1.0, abs=0.03)  # half a pixel
    assert found["bpm"] == round(60_000 / found["ms"])
    assert found["text"] == f"{found['ms']} ms / {found['bpm']} per min, {found['mv']:.2f} mV"
    assert page.text(".ecg-reading") == found["text"]
    page.run("await new Promise((go) => setTimeout(go, 450))")
    assert page.text(".ecg-live") == f"II: {found['text']}"

    page.mouse("mousePressed", x[1], y[1])  # the second corner's handle
    page.mouse("mouseMoved", x[1] - 0.2 * panel["px_per_s"], y[1])
    page.mouse("mouseReleased", x[1] - 0.2 * panel["px_per_s"], y[1])
    assert reading(page)["ms"] == pytest.approx(found["ms"] - 200, abs=5)
    kept = reading(page)
    page.show(gain=20, speed=50, band="0.5-40")
    page.run("viewer.zoom(3)")
    assert reading(page) == kept  # they stay in time and mV
    page.show(layout="12x1")
    assert reading(page) == kept
    page.press("x")
    assert reading(page) is None


def test_calipers_by_keys_alone(page):
    page.open("spiked").focus()
    page.press("l", "l", "c")  # lead II, calipers in the middle of it
    assert reading(page)["text"] == "200 ms / 300 per min, 0.50 mV"
    assert page.run("return document.activeElement.getAttribute('aria-label')").startswith(
        "Calipers, first corner, lead II"
    )
    page.press(Keys.TAB, *[Keys.ARROW_RIGHT] * 3, *[Keys.ARROW_UP] * 2)
    assert reading(page)["text"] == "206 ms / 291 per min, 0.52 mV"
    page.press(Keys.ARROW_RIGHT * 10 + Keys.ARROW_DOWN * 6, hold=Keys.SHIFT)
    assert reading(page)["text"] == "406 ms / 148 per min, −0.08 mV"
    page.press(Keys.ESCAPE, "x")
    assert reading(page) is None and page.run("return viewer.tool") == "pan"


def test_calipers_by_touch(page):
    page.open("spiked").focus()
    page.driver.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": True})
    page.press("c")
    panel = page.panel("V1")
    x, y = panel["left"] + 40, panel["baseline"]
    page.touch("touchStart", (x, y))
    page.touch("touchMove", (x + 30, y - 10))
    page.touch("touchMove", (x + 0.4 * panel["px_per_s"], y - 10))
    page.touch("touchEnd")
    assert reading(page)["ms"] == pytest.approx(400, abs=6)
    page.driver.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": False})


def test_wheel_drag_and_pinch(page):
    page.open("real")
    before = page.geometry()
    page.mouse("mouseWheel", 500, 300, deltaX=0, deltaY=-300, modifiers=2, button="none")
    page.run("await new Promise((go) => setTimeout(go, 60))")
    zoomed = page.geometry()
    assert zoomed["zoom"] > 1.5 * before["zoom"]
    x = 500 - before["panels"][0]["left"]  # what lies beneath the pointer stays there
    ratio = zoomed["px_per_mm"] / before["px_per_mm"]
    assert zoomed["panels"][0]["left"] == pytest.approx(500 - x * ratio, abs=0.5)

    page.mouse("mousePressed", 600, 300)
    page.mouse("mouseMoved", 560, 280)
    page.mouse("mouseMoved", 520, 270)
    page.mouse("mouseReleased", 520, 270)
    dragged = page.geometry()
    assert dragged["panels"][0]["left"] == pytest.approx(zoomed["panels"][0]["left"] - 80, abs=0.5)
    assert dragged["panels"][0]["top"] == pytest.approx(zoomed["panels"][0]["top"] - 30, abs=0.5)

    page.touch("touchStart", (500, 300), (600, 300))
    page.touch("touchMove", (480, 300), (620, 300))
    page.touch("touchMove", (450, 300), (650, 300))
    page.touch("touchEnd")
    assert page.geometry()["zoom"] == pytest.approx(2 * dragged["zoom"], rel=0.05)


KEYS = (  # pressed on the sheet as it opens, and what they make of the state
    ("2", "layout", "6x2"),
    ("3", "layout", "12x1"),
    ("4", "layout", "lead"),
    ("5", "layout", "beat"),
    ("21", "layout", "3x4"),
    ("y", "layout", "6x2"),
    ("s", "speed", 50),
    ("ss", "speed", 25),
    ("a", "gain", 20),
    ("aa", "gain", 5),
    ("f", "band", "0.05-150"),
    ("ff", "band", "0.5-40"),
    ("n", "mains", "50"),
    ("v", "compare", "over"),
    ("V", "compare", "beneath"),
    ("g", "grid", "grey"),
    ("lll", "lead", "III"),
    ("L", "lead", "V6"),
    ("l" + Keys.ESCAPE, "lead", None),
    ("4" + Keys.ESCAPE, "layout", "3x4"),
)


def test_every_state_has_a_key(page):
    page.open("real", "slow").focus()
    first = page.run("return viewer.state")
    for keys, name, value in KEYS:
        page.press(*keys)
        assert page.state(name) == value, keys
        page.show(**first)


def test_view_by_keys(page):
    page.open("real").focus()
    fitted = page.geometry()["zoom"]
    page.press("+", "+")
    assert page.geometry()["zoom"] == pytest.approx(fitted * 1.25**2)
    left = page.geometry()["panels"][0]["left"]
    page.press(Keys.ARROW_RIGHT)
    assert page.geometry()["panels"][0]["left"] == pytest.approx(left - 60, abs=1)
    page.press("-")
    assert page.geometry()["zoom"] == pytest.approx(fitted * 1.25)
    page.press("t")
    assert page.geometry()["px_per_mm"] == pytest.approx(CSS_MM)
    page.press("0")
    assert page.geometry()["zoom"] == pytest.approx(fitted)


def test_long_recordings_have_pages(page):
    page.open("long").focus()
    assert page.text(".ecg-head .ecg-right") == "0–10 s of 25 s, 250 Hz"
    page.press(Keys.PAGE_DOWN, Keys.PAGE_DOWN, Keys.PAGE_DOWN)
    assert page.text(".ecg-head .ecg-right") == "20–25 s of 25 s, 250 Hz"
    panel = page.panel("V4")  # 27.5 s on
    assert panel["empty"] == "recording ended" and not page.panel("aVR")["empty"]
    page.press(Keys.PAGE_UP)
    assert page.state("start") == 10


def test_every_control_is_a_named_button_with_a_key(page):
    page.open("real", "slow")
    buttons = page.run(
        """return [...document.querySelectorAll('.ecg-controls button')].map((one) =>
            [one.tagName, one.type, one.getAttribute('aria-label') ?? '', one.getAttribute('aria-keyshortcuts') ?? '', one.tabIndex])"""
    )
    assert len(buttons) > 25
    for tag, kind, name, key, tab in buttons:
        assert (tag, kind, tab) == ("BUTTON", "button", 0) and len(name) > 4 and key
    page.focus()
    page.press("?")
    listed = page.run(
        "return [...document.querySelectorAll('dialog[open] kbd')].map((one) => one.textContent.toUpperCase())"
    )
    assert {key for *_, key, _ in buttons} <= set(listed)
    page.press(Keys.ESCAPE)
    page.focus()
    outline = page.run("const style = getComputedStyle(viewer.stage); return [style.outlineStyle, style.outlineWidth]")
    page.press(Keys.TAB)
    assert outline == ["solid", "3px"]
    page.press("m")
    assert page.run("return document.activeElement === viewer.table && !viewer.table.hidden")
    assert page.run("return viewer.table.querySelectorAll('tbody tr').length") == len(GLOBAL) + len(LEADS)


def test_keys_leave_text_fields_and_browser_shortcuts_alone(page):
    page.open("real")
    page.run("const box = document.createElement('input'); document.body.prepend(box); box.focus()")
    page.press("2", "s")
    assert page.state("layout") == "3x4" and page.state("speed") == 25
    page.focus()
    page.press("f", hold=Keys.CONTROL)
    assert page.state("band") == "none"


def test_the_screens_scale_is_kept(page):
    page.open("real").focus()
    page.press("t", "k")
    page.run(
        "const slider = document.querySelector('dialog[open] input'); slider.value = 1.2; slider.dispatchEvent(new Event('input', { bubbles: true }))"
    )
    assert page.run("return document.querySelector('.ecg-card').getBoundingClientRect().width") == pytest.approx(
        85.6 * CSS_MM * 1.2, abs=0.5
    )
    page.press(Keys.ESCAPE)
    assert page.geometry()["px_per_mm"] == pytest.approx(1.2 * CSS_MM) and page.geometry()["zoom"] == pytest.approx(1)
    page.open("real").run("viewer.trueSize()")
    assert page.geometry()["px_per_mm"] == pytest.approx(1.2 * CSS_MM)
