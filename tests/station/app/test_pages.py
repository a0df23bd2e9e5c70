"""The station as its users have it: a server of its own, a worker with the shipped model, a real browser."""

import json
import urllib.request
from importlib.resources import files

import pytest
from serving import serving, set_up, until
from stations import EXAMPLES

WIDTHS = {"laptop": (1366, 768), "tablet": (820, 1180)}
FINE = ("minor", "moderate")  # of axe's four impacts; serious and critical ones fail


@pytest.fixture(scope="module")
def station(tmp_path_factory, chromium):
    folder = tmp_path_factory.mktemp("station")
    with serving(f"sqlite:///{folder / 'station.db'}", folder / "log") as station:
        yield station
    log = (folder / "log").read_text()
    assert "00195" not in log and "Traceback" not in log, log


@pytest.fixture(scope="module")
def browser(chromium, station):
    chromium.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride", {"width": 1366, "height": 768, "deviceScaleFactor": 1, "mobile": False}
    )
    chromium.execute_cdp_cmd(
        "Page.addScriptToEvaluateOnNewDocument",
        {
            "source": """
        window.violations = [];
        document.addEventListener("securitypolicyviolation", (event) =>
            violations.push(event.violatedDirective + " " + event.blockedURI));
    """
        },
    )
    set_up(chromium, station)
    return chromium


def faults(driver) -> list[str]:
    """What axe finds serious, and what the content security policy had to stop."""
    axe = files("axe_core_python").joinpath("axe.min.js").read_text(encoding="utf-8")
    driver.execute_cdp_cmd("Runtime.evaluate", {"expression": axe})
    found = driver.execute_async_script("const done = arguments[0]; axe.run().then((all) => done(all.violations))")
    serious = [one for one in found if one["impact"] not in FINE]
    said = [f"{one['id']}: {one['help']}: {[node['html'][:120] for node in one['nodes']]}" for one in serious]
    return said + driver.execute_script("return window.violations")


def keys(driver, *sent: str) -> None:
    from selenium.webdriver.common.action_chains import ActionChains

    ActionChains(driver, duration=0).send_keys(*sent).perform()


def focused(driver) -> str:
    return driver.execute_script(
        "return document.activeElement.id || document.activeElement.className || document.activeElement.tagName"
    )


def row(driver, name: str) -> str:
    """The id of a recording in the list, once it is drafted."""
    return until(
        driver,
        """const rows = [...document.querySelectorAll('#worklist tbody tr')];
        const named = rows.find((one) => one.textContent.includes(arguments[0]));
        return !/queued|drafting/.test(named?.querySelector('.status').textContent ?? 'queued') && named.dataset.id""",
        name,
        seconds=300,
    )


def download(driver, address: str) -> bytes:
    cookie = "; ".join(f"{one['name']}={one['value']}" for one in driver.get_cookies())
    return urllib.request.urlopen(urllib.request.Request(address, headers={"Cookie": cookie})).read()


def test_by_mouse_from_upload_to_export(browser, station):
    from selenium.webdriver.common.action_chains import ActionChains

    chosen = [
        str(EXAMPLES / f"{stem}.{suffix}") for stem in ("00195_hr", "00041_lr", "00178_lr") for suffix in ("hea", "dat")
    ]
    browser.find_element("id", "files").send_keys("\n".join(chosen))
    until(browser, "return document.getElementById('upload-words').textContent.startsWith('3 of 3')")
    assert faults(browser) == []
    id = row(browser, "00195_hr")
    browser.execute_script("document.querySelector(`tr[data-id='${arguments[0]}'] td`).click()", id)
    until(browser, "return window.page?.viewer?.sheet && document.querySelectorAll('[data-chip]').length > 1")
    assert faults(browser) == []

    chip = next(one for one in browser.find_elements("css selector", ".chip.measured") if "Right bundle" in one.text)
    ActionChains(browser).move_to_element(chip).perform()
    until(browser, "return document.getElementById('evidence').textContent.includes('QRS 146 ms')")
    marks = until(browser, "return page.viewer.parts.length && page.viewer.parts")
    assert {one["lead"] for one in marks} == {"V1"} and all(one["inside"] and one["x1"] > one["x0"] for one in marks)

    text = browser.find_element("id", "text")
    text.clear()
    text.send_keys("Normal ECG.")
    until(browser, "return document.querySelector('.chip.contradicted') && document.querySelector('.chip.missing')")
    until(browser, "return document.getElementById('saved').textContent === 'saved'")
    sign = browser.find_element("id", "sign")
    assert "doubtful" in sign.get_attribute("class")
    sign.click()
    until(browser, "return document.getElementById('signing').open")
    go = browser.find_element("css selector", "#signing button.main")
    assert not go.is_enabled()  # while what is contradicted is not acknowledged
    assert faults(browser) == []
    browser.find_element("css selector", "#signing button[type=button]").click()

    text.clear()
    text.send_keys("Sinus rhythm. Right bundle branch block.")
    until(
        browser,
        "return document.querySelectorAll('.chip.measured').length === 2 && !document.querySelector('.chip.contradicted')",
    )
    sign.click()
    until(browser, "return document.getElementById('signing').open")
    browser.find_element("css selector", "#signing button.main").click()
    until(browser, "return page.known.status === 'signed' && !document.getElementById('versions').hidden")
    assert browser.find_element("id", "sign").text == "Amend…" and not browser.find_element("id", "sign").is_enabled()
    api = f"{station.address}/api/recordings/{id}"
    assert download(browser, f"{api}/report.pdf").startswith(b"%PDF")
    fhir = json.loads(download(browser, f"{api}/report.fhir"))
    (report,) = (one["resource"] for one in fhir["entry"] if one["resource"]["resourceType"] == "DiagnosticReport")
    assert report["status"] == "final" and report["conclusion"] == "Sinus rhythm. Right bundle branch block."


