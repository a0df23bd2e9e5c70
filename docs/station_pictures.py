"""The pictures of docs/station.md, taken of a running station in headless Chromium.

    python docs/station_pictures.py [RECORDINGS...]      (files or folders beside the examples)

The recordings of examples/ are real; the times of the study are simulated, which its caption says.
"""

import sys
import tempfile
from datetime import timedelta
from pathlib import Path

import numpy as np

REPOSITORY = Path(__file__).parents[1]
sys.path.insert(0, str(REPOSITORY / "tests"))

from selenium import webdriver  # noqa: E402
from selenium.webdriver.chrome.service import Service  # noqa: E402
from selenium.webdriver.common.action_chains import ActionChains  # noqa: E402
from serving import serving, set_up, until  # noqa: E402
from sqlalchemy import select, update  # noqa: E402
from stations import make_person  # noqa: E402

from meit.station.accounts.accounts import list_accounts  # noqa: E402
from meit.station.serving import take_in  # noqa: E402
from meit.station.store import Role, open_store  # noqa: E402
from meit.station.store.models import StudyReading, now  # noqa: E402
from meit.station.study.studies import drafted_count, make_study  # noqa: E402

PICTURES = Path(__file__).parent / "images"
SIZES = {"": (1366, 768), "-tablet": (820, 1180)}


def browser() -> webdriver.Chrome:
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for argument in (
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-background-networking",
        "--disable-dev-shm-usage",
    ):
        options.add_argument(argument)
    return webdriver.Chrome(options, Service("/usr/bin/chromedriver"))


def shoot(driver, name: str, size: str = "") -> None:
    PICTURES.mkdir(exist_ok=True)
    driver.save_screenshot(str(PICTURES / f"station-{name}{size}.png"))


def resize(driver, size: str) -> None:
    width, height = SIZES[size]
    driver.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False},
    )


def simulated_study(url: str) -> str:
    """Four readers, as many recordings as there are; with a draft they take 0.6 of the time."""
    store = open_store(url)
    admin = next(one for one in list_accounts(store) if Role.ADMIN in one.roles)
    readers = [make_person(store, admin, name, Role.READER).id for name in ("berg", "chen", "diaz", "evans")]
    study = make_study(store, admin.id, "Does a draft save time?", readers, min(10, drafted_count(store)), seed=1)
    draw = np.random.default_rng(1)
    with store.writing() as session:
        for row in session.scalars(select(StudyReading)).all():
            pace = 0.2 * readers.index(row.account_id)
            seconds = float(np.exp(3.6 + pace + (row.arm == "draft") * np.log(0.6) + draw.normal(0, 0.3)))
            text = row.text or "Sinus rhythm. Normal ECG."
            changed = f"{text} Left axis deviation." if draw.random() < 0.3 else text
            session.execute(update(StudyReading).where(StudyReading.id == row.id).values(
                text=changed, active_ms=int(1000 * seconds), started_at=now() - timedelta(hours=1),
                keystrokes=int(draw.integers(5, 60) if row.arm == "draft" else draw.integers(60, 200)),
                finished_at=now(),
            ))  # fmt: skip
    store.close()
    return study


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/station.db"
        store = open_store(url)
        for place in (REPOSITORY / "examples", *map(Path, sys.argv[1:])):
            take_in(store, place)
        store.close()
        driver = browser()
        resize(driver, "")
        with serving(url, Path(folder) / "log") as station:
            set_up(driver, station)
            until(
                driver,
                "return !/queued|drafting/.test(document.querySelector('#worklist tbody').textContent)",
                seconds=300,
            )
            shoot(driver, "worklist")
            ids = {
                driver.execute_script("return arguments[0].querySelector('th').textContent", row): row.get_attribute(
                    "data-id"
                )
                for row in driver.find_elements("css selector", "#worklist tbody tr")
            }
            driver.get(f"{station.address}/recordings/{ids['00195_hr']}")
            until(driver, "return window.page?.viewer?.sheet && document.querySelectorAll('[data-chip]').length > 1")
            chip = next(
                one for one in driver.find_elements("css selector", ".chip.measured") if "Right bundle" in one.text
            )
            ActionChains(driver).move_to_element(chip).perform()
            until(driver, "return document.getElementById('evidence').textContent.includes('QRS')")
            shoot(driver, "draft")
            resize(driver, "-tablet")
            until(driver, "return document.querySelector('.ecg-canvas').width === innerWidth || true")
            shoot(driver, "draft", "-tablet")
            resize(driver, "")
            text = driver.find_element("id", "text")
            text.clear()
            text.send_keys("Sinus rhythm. Normal ECG.")
            until(
                driver,
                "return document.querySelector('.chip.contradicted') "
                "&& document.getElementById('saved').textContent === 'saved'",
            )
            driver.find_element("id", "sign").click()
            until(driver, "return document.getElementById('signing').open")
            shoot(driver, "sign")
            driver.find_element("css selector", "#signing button[type=button]").click()
            driver.get(f"{station.address}/recordings/{ids['00195_hr']}")
            until(driver, "return window.page?.viewer?.sheet")
            driver.execute_script("page.viewer.show({layout: 'beat'})")
            until(driver, "return page.viewer.state.layout === 'beat'")
            shoot(driver, "viewer")
            study = simulated_study(url)
            driver.get(f"{station.address}/studies/{study}")
            until(driver, "return document.querySelector('img.picture').complete")
            driver.execute_cdp_cmd(
                "Emulation.setDeviceMetricsOverride",
                {"width": 1366, "height": 900, "deviceScaleFactor": 1, "mobile": False},
            )
            shoot(driver, "study")
        driver.quit()


if __name__ == "__main__":
    main()
