"""Do the splits leak? No patient and no near-identical recording may sit in two of them.

A recording's sketch is its encoder input (band-passed, scaled, 100 Hz, its first 10 s) seen through PROJECTIONS random
directions, which keep cosines (Johnson and Lindenstrauss 1984). Every pair across two splits is compared; a cosine of
ALIKE or more counts as the same recording. On PTB-XL, z-scored copies of recordings in mV have .82 and more, different
recordings .60 at most (docs/data.md). 640,000 against 80,000 sketches are some minutes of matrix products.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np

from meit.data.batches import EcgSet, NoRecordings
from meit.data.splits import SPLITS
from meit.ecg.recording import LEADS
from meit.errors import DataError

RATE, SECONDS = 100, 10.0
PROJECTIONS = 128
ALIKE = 0.75
BATCH = 256
BLOCK = 4096  # sketches compared with as many others at a time


@dataclass(frozen=True)
class Findings:
    """patients, copies: (split, id, other split, id), each a leak. texts: reports of one split found word by word in
    another, of how many: no leak, since many ECGs are rightly described alike, but a figure to know."""

    sizes: dict[str, int]
    patients: list[tuple[str, str, str, str]]
    copies: list[tuple[str, str, str, str]]
    texts: dict[tuple[str, str], tuple[int, int]]

    @property
    def leaks(self) -> int:
        return len(self.patients) + len(self.copies)

    def to_text(self, shown: int = 10) -> str:
        lines = ["recordings: " + ", ".join(f"{size} {name}" for name, size in self.sizes.items())]
        for title, found in (("patients", self.patients), ("near-identical recordings", self.copies)):
            lines.append(f"{title} in two splits: {len(found)}")
            lines += [f"  {one} of {split} = {other} of {second}" for split, one, second, other in found[:shown]]
        for (split, other), (same, size) in self.texts.items():
            lines.append(f"reports of {split} that stand word by word in {other}: {same} of {size} ({same / size:.0%})")
        return "\n".join(lines)


def check(folders: Sequence[Path | str]) -> Findings:
    """Compares the splits of prepared folders, taken together. Raises DataError where there are none."""
    sets = {}
    for name, folds in SPLITS.items():
        try:
            sets[name] = EcgSet(folders, folds, RATE, SECONDS)
        except NoRecordings:  # of this split: the others are compared
            continue
    if not sets:
        raise DataError(f"no recording in {', '.join(map(str, folders))}")
    ids = {name: data.column("record_id") for name, data in sets.items()}
    patients = {name: dict(zip(data.patients, ids[name], strict=True)) for name, data in sets.items()}
    reports = {name: data.texts for name, data in sets.items()}
    sketches = {name: sketch(data) for name, data in sets.items()}
    shared, copies, texts = [], [], {}
    for one, other in combinations(sets, 2):
        both = sorted(set(patients[one]) & set(patients[other]))
        shared += [(one, f"patient {patient}", other, f"patient {patient}") for patient in both]
        pairs = alike(sketches[one], sketches[other])
        copies += [(one, ids[one][i], other, ids[other][j]) for i, j in pairs]
        first = set(reports[one])
        texts[other, one] = (sum(text in first for text in reports[other]), len(reports[other]))
    return Findings({name: len(data) for name, data in sets.items()}, shared, copies, texts)


def sketch(data: EcgSet) -> np.ndarray:
    """(N, PROJECTIONS) float32 of length 1 each; zeros for a flat recording."""
    from tqdm import tqdm

    rng = np.random.default_rng(0)
    directions = rng.standard_normal((data.n_samples * len(LEADS), PROJECTIONS), dtype=np.float32)
    rows = np.empty((len(data), PROJECTIONS), np.float32)
    for start in tqdm(range(0, len(data), BATCH), desc="comparing recordings", unit="batch"):
        part = np.arange(start, min(start + BATCH, len(data)))
        rows[part] = data.inputs(part)[0].reshape(len(part), -1) @ directions
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)


def alike(one: np.ndarray, other: np.ndarray) -> list[tuple[int, int]]:
    """Indices of rows of (N, PROJECTIONS) and (M, PROJECTIONS) sketches that are the same recording."""
    found = []
    for i in range(0, len(one), BLOCK):
        for j in range(0, len(other), BLOCK):
            rows, columns = np.nonzero(one[i : i + BLOCK] @ other[j : j + BLOCK].T >= ALIKE)
            found += zip((rows + i).tolist(), (columns + j).tolist(), strict=True)
    return sorted(found)
