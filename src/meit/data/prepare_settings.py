"""What a run of `meit prepare` is of, and how its files are read."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np


@dataclass(frozen=True)
class PrepareSettings:
    """A run that was killed goes on only where these are the same. rate_hz: samples a second to store; unit: "mV" or "z". place: where the source lies.

    keeps_reports: whether reports without a recording are kept, in reports.parquet.
    """

    source: str
    place: str
    rate_hz: float
    unit: str = "mV"
    keeps_reports: bool = True


@dataclass(frozen=True)
class Read:
    """What a file holds. signal: (n_samples, 12) at the rate to store; age in years (over 89: 90); sex: "M" or "F"."""

    signal: np.ndarray
    age: float | None = None
    sex: Literal["F", "M"] | None = None


FileReader = Callable[
    [str, PrepareSettings], Read
]  # of a file's place; a function of a module, which processes can find
