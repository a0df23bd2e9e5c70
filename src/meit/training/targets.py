"""What the encoder learns to find in a recording: the annotators' codes, or what the report says."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping

import numpy as np

from meit.data.shards import Report
from meit.model.encoders.encoder import EncoderConfig
from meit.reports.statements import asserted, read_statements

AXIS = ("MID", "LAD", "ALAD", "RAD", "ARAD", "AXL", "AXR")  # PTB-XL's heart_axis; absent where no axis was given
MIN_CASES = 5  # a finding seen less often cannot be learned
PRESENT = 0.4  # a target above this counts as the finding being there
KEPT_NUMBERS = 2**24  # of a matrix of reports x recordings that are held in memory at a time


def _annotated(report: Report) -> dict[str, float]:
    """The annotators' likelihoods, and the axis; PTB-XL writes 0 for statements that carry none, which count as 1."""
    likelihoods = {code: (likelihood or 100.0) / 100.0 for code, likelihood in report.codes.items()}
    return likelihoods | ({f"axis:{report.heart_axis}": 1.0} if report.heart_axis in AXIS else {})


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


def plans(targets: np.ndarray) -> np.ndarray:
    """(N, F) in 0..1 -> 0 or 1: what a report says, as the language model shall say it."""
    return (targets > PRESENT).astype(np.float32)


def best_threshold(held_out: np.ndarray, targets: np.ndarray) -> float:
    """Of probabilities and targets (N, F): from where on to call a finding present, for the best F1 over all of them."""
    there = targets > PRESENT
    called = {threshold: held_out >= threshold for threshold in np.linspace(0.1, 0.6, 51)}
    return float(max(called, key=lambda t: (called[t] & there).sum() / max(called[t].sum() + there.sum(), 1)))


def as_if_recorded(
    targets: np.ndarray, known: np.ndarray, held_out: np.ndarray, rng: np.random.Generator, kept: int = KEPT_NUMBERS
) -> np.ndarray:
    """targets (N, F) of reports without recordings -> finding probabilities (N, F) as an encoder might have given.

    Each report borrows the held-out probabilities (M, F) of a recording whose targets, known (M, F), differ in the
    fewest findings; where they differ, those of any recording that agrees in that finding. So the language model
    learns from text alone how far such probabilities can be trusted. kept: of the N x M comparisons, how many are held
    in memory at a time; the result is the same for any.
    """
    wanted, had = (array > PRESENT for array in (targets, known))
    w, h = wanted.astype(np.float32), had.astype(np.float32)
    nearest = np.empty(len(targets), np.int64)
    rows = max(1, kept // len(known))
    for start in range(0, len(targets), rows):
        some = w[start : start + rows]
        differing = some.sum(1)[:, None] + h.sum(1)[None] - 2 * some @ h.T
        ties = rng.random(differing.shape, dtype=np.float32) / 2  # less than one finding: they only decide among equals
        nearest[start : start + rows] = np.argmin(differing + ties, axis=1)
    borrowed = held_out[nearest].astype(np.float32)
    for finding in range(borrowed.shape[1]):
        for value in (False, True):
            pool = held_out[had[:, finding] == value, finding]
            unlike = np.flatnonzero((wanted[:, finding] == value) & (had[nearest, finding] != value))
            if len(pool):
                borrowed[unlike, finding] = rng.choice(pool, len(unlike))
    return borrowed
