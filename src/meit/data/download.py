"""Public data sets from PhysioNet, in their official layout: in parallel, resumed, and checked against SHA256SUMS.txt.

A data set may have more than a million files, so its list is read line by line, from disk, and no list of files is kept
in memory. What was verified is remembered beside the data by size and modification time, 16 bytes a file: existing
files are hashed only once. Any interruption leaves a state to go on from: whole files under their names, and NAME.part.
"""

import os
import re
import tempfile
from collections.abc import Generator, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import closing
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Literal, NamedTuple
from urllib.parse import quote

import numpy as np
from tqdm import tqdm

from meit.data.shards import sha256
from meit.data.transfer import WORKERS, Refused, Server
from meit.errors import DataError

PHYSIONET = "https://physionet.org/files"
SUMS, LICENCE = "SHA256SUMS.txt", "LICENSE.txt"

MANY = 100  # files that are not as listed: it is the server, not the files

_LINE = re.compile(r"([0-9a-f]{64}) [ *]?(\S.*)")  # as sha256sum writes it, or with one space


@dataclass(frozen=True)
class DataSet:
    """gigabytes: of everything, as PhysioNet states it for the uncompressed files, or of what one rate (Hz) takes."""

    folder: str
    licence: str
    gigabytes: dict[int | None, float]
    folders: dict[int, str] = field(default_factory=dict)  # that hold the recordings of one rate


DATA_SETS = {
    # one rate: 21,799 recordings x 12 leads x 10 s x 2 bytes, with headers and tables
    "ptb-xl": DataSet(
        "ptb-xl/1.0.3", "CC BY 4.0", {None: 3.0, 100: 0.6, 500: 2.7}, {100: "records100/", 500: "records500/"}
    ),
    "mimic-iv-ecg": DataSet("mimic-iv-ecg/1.0", "ODbL 1.0", {None: 90.4}),
}


class _File(NamedTuple):
    """One line of SHA256SUMS.txt, by its place in it; path is relative and stays inside the data set's folder."""

    number: int
    sha256: str
    path: str