def test_what_is_pointed_at_left_out_and_undone(browser, station):
    from selenium.webdriver.common.keys import Keys

    browser.get(f"{station.address}/")
    id, following = row(browser, "00041_lr"), row(browser, "00178_lr")
    browser.execute_script("sessionStorage.setItem('worklist', JSON.stringify(arguments[0]))", [id, following])
    browser.get(f"{station.address}/recordings/{id}")
    until(browser, "return window.page?.viewer?.sheet && document.querySelectorAll('[data-chip]').length > 1")
    marked = "return document.querySelector('.under mark')?.textContent"
    keys(browser, "f", "f")
    assert until(browser, marked) == "Marked left axis deviation"
    text = browser.find_element("id", "text")
    text.send_keys(Keys.CONTROL, "a")
    text.send_keys("Normal ECG. Normal axis")
    assert until(browser, marked) == "Normal ECG"  # contradicted: underlined without being pointed at
    missing = until(browser, "return document.querySelector('.chip.missing')")
    missing.click()
    added = until(browser, "return document.getElementById('text').value")
    assert added == "Normal ECG. Normal axis. Marked left axis deviation."
    text.send_keys(Keys.CONTROL, "z")
    assert text.get_attribute("value") == "Normal ECG. Normal axis"
    browser.find_element("id", "restart").click()
    assert text.get_attribute("value") == browser.execute_script("return page.known.draft.report")
    text.send_keys(Keys.CONTROL, "z")
    assert text.get_attribute("value") == "Normal ECG. Normal axis"
    keys(browser, Keys.ESCAPE, "n")  # at once: not yet saved
    until(browser, "return location.pathname === arguments[0] && window.page?.known", f"/recordings/{following}")
    kept = browser.execute_async_script(
        "fetch(`/api/recordings/${arguments[0]}`).then((one) => one.json()).then(arguments[1])", id
    )
    assert kept["text"]["text"] == "Normal ECG. Normal axis"
    browser.get(f"{station.address}/recordings/{id}")
    until(browser, "return document.querySelector('.chip.contradicted') && !document.getElementById('restart').hidden")
    browser.find_element("id", "restart").click()
    until(browser, "return document.getElementById('saved').textContent === 'saved'")


def test_what_is_not_read_is_marked_in_the_text(browser, station):
    from selenium.webdriver.common.keys import Keys

    browser.get(f"{station.address}/")
    browser.get(f"{station.address}/recordings/{row(browser, '00041_lr')}")
    until(browser, "return window.page?.viewer?.sheet && document.querySelectorAll('[data-chip]').length > 1")
    note = browser.find_element("id", "not-read")
    assert not note.is_displayed()
    text = browser.find_element("id", "text")
    drafted = text.get_attribute("value")
    text.send_keys(Keys.CONTROL, Keys.END)
    text.send_keys(" Zebra stripes in V3.")
    until(browser, "return document.querySelector('.under .not-read')?.textContent === 'Zebra stripes in V3'")
    assert "Not read: “Zebra stripes in V3”" in note.text and "no FHIR code" in note.text
    described = "return document.getElementById('text').getAttribute('aria-describedby').split(' ').map("
    said = browser.execute_script(f"{described} (id) => document.getElementById(id).textContent).join(' ')")
    assert "Not read: “Zebra stripes in V3”" in said
    assert faults(browser) == []
    note.find_element("tag name", "button").click()
    assert browser.execute_script(
        "const a = arguments[0]; return a.value.slice(a.selectionStart, a.selectionEnd)", text
    )
    browser.find_element("id", "sign").click()
    until(browser, "return document.getElementById('signing').open")
    assert "Not read, and stays text only: “Zebra stripes in V3”" in browser.find_element("id", "signing").text
    browser.find_element("css selector", "#signing button[type=button]").click()
    browser.find_element("id", "restart").click()
    until(browser, "return document.getElementById('not-read').hidden && !document.querySelector('.under .not-read')")
    assert text.get_attribute("value") == drafted
    until(browser, "return document.getElementById('saved').textContent === 'saved'")


