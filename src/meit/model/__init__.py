"""The model: what reads the ECG, what writes the report, and how the one reaches the other."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

from meit.errors import ModelError

Row = TypeVar("Row")


def row_of(table: Mapping[str, Row], kind: str, name: str) -> Row:
    """The row of a table such as ENCODERS, PROJECTORS, PROMPTS. Raises ModelError, naming the rows there are."""
    if name not in table:
        raise ModelError(f"{kind} {name!r} is not known; known are {', '.join(table)}")
    return table[name]


def default_model() -> Path:
    """The shipped model: beside the package in a checkout, or where $MEIT_MODEL says."""
    return Path(os.environ.get("MEIT_MODEL", Path(__file__).parents[3] / "models" / "default"))
