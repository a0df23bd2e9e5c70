"""Where the model lies that comes with meit."""

import os
from pathlib import Path


def default_model() -> Path:
    """The shipped model: beside the package in a checkout, or where $MEIT_MODEL says."""
    return Path(os.environ.get("MEIT_MODEL", Path(__file__).parents[3] / "models" / "default"))
