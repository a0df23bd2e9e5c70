"""What the leads look like around a sample, and how alike that is to a shape, as the samples are moved a little.

The correlation of a shape with every place nearby is one matrix product and sums along its diagonals; means and sizes of
all places come from running sums.
"""

import numpy as np

_COARSE = 4  # samples from one place that is tried first to the next; then all around the best of them
_FINE = 3
_NOTHING = 1e-13  # of the squares is rounding


class Surroundings:
    """values: (n, k) mV. half: samples on either side that are looked at, every step-th of them. lag: by how many samples a
    place may be moved. Beyond the ends the first or last sample goes on."""

    def __init__(self, values: np.ndarray, half: int, lag: int, step: int):
        self._half, self._lag, self._step = half, lag, step
        self._count = 2 * half // step + 1
        self._before = half + 2 * (lag + _FINE)  # room for what was moved already
        self._values = np.pad(values, ((self._before, self._before), (0, 0)), mode="edge")
        squares = self._sums((self._values**2).sum(axis=1, keepdims=True))[:, 0]
        spread = squares - (self._sums(self._values) ** 2).sum(axis=1) / self._count
        self._sizes = np.sqrt(np.where(spread > _NOTHING * squares, spread, 0.0))

    def _sums(self, values: np.ndarray) -> np.ndarray:
        """(N, k) -> (N - 2 half, k) over the samples that are looked at; the first is of the place `half`."""
        out = np.empty((len(values) - 2 * self._half, values.shape[1]))
        for phase in range(self._step):
            total = np.cumsum(values[phase :: self._step], axis=0)
            total = np.concatenate([np.zeros((1, values.shape[1])), total])
            part = total[self._count :] - total[: -self._count]
            out[phase :: self._step] = part[: len(out[phase :: self._step])]
        return out

    def shape(self, place: int) -> np.ndarray:
        """(count, k) the leads around a sample, each around its mean."""
        start = place + self._before - self._half
        part = self._values[start : start + 2 * self._half + 1 : self._step]
        return np.asarray(part - part.mean(axis=0))

    def match(self, at: np.ndarray, shapes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(m,) samples and as many shapes (m, count, k), or one (1, count, k) for all -> by how many samples each must be
        moved to look most like its shape, and the correlation there."""
        centred = (shapes - shapes.mean(axis=1, keepdims=True)).transpose(0, 2, 1)
        size = np.sqrt((shapes**2).sum(axis=(1, 2)))
        first, rows = -self._lag, np.arange(len(at))
        shifts = np.zeros(len(at), int)
        for step, count in ((_COARSE, 2 * self._lag // _COARSE + 1), (1, 2 * _FINE + 1)):
            start = at + shifts + first
            correlation = self._correlations(start, step, count, centred, size)
            best = np.argmax(correlation, axis=1)
            shifts = shifts + first + step * best
            first = -_FINE
        return shifts, correlation[rows, best]

    def _correlations(
        self, start: np.ndarray, step: int, count: int, centred: np.ndarray, size: np.ndarray
    ) -> np.ndarray:
        """(m, count) with the shapes, at `count` places from `start` on, `step` samples apart."""
        length = 2 * self._half + 1 + step * (count - 1)
        where = (start + self._before - self._half)[:, None] + np.arange(length)
        products = self._values[where] @ centred  # (m, length, count of samples): each sample with each of the shape
        beat, row, column = products.strides
        along = np.lib.stride_tricks.as_strided(
            products, (len(start), count, self._count), (beat, step * row, self._step * row + column)
        )
        sizes = self._sizes[where[:, : step * count : step]] * size[:, None]
        return np.asarray(np.divide(along.sum(axis=2), sizes, out=np.zeros_like(sizes), where=sizes > 0))
