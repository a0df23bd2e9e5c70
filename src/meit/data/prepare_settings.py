"""What a run of `meit prepare` is of: a run that was killed goes on only where these are the same."""

from dataclasses import dataclass


@dataclass(frozen=True)
class PrepareSettings:
    """rate_hz: samples a second to store; unit: "mV" or "z". place: where the source lies.

    keeps_reports: whether reports without a recording are kept, in reports.parquet.
    """

    source: str
    place: str
    rate_hz: float
    unit: str = "mV"
    keeps_reports: bool = True
