"""Prepared recordings as the arrays that the encoder takes."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from meit.data.shards import Report, read_examples
from meit.ecg.normalise import normalise
from meit.ecg.resample import resample, windows
from meit.errors import DataError


@dataclass(frozen=True)
class EcgSet:
    """reports (N), ecgs (N, n_samples, 12) normalised float32, masks (N, n_samples) bool."""

    reports: tuple[Report, ...]
    ecgs: np.ndarray
    masks: np.ndarray

    @property
    def patients(self) -> list[str]:
        return [report.patient_id for report in self.reports]

    @property
    def texts(self) -> list[str]:
        return [report.text for report in self.reports]


def model_input(signal: np.ndarray, rate: float, unit: str, to_rate: float, seconds: float):
    """(n, 12) recording -> its windows as the encoder takes them: (W, n_samples, 12) float32 and (W, n_samples) bool."""
    parts = windows(resample(signal, rate, to_rate), to_rate, seconds)
    ecgs = [np.zeros_like(part.signal) for part in parts]
    for ecg, part in zip(ecgs, parts, strict=True):
        # the padding is left out, so that it changes neither filter nor deviation
        length = int(np.flatnonzero(part.mask)[-1]) + 1 if part.mask.any() else 0
        if length:
            ecg[:length] = normalise(part.signal[:length], to_rate, unit)
    return np.stack(ecgs), np.stack([part.mask for part in parts])


def load_set(folders: Sequence[Path | str], folds: Sequence[int], rate: float, seconds: float) -> EcgSet:
    """The recordings of several prepared folders, each record once, in order of id; the first window of each.

    Raises DataError where nothing is found.
    """
    found: dict[str, tuple] = {}
    for folder in folders:
        for example in read_examples(Path(folder), folds):
            key = example.report.record_id
            if key not in found:
                ecgs, masks = model_input(example.signal, example.rate, example.unit, rate, seconds)
                found[key] = (example.report, ecgs[0], masks[0])
    if not found:
        raise DataError(f"no recording of folds {list(folds)} in {', '.join(map(str, folders)) or 'no folder'}")
    ordered = [found[key] for key in sorted(found, key=lambda key: (len(key), key))]
    reports, ecgs, masks = zip(*ordered, strict=True)
    return EcgSet(reports, np.stack(ecgs), np.stack(masks))
