"""Which samples with the value that means "not recorded" were not recorded: the ECG may have that value too."""

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from ecgdatakit.models import ECGRecord

SURE_S = 1.0  # no ECG stands at one value for longer
END_S = 0.1  # what it takes where the recording begins or ends
_JUMP = 10  # times the usual step from sample to sample, in half of the channels: no ECG begins so


def restore_padding(record: "ECGRecord", padding: float | None) -> None:
    """Gives back to a record's leads the samples that have the padding value and are ECG all the same."""
    if padding is None or len({len(lead.samples) for lead in record.leads}) != 1:
        return
    values = np.stack([lead.samples for lead in record.leads], axis=1)
    if np.isnan(values).any():
        restored = unpadded(values, padding, record.leads[0].sampling_rate)
        for column, lead in enumerate(record.leads):
            lead.samples = restored[:, column]


def unpadded(values: np.ndarray, padding: float, rate: float) -> np.ndarray:
    """(n_samples, n_channels) steps, NaN where the padding value stood -> the same with that value where it is ECG.

    A value that the signal of a channel does not reach is padding wherever it stands. One that it does reach is padding
    only in runs, and in all channels at once: of SURE_S, of END_S at an end of the recording, or between jumps; and in
    one channel alone, of SURE_S.
    """
    stood = np.isnan(values)
    reached = np.array([_reaches(values[:, column], padding) for column in range(values.shape[1])])
    if not reached.any():
        return values
    kept = np.zeros_like(stood)
    for first, last in _runs(stood.all(axis=1)):
        seconds = (last - first) / rate
        at_end = first == 0 or last == len(values)
        if seconds >= SURE_S or (at_end and seconds >= END_S) or _jumps(values, first, last, padding):
            kept[first:last] = True
    for column in range(values.shape[1]):
        for first, last in _runs(stood[:, column] & ~kept[:, column]):
            if not reached[column] or (last - first) / rate >= SURE_S:
                kept[first:last, column] = True
    return np.where(stood & ~kept, padding, values)


def _reaches(channel: np.ndarray, padding: float) -> bool:
    """Whether a value lies in the range of a channel's samples, give or take the largest step between two of them."""
    there = channel[np.isfinite(channel)]
    if not len(there):
        return False
    steps = np.abs(np.diff(channel))
    step = np.nanmax(steps) if np.isfinite(steps).any() else 0.0
    return bool(there.min() - step <= padding <= there.max() + step)


def _jumps(values: np.ndarray, first: int, last: int, padding: float) -> bool:
    """Whether half of the channels jump to the padding value, or from it."""
    if last - first < 3:
        return False
    steps = np.abs(np.diff(values, axis=0))
    usual = [np.median(column[np.isfinite(column)]) if np.isfinite(column).any() else 0.0 for column in steps.T]
    least = np.maximum(_JUMP * np.array(usual), 5)
    sides = [values[row] for row in (first - 1, last) if 0 <= row < len(values)]
    return any(np.mean(np.abs(np.nan_to_num(side, nan=padding) - padding) > least) >= 0.5 for side in sides)


def _runs(mask: np.ndarray) -> list[tuple[int, int]]:
    """(first, one past the last) of each run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))
