"""The pictures of docs/station.md and the README, of a station as a user would start it.

    python docs/station_pictures.py [FOLDER]

Takes in the examples and the tests' recordings, drafts them with the shipped model, and photographs the pages in Chromium
into FOLDER (docs/images). The study's readings are simulated, which its picture's caption has to say.
"""

import io
import sys
import tempfile
from datetime import timedelta
from pathlib import Path
from random import Random

from PIL import Image

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from serving import Station, browser, serving, set_up, until  # noqa: E402
from stations import PASSWORD, add_drafted, make_admin, make_person  # noqa: E402

LAPTOP, TABLET = (1366, 768), (820, 1180)
COLOURS = 192  # of a PNG: what is drawn has few
FILES = [
    *sorted((ROOT / "examples" / "ptb-xl").glob("00*")), *sorted((ROOT / "tests" / "data" / "ecg").glob("00001_hr.*")),
    *sorted((ROOT / "tests" / "data" / "ecg" / "vendor").glob("*.xml")),
]  # fmt: skip
