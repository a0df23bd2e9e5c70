"""manifest.json of a folder of drafts: what the last run was asked for, what became of it, and what drafted."""

import json
import platform
import time
from pathlib import Path
from typing import Any

from meit.atomic import atomic_path, write_json
from meit.errors import DataError
from meit.provenance import command, versions

MANIFEST_NAME = "manifest.json"
WHAT = "drafts of meit report"
MOST_LISTED = 1_000  # failures; the journal has them all


def check_manifest(out: Path) -> None:
    """Raises DataError where another program's manifest would be overwritten, such as that of prepared data."""
    place = out / MANIFEST_NAME
    try:
        found = json.loads(place.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return
    except ValueError:
        found = None
    if not isinstance(found, dict) or found.get("what") != WHAT:
        raise DataError(f"{place}: is not of drafts, and would be overwritten; choose another --out")


def write_manifest(out: Path, temporary: Path, began: float, about: dict[str, Any]) -> None:
    """about: whether it is finished, counts, failures, model and options. began: by time.monotonic."""
    spent = {"seconds": round(time.monotonic() - began, 1)}
    made = {"command": command(), "machine": platform.machine(), "versions": versions()}
    with atomic_path(out / MANIFEST_NAME, temporary) as whole:
        write_json(whole, {"what": WHAT, **about, **made, **spent})
