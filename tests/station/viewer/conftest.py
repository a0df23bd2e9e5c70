"""The viewer on a bare page, served from a folder under a strict content security policy, in headless Chromium."""

import base64
import shutil
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from stations import viewer_files

from meit.ecg import read_ecg
from meit.ecg.recording import LEADS, Patient, Recording
from meit.station import viewer_document

HERE = Path(__file__).parent
REPOSITORY = Path(__file__).parents[3]
HOSTILE = "<img src=x onerror=\"window.hit='name'\"><script>window.hit='script'</script>"
CSS_MM = 96 / 25.4


def spiked(name: str, rate: float = 500.0, seconds: float = 10.0, every: float = 1.0, **more) -> Recording:
    """Triangles of 1 mV and 40 ms on a flat line, at 0.5 s, 1.5 s, ... in all leads."""
    time = np.arange(round(seconds * rate)) / rate
    height = np.clip(1 - np.abs(time % every - every / 2) / 0.02, 0, 1)
    return Recording(name, np.tile(height[:, None], (1, len(LEADS))).astype(np.float32), rate, **more)


def gapped() -> Recording:
    """V3 missing, V1 unrecorded from 5.4 to 6.2 s, aVL derived, a hostile name and patient."""
    signal = read_ecg(REPOSITORY / "examples" / "ptb-xl" / "00195_hr").signal.copy()
    signal[:, LEADS.index("V3")] = np.nan
    signal[2700:3100, LEADS.index("V1")] = np.nan
    return Recording(HOSTILE, signal, 500.0, patient=Patient(HOSTILE, 61, "F"), derived=("aVL",))


@pytest.fixture(scope="session")
def address(tmp_path_factory):
    """Of the page, with recordings beside it."""
    folder = tmp_path_factory.mktemp("viewer")
    shutil.copytree(Path(viewer_document.__file__).parent / "static" / "viewer", folder / "viewer")
    for name in ("page.html", "page.css", "page.js"):
        shutil.copy(HERE / name, folder)
    recordings = {
        "real": read_ecg(REPOSITORY / "examples" / "ptb-xl" / "00195_hr"),
        "slow": read_ecg(REPOSITORY / "examples" / "ptb-xl" / "00041_lr"),
        "spiked": spiked("spiked"),
        "long": spiked("long", rate=250.0, seconds=25.0),
        "gapped": gapped(),
    }
    for name, recording in recordings.items():
        (folder / name).mkdir()
        viewer_files(recording, folder / name)
    (folder / "broken").mkdir()
    shutil.copy(folder / "real" / "view.json", folder / "broken")
    for signal in (folder / "real").glob("*.bin"):
        (folder / "broken" / signal.name).write_bytes(signal.read_bytes()[:-8])

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/page.html"
    server.shutdown()


class Handler(SimpleHTTPRequestHandler):
    def end_headers(self) -> None:
        self.send_header("Content-Security-Policy", "default-src 'self'")
        super().end_headers()

    def log_message(self, *words) -> None:
        pass


class Page:
    """One page with the viewer: `run` for scripts (await allowed), `press` and `mouse` for what a reader does."""

    def __init__(self, driver, address: str):
        self.driver, self.address = driver, address

    def open(self, ecg: str, previous: str = "", outcome: str = "drawn") -> "Page":
        self.driver.get(f"{self.address}?ecg={ecg}&previous={previous}")
        found = self.run("while (!window.outcome) await new Promise((go) => setTimeout(go, 10)); return window.outcome")
        assert found == outcome or outcome in found
        return self

    def run(self, script: str, *given):
        """The script's result, after the frame in which all of it is drawn."""
        body = f"""const done = arguments[arguments.length - 1], given = [...arguments];
            (async () => {{ {script} }})().then(
                (found) => requestAnimationFrame(() => setTimeout(() => done([found]))), (error) => done(String(error)))"""
        found = self.driver.execute_async_script(body, *given)
        assert isinstance(found, list), found
        return found[0]

    def show(self, **state) -> dict:
        return self.run("await viewer.show(given[0]); return viewer.geometry()", state)

    def geometry(self) -> dict:
        return self.run("return viewer.geometry()")

    def state(self, name: str):
        return self.run("return viewer.state[given[0]]", name)

    def panel(self, lead: str, ink: str = "current") -> dict:
        return next(one for one in self.geometry()["panels"] if (one["lead"], one["ink"]) == (lead, ink))

    def press(self, *keys: str, hold: str = "") -> None:
        """hold: a modifier that is down meanwhile."""
        from selenium.webdriver.common.action_chains import ActionChains

        chain = ActionChains(self.driver, duration=0)
        chain = chain.key_down(hold).send_keys(*keys).key_up(hold) if hold else chain.send_keys(*keys)
        chain.perform()
        self.run("")

    def focus(self) -> None:
        self.run("viewer.stage.focus()")

    def mouse(self, kind: str, x: float, y: float, **more) -> None:
        """An event of the real input pipeline at a place of the stage."""
        left, top = self.run("const box = viewer.stage.getBoundingClientRect(); return [box.left, box.top]")
        event = {"type": kind, "x": left + x, "y": top + y, "button": "left", "clickCount": 1, **more}
        self.driver.execute_cdp_cmd("Input.dispatchMouseEvent", event)

    def touch(self, kind: str, *points) -> None:
        left, top = self.run("const box = viewer.stage.getBoundingClientRect(); return [box.left, box.top]")
        at = [{"x": left + x, "y": top + y, "id": number} for number, (x, y) in enumerate(points)]
        self.driver.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": kind, "touchPoints": at})

    def text(self, selector: str) -> str:
        return self.run("return document.querySelector(given[0]).textContent", selector)

    def pixels(self, x0: float, y0: float, x1: float, y1: float, canvas: str = "canvas") -> np.ndarray:
        """(height, width, 4) of the sheet's canvas, or of the overlay's."""
        x0, y0, x1, y1 = (round(value) for value in (x0, y0, x1, y1))
        data = self.run(
            """const { data } = viewer[given[4]].getContext("2d").getImageData(given[0], given[1], given[2], given[3]);
            let bytes = "";
            for (let i = 0; i < data.length; i += 8192) bytes += String.fromCharCode(...data.subarray(i, i + 8192));
            return btoa(bytes)""",
            x0,
            y0,
            x1 - x0,
            y1 - y0,
            canvas,
        )
        return np.frombuffer(base64.b64decode(data), np.uint8).reshape(y1 - y0, x1 - x0, 4)

    def ink(self, *box: float) -> np.ndarray:
        """(height, width) True where a trace is, which is dark where the grid is pale."""
        return self.pixels(*box)[..., :3].max(axis=-1) < 110


@pytest.fixture
def page(chromium, address):
    chromium.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride", {"width": 1366, "height": 768, "deviceScaleFactor": 1, "mobile": False}
    )
    yield Page(chromium, address)
    assert chromium.execute_script("return [window.violations, window.hit ?? null]") == [[], None]
    chromium.execute_script("localStorage.clear()")
