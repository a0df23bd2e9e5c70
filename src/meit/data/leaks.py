"""Do the splits leak? No patient and no near-identical recording (meit.data.copies) may sit in two of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
from tqdm import tqdm

from meit.data.batches import EcgSet, NoRecordings
from meit.data.copies import AT_ONCE, PROJECTIONS, SKETCH_RATE, SKETCH_SECONDS, alike, same_recording, sketch
from meit.data.splits import SPLITS
from meit.errors import DataError


@dataclass(frozen=True)
class Leaks:
    """patients, copies: (split, id, other split, id), each a leak. texts: reports of one split found word by word in
    another, of how many: no leak, since many ECGs are rightly described alike, but a figure to know."""

    sizes: dict[str, int]
    patients: list[tuple[str, str, str, str]]
    copies: list[tuple[str, str, str, str]]
    texts: dict[tuple[str, str], tuple[int, int]]

    def __len__(self) -> int:
        return len(self.patients) + len(self.copies)

    def to_text(self, most: int = 10) -> str:
        """Counts, and the first `most` leaks of each kind."""
        lines = ["recordings: " + ", ".join(f"{size} {name}" for name, size in self.sizes.items())]
        for title, leaks in (("patients", self.patients), ("near-identical recordings", self.copies)):
            lines.append(f"{title} in two splits: {len(leaks)}")
            lines += [f"  {one} of {split} = {other} of {second}" for split, one, second, other in leaks[:most]]
        for (split, other), (same, size) in self.texts.items():
            lines.append(f"reports of {split} that stand word by word in {other}: {same} of {size} ({same / size:.0%})")
        return "\n".join(lines)


def find_leaks(folders: Sequence[Path | str]) -> Leaks:
    """Compares the splits of prepared folders, taken together. Raises DataError where there are none."""
    sets: dict[str, EcgSet] = {}
    for name, folds in SPLITS.items():
        try:
            sets[name] = EcgSet(folders, folds, SKETCH_RATE, SKETCH_SECONDS)
        except NoRecordings:  # of this split: the others are compared
            continue
    if not sets:
        raise DataError(f"no recording in {', '.join(map(str, folders))}")
    ids = {name: data.column("record_id") for name, data in sets.items()}
    patients = {name: set(data.patients) for name, data in sets.items()}
    reports = {name: data.texts for name, data in sets.items()}
    sketches = {name: _sketches(data) for name, data in sets.items()}
    leaks = Leaks({name: len(data) for name, data in sets.items()}, [], [], {})
    for one, other in combinations(sets, 2):
        both = sorted(patients[one] & patients[other])
        leaks.patients.extend((one, f"patient {patient}", other, f"patient {patient}") for patient in both)
        for i, j in alike(sketches[one], sketches[other]):
            if same_recording(sets[one].inputs([i])[0][0], sets[other].inputs([j])[0][0]):
                leaks.copies.append((one, ids[one][i], other, ids[other][j]))
        known = set(reports[one])
        leaks.texts[other, one] = (sum(text in known for text in reports[other]), len(reports[other]))
    return leaks


def _sketches(data: EcgSet) -> np.ndarray:
    rows = np.empty((len(data), PROJECTIONS), np.float32)
    for start in tqdm(range(0, len(data), AT_ONCE), desc="comparing recordings", unit="batch"):
        part = np.arange(start, min(start + AT_ONCE, len(data)))
        rows[part] = sketch(data.inputs(part)[0])
    return rows