def test_by_keyboard_alone(browser, station):
    from selenium.webdriver.common.keys import Keys

    browser.get(f"{station.address}/")
    row(browser, "00041_lr")
    keys(browser, "/")
    assert focused(browser) == "search"
    keys(browser, "00041")
    until(browser, "return document.querySelectorAll('#worklist tbody tr').length === 1")
    keys(browser, Keys.ENTER)
    until(browser, "return window.page?.viewer?.sheet && document.querySelectorAll('[data-chip]').length > 1")
    keys(browser, "f", "f")
    until(
        browser,
        "return document.activeElement.dataset.chip === 'Marked left axis deviation' && page.viewer.parts.length",
    )
    keys(browser, "?")
    until(browser, "return document.getElementById('keys').open")
    keys(browser, Keys.ESCAPE)
    keys(browser, "e")
    assert "ecg-stage" in focused(browser)
    keys(browser, Keys.ESCAPE)
    until(browser, "return document.activeElement.dataset.chip === 'Sinus rhythm'")
    keys(browser, "t")
    assert focused(browser) == "text"
    keys(browser, Keys.END, " left atr")
    until(
        browser,
        "return [...document.querySelectorAll('#offers li')].some((one) => one.textContent === 'Left atrial enlargement.')",
    )
    keys(browser, Keys.TAB)
    until(browser, "return document.getElementById('text').value.endsWith('Left atrial enlargement. ')")
    until(browser, "return [...document.querySelectorAll('.chip')].some((one) => /left atrial/i.test(one.textContent))")
    keys(browser, Keys.ESCAPE, "s")
    until(browser, "return document.getElementById('signing').open")
    keys(browser, Keys.ENTER) if focused(browser) == "main" else keys(browser, Keys.TAB, Keys.ENTER)
    until(browser, "return page.known.status === 'signed'")
    keys(browser, "x")
    until(browser, "return document.activeElement.dataset.form === 'text'")
    keys(browser, Keys.ESCAPE, "w")
    until(browser, "return document.title.startsWith('Worklist')")


@pytest.mark.parametrize("size", WIDTHS)
def test_pages_fit_and_have_no_serious_fault(browser, station, size):
    width, height = WIDTHS[size]
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False},
    )
    browser.get(f"{station.address}/")
    id = row(browser, "00178_lr")
    for path in ("/", f"/recordings/{id}", "/studies", "/accounts", "/audit", "/account"):
        browser.get(f"{station.address}{path}")
        until(browser, "return document.readyState === 'complete'")
        if path.startswith("/recordings"):
            until(browser, "return window.page?.viewer?.sheet")
        assert browser.execute_script("return document.documentElement.scrollWidth <= innerWidth"), path
        assert faults(browser) == [], path


def test_the_audit_trail_is_checked_on_its_page(browser, station):
    browser.get(f"{station.address}/audit")
    browser.find_element("css selector", "#verify button").click()
    said = until(
        browser,
        "const said = document.getElementById('verdict').textContent; return /holds/.test(said) && said",
    )
    assert said.startswith("The trail holds: ") and "meit-audit:" in said


def test_a_study_is_read(browser, station):
    browser.get(f"{station.address}/")
    row(browser, "00178_lr")
    browser.get(f"{station.address}/studies")
    browser.find_element("name", "name").send_keys("Does a draft help?")
    browser.find_element("name", "recordings").clear()
    browser.find_element("name", "recordings").send_keys("2")
    browser.find_element("css selector", "form.card button.main").click()
    address = until(browser, "return /[/]studies[/][0-9a-f-]{36}$/.test(location.pathname) && location.href")
    browser.get(f"{address}/next")
    drafted = []
    for number in (1, 2):
        until(
            browser,
            "return window.page?.viewer?.sheet && !document.getElementById('text').disabled "
            "&& page.data.task.includes(arguments[0])",
            f"{number} of 2",
        )
        assert "00" not in browser.execute_script(
            "return document.querySelector('.ecg-head').textContent.replace(/0–10 s.*/, '')"
        )
        drafted.append(bool(browser.execute_script("return document.getElementById('text').value")))
        assert bool(browser.find_elements("css selector", "[data-chip]")) == drafted[-1]
        assert faults(browser) == []
        browser.find_element("id", "text").send_keys(" Sinus rhythm.")
        until(browser, "return !document.getElementById('sign').disabled")
        browser.find_element("id", "sign").click()
        until(browser, "return !window.page || !page.data.task?.includes(arguments[0])", f"{number} of 2")
    assert sorted(drafted) == [False, True]
    browser.get(address)
    text = browser.find_element("tag name", "main").text
    assert "2 of 2 readings are finished" in text and "counts as 30 s" in text
    assert faults(browser) == []
