"""What the encoder learns to find in a recording: the annotators' codes, or what the report says."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping

import numpy as np

from meit.data.shards import Report
from meit.model.encoder import EncoderConfig
from meit.reports.statements import asserted, read_statements

AXIS = ("MID", "LAD", "ALAD", "RAD", "ARAD", "AXL", "AXR")  # PTB-XL's heart_axis; absent where no axis was given
MIN_CASES = 5  # a finding seen less often cannot be learned
PRESENT = 0.4  # a target above this counts as the finding being there


def _annotated(report: Report) -> dict[str, float]:
    """The annotators' likelihoods, and the axis; PTB-XL writes 0 for statements that carry none, which count as 1."""
    found = {code: (likelihood or 100.0) / 100.0 for code, likelihood in report.codes.items()}
    return found | ({f"axis:{report.heart_axis}": 1.0} if report.heart_axis in AXIS else {})


def _stated(report: Report) -> dict[str, float]:
    return dict.fromkeys(asserted(read_statements(report.text)), 1.0)


TARGETS: dict[str, Callable[[Report], Mapping[str, float]]] = {"codes": _annotated, "statements": _stated}


def finding_names(reports: Iterable[Report], kind: str) -> tuple[str, ...]:
    """Findings of a kind (TARGETS) with at least MIN_CASES reports, in order of the alphabet; axes always, at the end."""
    counts = Counter(name for report in reports for name in TARGETS[kind](report))
    axes = tuple(f"axis:{axis}" for axis in AXIS) if kind == "codes" else ()
    names = sorted(name for name, count in counts.items() if count >= MIN_CASES and name not in axes)
    return (*names, *axes)


def finding_targets(report: Report, config: EncoderConfig) -> np.ndarray:
    """(F,) in 0..1, in the order of config.findings."""
    present = TARGETS[config.targets](report)
    return np.array([present.get(name, 0.0) for name in config.findings], dtype=np.float32)


def targets_of(reports: Iterable[Report], config: EncoderConfig) -> np.ndarray:
    """(N, F) in 0..1."""
    return np.stack([finding_targets(report, config) for report in reports])
