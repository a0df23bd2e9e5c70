"""The pictures of docs/station.md, taken of a running station in headless Chromium.

    python docs/station_pictures.py [RECORDINGS...]      (folders beside the examples)

The recordings of examples/ are real; the times of the study are simulated, which its caption says.
"""

import io
import sys
import tempfile
from datetime import timedelta
from pathlib import Path

import numpy as np
from PIL import Image

REPOSITORY = Path(__file__).parents[1]
sys.path.insert(0, str(REPOSITORY / "tests"))

from selenium.webdriver.common.action_chains import ActionChains  # noqa: E402
from serving import browsing, serving, set_up, until  # noqa: E402
from sqlalchemy import select, update  # noqa: E402
from stations import make_person  # noqa: E402

from meit.station.accounts.accounts import list_accounts  # noqa: E402
from meit.station.serving import take_in  # noqa: E402
from meit.station.store import Role, open_store  # noqa: E402
from meit.station.store.schema import StudyReading, now  # noqa: E402
from meit.station.store.signing import readable_count  # noqa: E402
from meit.station.study.studies import make_study  # noqa: E402

PICTURES = Path(__file__).parent / "images"
LAPTOP, TABLET = (1366, 768), (820, 1180)
COLOURS = 192  # of a picture: pages have few, and its file has a third of the size
AT_REST_MS = 400  # after fonts are there: what is drawn has been drawn


class Camera:
    def __init__(self, driver):
        self.driver = driver

    def resize(self, width: int, height: int) -> None:
        seen = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", seen)

    def take(self, name: str) -> None:
        rest = "const [ms, done] = arguments; document.fonts.ready.then(() => setTimeout(done, ms))"
        self.driver.execute_async_script(rest, AT_REST_MS)
        picture = Image.open(io.BytesIO(self.driver.get_screenshot_as_png())).convert("RGB")
        picture.quantize(COLOURS, dither=Image.Dither.NONE).save(PICTURES / f"station-{name}.png", optimize=True)


def simulated_study(url: str) -> str:
    """Four readers, as many recordings as there are; with a draft they take 0.6 of the time."""
    store = open_store(url)
    admin = next(one for one in list_accounts(store) if Role.ADMIN in one.roles)
    readers = [make_person(store, admin, name, Role.READER).id for name in ("berg", "chen", "diaz", "evans")]
    study = make_study(store, admin.id, "Does a draft save time?", readers, min(10, readable_count(store)), seed=1)
    draw = np.random.default_rng(1)
    with store.writing() as session:
        for row in session.scalars(select(StudyReading)).all():
            pace = 0.2 * readers.index(row.account_id)
            seconds = float(np.exp(3.6 + pace + (row.arm == "draft") * np.log(0.6) + draw.normal(0, 0.3)))
            text = row.text or "Sinus rhythm. Normal ECG."
            changed = f"{text} Left axis deviation." if draw.random() < 0.3 else text
            session.execute(
                update(StudyReading)
                .where(StudyReading.id == row.id)
                .values(
                    text=changed,
                    active_ms=int(1000 * seconds),
                    started_at=now() - timedelta(hours=1),
                    keystrokes=int(draw.integers(5, 60) if row.arm == "draft" else draw.integers(60, 200)),
                    finished_at=now(),
                )
            )
    store.close()
    return study


def worklist(camera: Camera) -> str:
    """Once all is drafted; returns the address of the example with a right bundle branch block."""
    driver = camera.driver
    driver.execute_script("location.reload()")
    drafted = "const rows = [...document.querySelectorAll('#worklist .status')]; return rows.length > 2 "
    until(driver, f"{drafted} && !rows.some((one) => /queued|drafting/.test(one.textContent))", seconds=600)
    camera.take("worklist")
    links = driver.find_elements("css selector", "#worklist tbody th a")
    return next(one.get_attribute("href") for one in links if one.text == "00195_hr")


def reading(camera: Camera, address: str) -> None:
    driver = camera.driver
    driver.get(address)
    until(driver, "return window.page?.viewer?.sheet && document.querySelectorAll('[data-chip]').length > 1")
    chip = next(one for one in driver.find_elements("css selector", ".chip.measured") if "Right bundle" in one.text)
    ActionChains(driver).move_to_element(chip).click().perform()
    camera.take("draft")
    camera.resize(*TABLET)
    camera.take("draft-tablet")
    camera.resize(*LAPTOP)
    driver.execute_script("return page.viewer.show({ layout: 'beat' })")
    camera.take("viewer")
    driver.execute_script("return page.viewer.show({ layout: '3x4' })")
    text = driver.find_element("id", "text")
    text.send_keys(" Zebra stripes in V3.")
    until(driver, "return document.querySelector('.under .not-read')")
    camera.take("not-read")
    text.clear()
    text.send_keys("Sinus rhythm. Normal ECG.")
    saved = "document.getElementById('saved').textContent === 'saved'"
    until(driver, f"return document.querySelector('.chip.contradicted') && {saved}")
    driver.find_element("id", "sign").click()
    until(driver, "return document.getElementById('signing').open")
    camera.take("sign")


def results(camera: Camera, address: str) -> None:
    driver = camera.driver
    driver.get(address)
    until(driver, "return document.querySelector('img.picture')?.complete")
    camera.resize(LAPTOP[0], driver.execute_script("return document.documentElement.scrollHeight"))
    camera.take("study")


def main() -> None:
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, browsing() as driver:
        url = f"sqlite:///{folder}/station.db"
        store = open_store(url)
        for place in (REPOSITORY / "examples", *map(Path, sys.argv[1:])):
            take_in(store, place)
        store.close()
        camera = Camera(driver)
        camera.resize(*LAPTOP)
        with serving(url, Path(folder) / "log") as station:
            set_up(driver, station)
            reading(camera, worklist(camera))
            results(camera, f"{station.address}/studies/{simulated_study(url)}")


if __name__ == "__main__":
    main()
