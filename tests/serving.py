"""A station as a process of its own, started as a user would, and a browser before it."""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

from stations import PASSWORD

READY_S = 120


class Station:
    """address; token: of the first run, None where there are accounts. `kill` is SIGKILL."""

    def __init__(self, database: str, log: Path, *more: str):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.address, self.log = f"http://127.0.0.1:{self.port}", log
        command = [sys.executable, "-m", "meit.cli", "serve", "--database", database, "--port", str(self.port), *more]
        with log.open("w") as errors:
            self.process = subprocess.Popen(
                command, stderr=errors, stdout=errors, env={**os.environ, "OMP_NUM_THREADS": "1"}
            )
        self._wait()
        found = re.search(r"/setup#(\S+)", log.read_text())
        self.token = found and found[1]

    def _wait(self) -> None:
        until = time.monotonic() + READY_S
        while time.monotonic() < until and self.process.poll() is None:
            try:
                urllib.request.urlopen(f"{self.address}/login", timeout=5).close()
                return
            except OSError:
                time.sleep(0.1)
        raise RuntimeError(f"the station did not start: {self.log.read_text()[-2000:]}")

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@contextmanager
def serving(database: str, log: Path, *more: str):
    station = Station(database, log, *more)
    try:
        yield station
    finally:
        station.stop()


FIRST = {
    "full_name": "Dr. Ada Example",
    "profession": "Consultant cardiologist",
    "login": "ada",
    "password": PASSWORD,
    "again": PASSWORD,
}


def set_up(driver, station: Station) -> None:
    """The first account, by the address that the station printed."""
    from selenium.webdriver.common.by import By

    driver.get(f"{station.address}/setup#{station.token}")
    for name, value in FIRST.items():
        driver.find_element(By.NAME, name).send_keys(value)
    driver.find_element(By.CSS_SELECTOR, "button.main").click()
    until(driver, "return document.title.startsWith('Worklist')")


def until(driver, script: str, *given, seconds: float = 60):
    """Waits until a script returns something true, and returns it."""
    end = time.monotonic() + seconds
    while True:
        found = driver.execute_script(script, *given)
        if found:
            return found
        assert time.monotonic() < end, f"{script}: {driver.find_element('tag name', 'body').text[:1500]}"
        time.sleep(0.05)


def has_browser() -> bool:
    return bool(shutil.which("chromium") and shutil.which("chromedriver"))


@contextmanager
def browsing():
    """Chromium without a window, and nothing it asks of other machines."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    for argument in (
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-background-networking",
        "--disable-dev-shm-usage",
        "--force-device-scale-factor=1",
    ):
        options.add_argument(argument)
    driver = webdriver.Chrome(options, Service(shutil.which("chromedriver")))
    driver.set_page_load_timeout(60)
    driver.set_script_timeout(30)
    try:
        yield driver
    finally:
        driver.quit()