class Download:
    """A data set, where it comes from and where it goes.

    rate: only the recordings of one sampling rate, Hz. Raises DataError for a rate that the data set has no folder for.
    """

    def __init__(self, name: str, out: str | Path, base: str = PHYSIONET, rate: int | None = None):
        self.data_set = DATA_SETS[name]
        self.name, self.out = name, Path(out)
        self.url = f"{base.rstrip('/')}/{self.data_set.folder}"
        if rate not in self.data_set.gigabytes:
            rates = ", ".join(map(str, self.data_set.folders)) or "one rate only: leave it out"
            raise DataError(f"{name}: has no recordings of {rate} Hz by themselves ({rates})")
        self._size_is = "as PhysioNet states it" if rate is None else "reckoned from the recordings' number and length"
        self._left_out = tuple(folder for one, folder in self.data_set.folders.items() if rate and one != rate)
        self._gigabytes = self.data_set.gigabytes[rate]
        self._server = Server()

    def licence(self) -> str:
        """The licence's text, from the server."""
        with tempfile.TemporaryDirectory() as folder:
            self._server.receive(f"{self.url}/{LICENCE}", Path(folder) / LICENCE)
            return (Path(folder) / LICENCE).read_text(encoding="utf-8", errors="replace")

    def size(self) -> str:
        """One line: how much there is, and how much of it is here. Asks no server and writes nothing."""
        here = 0
        if (self.out / SUMS).exists():
            _, record = self._open_record(mode="r")
            here = sum(int(record[file.number, 0]) for file in self._files() if self._is_verified(file, record))
        return (
            f"{self.name}: about {self._gigabytes:g} GB ({self._size_is}) from {self.url}; "
            f"{here / 1e9:.2f} GB of it are verified in {self.out}"
        )

    def run(self) -> int:
        """Downloads what is not there yet; returns how many files the data set has. A progress bar goes to stderr.

        Raises DataError where the server cannot be reached, the list of files is damaged or leads out of the folder,
        the disk refuses a file, and, after all others were tried, where a file is not what the list says.
        """
        try:
            self.out.mkdir(parents=True, exist_ok=True)
            self._get_sums()
            count, record = self._open_record(mode="r+")
        except OSError as error:
            raise _no_room(self.out, error) from None
        self._server.stop.clear()
        with tqdm(total=count, desc=self.name, unit="file") as bar, closing(self._results(record, bar)) as results:
            failed = list(islice(results, MANY))
        if failed:
            more = f" (and {len(failed) - 1} more)" if len(failed) > 1 else ""
            raise DataError(failed[0] + more)
        return count

    def _get_sums(self) -> None:
        """Keeps the list that is here where it is as long as the server's: it has 180 MB for MIMIC-IV-ECG."""
        target, part = self.out / SUMS, self.out / f"{SUMS}.part"
        if target.exists() and target.stat().st_size == self._server.length(f"{self.url}/{SUMS}"):
            return
        part.unlink(missing_ok=True)  # nothing says that it is part of this list
        with tqdm(desc=SUMS, unit="B", unit_scale=True) as bar:
            self._server.receive(f"{self.url}/{SUMS}", part, bar.update)
        part.replace(target)

    def _open_record(self, mode: Literal["r", "r+"]) -> tuple[int, np.ndarray]:
        """How many files are to be had, and (lines of the list, 2) int64: size and mtime (ns) of each verified file.

        Its name says of which list it is; another list begins another record.
        """
        digest = sha256(self.out / SUMS)
        count, lines = 0, 0
        for file in self._lines():
            count, lines = count + self._is_chosen(file), lines + 1
        if not count:
            raise DataError(f"{self.out / SUMS}: lists no files; delete it and try again")
        path = self.out / f".verified-{digest[:16]}"
        if not path.exists() or path.stat().st_size != 16 * lines:
            if mode == "r":
                return count, np.zeros((lines, 2), np.int64)
            np.zeros((lines, 2), np.int64).tofile(path)
        return count, np.asarray(np.memmap(path, np.int64, mode, shape=(lines, 2)))

    def _files(self) -> Iterator[_File]:
        return filter(self._is_chosen, self._lines())

    def _is_chosen(self, file: _File) -> bool:
        return not file.path.startswith(self._left_out)

    def _is_verified(self, file: _File, record: np.ndarray) -> bool:
        size, mtime = record[file.number].tolist()
        return mtime != 0 and (size, mtime) == _stamp(f"{self.out}/{file.path}")  # a Path would cost more than the stat

    def _lines(self) -> Iterator[_File]:
        with (self.out / SUMS).open(encoding="utf-8", errors="replace") as lines:
            for number, line in enumerate(lines):
                match = _LINE.fullmatch(line.strip())
                if match is None or not _stays_inside(match[2]):
                    raise DataError(
                        f"{self.out / SUMS}: line {number + 1} names no file inside the data set "
                        f"({line.strip()[:80]!r}); nothing of it was fetched: delete the list and try again"
                    )
                yield _File(number, match[1], match[2])

    def _results(self, record: np.ndarray, bar) -> Generator[str, None, None]:
        """Gets the files, keeps the record and the bar, and gives one line for each file that is not as listed."""
        received = 0
        pool = ThreadPoolExecutor(WORKERS)
        waiting: dict[Future, int] = {}

        def settle() -> Iterator[str]:
            nonlocal received
            for future in wait(waiting, return_when=FIRST_COMPLETED).done:
                number, (problem, stamp, size) = waiting.pop(future), future.result()
                received += size
                bar.set_postfix_str(f"{received / 1e9:.2f} GB", refresh=False)
                bar.update()
                if problem:
                    yield problem
                else:
                    record[number] = stamp

        try:
            for file in self._files():
                if self._is_verified(file, record):
                    bar.update()
                    continue
                if len(waiting) == 4 * WORKERS:  # no more than that, whatever the list's length
                    yield from settle()
                waiting[pool.submit(self._get, file)] = file.number
            while waiting:
                yield from settle()
        finally:
            self._server.stop.set()
            pool.shutdown(cancel_futures=True)

    def _get(self, file: _File) -> tuple[str | None, tuple[int, int] | None, int]:
        """What is wrong with the file on the server, if anything; size and mtime of the one here; bytes received."""
        target = self.out / file.path
        part = target.with_name(target.name + ".part")
        size = 0
        try:
            if _sha256(target) == file.sha256:
                return None, _stamp(target), size
            target.parent.mkdir(parents=True, exist_ok=True)
            for _ in range(3 if part.exists() else 2):  # a rest from an earlier run may itself be wrong
                try:
                    size += self._server.receive(f"{self.url}/{quote(file.path)}", part)
                except Refused as error:
                    return str(error), None, size
                if _sha256(part) == file.sha256:
                    part.replace(target)
                    return None, _stamp(target), size
                part.unlink()
        except OSError as error:
            raise _no_room(target, error) from None
        return f"{target}: arrived twice with other bytes than {SUMS} says; try again, or another --base", None, size


def _stays_inside(path: str) -> bool:
    """False for a path that leaves the data set's folder, on any system, or names what is kept there by this module."""
    if path[0] == "/" or "\\" in path or ":" in path or not path.isprintable():
        return False
    return not {"", ".", ".."} & set(path.split("/")) and not path.startswith((SUMS, ".verified-"))


def _stamp(path: str | Path) -> tuple[int, int] | None:
    try:
        stat = os.stat(path)
    except FileNotFoundError:
        return None
    return stat.st_size, stat.st_mtime_ns


def _sha256(path: Path) -> str | None:
    return sha256(path) if path.exists() else None


def _no_room(path: Path, error: OSError) -> DataError:
    return DataError(f"{path}: cannot be written ({error.strerror or error}); make room and run again to go on")
