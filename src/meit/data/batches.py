"""Prepared recordings as the arrays that the encoder takes, read from the disk when they are asked for."""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from meit.data.shards import Example, Report, Shard, shard_sums
from meit.data.splits import in_share
from meit.data.stored_inputs import InputSettings, store, stored
from meit.ecg.recording import LEADS
from meit.ecg.signal.normalising import BAND
from meit.ecg.signal.windowing import first_windows
from meit.errors import DataError

KEPT_BYTES = 2_000_000_000  # inputs of a set up to this size stay in memory once they are made


class NoRecordings(DataError):
    """Prepared folders that hold none of the folds asked for."""


class EcgSet:
    """The recordings of several prepared folders whose fold is in `folds`: each record once, in order of id.

    Where two folders hold the same record, the first one counts. What is kept of a recording in memory is its place;
    inputs of sets below KEPT_BYTES are kept once they are made; those of larger sets are read from the disk where
    `store_inputs` has put them (meit.data.stored_inputs), and made anew where they are asked for otherwise. share: of the patients, by meit.data.splits.in_share.
    rate, seconds, normalisation: of the inputs, as meit.ecg.signal.windowing.model_input takes them.
    Raises NoRecordings where nothing is found, and DataError.
    """

    def __init__(
        self,
        folders: Sequence[Path | str],
        folds: Sequence[int],
        rate: float,
        seconds: float,
        share: float = 1.0,
        normalisation: str = BAND,
    ):
        self.rate, self.seconds, self.normalisation = rate, seconds, normalisation
        self._settings = InputSettings(rate, seconds, normalisation)
        self._sums = {path: sum_ for folder in folders for path, sum_ in shard_sums(folder).items()}
        self._shards = [Shard(path) for path in self._sums]
        tables = []
        for number, shard in enumerate(self._shards):
            inside = np.isin(shard.column("fold").to_numpy(), list(folds))
            if share < 1:
                inside &= [in_share(patient, share) for patient in shard.column("patient_id").to_pylist()]
            wanted = np.flatnonzero(inside)
            ids = shard.column("record_id").take(pa.array(wanted))
            places = {
                "shard": pa.array(np.full(len(wanted), number, np.int32)),
                "row": pa.array(wanted.astype(np.int32)),
            }
            tables.append(pa.table({"length": pc.utf8_length(ids), "id": ids, **places}))
        if not sum(map(len, tables)):
            raise NoRecordings(f"no recording of folds {list(folds)} in {', '.join(map(str, folders)) or 'no folder'}")
        keys = [(name, "ascending") for name in ("length", "id", "shard")]
        table = pa.concat_tables(tables).sort_by(keys).combine_chunks()
        ids = table["id"].combine_chunks()
        first = np.ones(len(ids), bool)
        first[1:] = pc.not_equal(ids[1:], ids[:-1]).to_numpy(zero_copy_only=False)
        self._shard, self._row = (table[name].to_numpy()[first] for name in ("shard", "row"))
        self._kept: tuple[np.ndarray, np.ndarray, np.ndarray] | None = None
        if len(self) * self.n_samples * len(LEADS) * 4 <= KEPT_BYTES:
            shape = (len(self), self.n_samples)
            self._kept = np.empty((*shape, len(LEADS)), np.float32), np.empty(shape, bool), np.zeros(len(self), bool)
        self._find_stored()

    @property
    def n_samples(self) -> int:
        return round(self.rate * self.seconds)

    def __len__(self) -> int:
        return len(self._row)

    def example(self, index: int) -> Example:
        """The recording as it is stored: its report, (n, 12) signal, rate and unit."""
        return self._shards[self._shard[index]].example(int(self._row[index]))

    def report(self, index: int) -> Report:
        return self._shards[self._shard[index]].report(int(self._row[index]))

    @property
    def reports(self) -> Iterator[Report]:
        return (self.report(index) for index in range(len(self)))

    @property
    def patients(self) -> list[str]:
        return self.column("patient_id")

    @property
    def texts(self) -> list[str]:
        return self.column("text")

    def column(self, name: str) -> list:
        """One field of every report."""
        values: list = [None] * len(self)
        for number, shard in enumerate(self._shards):
            places = np.flatnonzero(self._shard == number)
            if len(places):
                for place, value in zip(places, shard.column(name).take(self._row[places]).to_pylist(), strict=True):
                    values[place] = value
        return values

    def signals(self, indices: Sequence[int] | np.ndarray) -> list[tuple[np.ndarray, float, str]]:
        """(n, 12) float32, rate and unit of each, as stored."""
        return [self._shards[self._shard[i]].signal(int(self._row[i])) for i in indices]

    def inputs(self, indices: Sequence[int] | np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The encoder's inputs (B, n_samples, 12) float32, and which samples are recorded (B, n_samples) bool.

        Of a recording longer than a window, the first one.
        """
        asked = np.asarray(indices)
        if self._kept is None:
            return self._read_inputs(asked)
        ecgs, masks, done = self._kept
        missing = np.unique(asked[~done[asked]])
        if len(missing):
            ecgs[missing], masks[missing] = self._read_inputs(missing)
            done[missing] = True
        return ecgs[asked], masks[asked]

    @property
    def keeps_inputs(self) -> bool:
        return self._kept is not None

    def store_inputs(self) -> None:
        """Puts the inputs on the disk where this set is too large to keep them in memory, for reading them many times.

        A set that is less than half of its folders is left as it is; one for which there is no room too, with a line
        on the screen.
        """
        if self._kept is None and len(self) >= sum(map(len, self._shards)) / 2:
            try:
                store(self._sums, self._settings)
            except DataError as error:
                print(f"meit: {error}; they are made whenever they are read", file=sys.stderr)
            self._find_stored()

    def _find_stored(self) -> None:
        self._stored = [stored(path, sum_, self._settings) for path, sum_ in self._sums.items()]

    def _read_inputs(self, indices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        ecgs = np.empty((len(indices), self.n_samples, len(LEADS)), np.float32)
        masks = np.empty((len(indices), self.n_samples), bool)
        is_stored = np.array([rows is not None for rows in self._stored], bool)[self._shard[indices]]
        for place in np.flatnonzero(is_stored):
            row = self._stored[self._shard[indices[place]]][self._row[indices[place]]]
            ecgs[place], masks[place] = row["ecg"], row["mask"]
        if not is_stored.all():
            signals = self.signals(indices[~is_stored])
            ecgs[~is_stored], masks[~is_stored] = first_windows(signals, self.rate, self.seconds, self.normalisation)
        return ecgs, masks
