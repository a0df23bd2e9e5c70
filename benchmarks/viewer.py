"""Frame times of the ECG viewer while it is panned and zoomed, in headless Chromium, which draws in software.

    python benchmarks/viewer.py [FRAMES]

Ten seconds of 12 leads at 500 Hz. "draw" is the script's time of a frame; "frame" the distance between frames, which
cannot be less than 16.7 ms. Chromium and chromedriver must be on the path.
"""

import shutil
import statistics
import sys
import tempfile
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.chrome.service import Service

from meit.ecg import read_ecg
from meit.station import viewer_document

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from stations import viewer_files

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "examples" / "ptb-xl" / "00195_hr"
PAGE = """<!doctype html><meta charset="utf-8"><link rel="stylesheet" href="viewer/viewer.css">
<style>html, body, main { height: 100%; margin: 0 }</style><main></main><script type="module">
import { EcgViewer } from "./viewer/viewer.js";
window.viewer = new EcgViewer(document.querySelector("main"), { url: "view.json" });
</script>"""
MEASURE = """
const [layout, action, frames, done] = arguments;
(async () => {
  while (!window.viewer) await new Promise((go) => setTimeout(go, 20));
  await viewer.ready;
  await viewer.show({ layout });
  viewer.fit();
  if (action === "pan") viewer.zoom(2);
  const step = (n) => (action === "pan" ? viewer.pan(n % 60 < 30 ? -6 : 6, n % 40 < 20 ? -4 : 4) : viewer.zoom(n % 60 < 30 ? 1.04 : 1 / 1.04));
  const draws = [], gaps = [];
  let before = null;
  for (let n = 0; n < frames; n++) {
    const now = await new Promise((go) => requestAnimationFrame(go));
    if (before !== null) gaps.push(now - before);
    before = now;
    step(n);
    const start = performance.now();
    viewer.paint();
    draws.push(performance.now() - start);
  }
  done([draws, gaps]);
})().catch((error) => done(String(error)));
"""


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *words) -> None:
        pass


def browser(ratio: float) -> webdriver.Chrome:
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    for argument in (
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-background-networking",
        "--disable-dev-shm-usage",
        "--window-size=1366,768",
        f"--force-device-scale-factor={ratio}",
    ):
        options.add_argument(argument)
    return webdriver.Chrome(options, Service(shutil.which("chromedriver")))


def main() -> None:
    frames = int(sys.argv[1]) if len(sys.argv) > 1 else 240
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(Path(viewer_document.__file__).parent / "static" / "viewer", Path(folder) / "viewer")
        (Path(folder) / "page.html").write_text(PAGE)
        viewer_files(read_ecg(EXAMPLE), Path(folder))
        server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        print("| pixels a CSS pixel | layout | what | draw: median (ms) | 95 % | frame: median (ms) | 95 % | longest |")
        print("|---|---|---|---|---|---|---|---|")
        for ratio in (1, 2):
            chromium = browser(ratio)
            chromium.set_script_timeout(120)
            chromium.get(f"http://127.0.0.1:{server.server_port}/page.html")
            for layout in ("3x4", "12x1"):
                for action in ("pan", "zoom"):
                    found = chromium.execute_async_script(MEASURE, layout, action, frames)
                    assert not isinstance(found, str), found
                    (draw, draw95, _), (gap, gap95, longest) = (summary(values) for values in found)
                    row = f"| {ratio} | {layout} | {action} | {draw:.1f} | {draw95:.1f} | {gap:.1f} | {gap95:.1f} |"
                    print(f"{row} {longest:.0f} |", flush=True)
            chromium.quit()
        server.shutdown()


def summary(values: list[float]) -> tuple[float, float, float]:
    return statistics.median(values), statistics.quantiles(values, n=20)[-1], max(values)


if __name__ == "__main__":
    main()
