"""Encoder inputs beside their shards, for sets too large to keep in memory: made once, memory-mapped after.

`records-00000.band-100Hz-10s.<key>.npy` holds what meit.ecg.signal.windowing.first_windows gives for each row of
`records-00000.arrow`, as INPUT_FIELDS. The key is of the shard's SHA-256, of the settings and of the code that makes
inputs, so that a file of another shard, setting or version is never read. Such files may be deleted at any time, and
are when their folder is prepared anew.
"""

import hashlib
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

import meit.ecg.signal
from meit.atomic import atomic_path
from meit.data.engines import local
from meit.data.shards import Shard
from meit.ecg.recording import LEADS
from meit.ecg.signal.windowing import first_windows
from meit.errors import DataError

WRITTEN_AT_ONCE = 50  # recordings that one process holds in memory
ABANDONED_S = 3600  # since what a killed run had begun was last written to
SPARE = 0.5  # of the room that is left on a disk, what inputs may take


@dataclass(frozen=True)
class InputSettings:
    """What inputs depend on besides the recording; see meit.ecg.signal.windowing.model_input."""

    rate: float
    seconds: float
    normalisation: str

    @property
    def row(self) -> np.dtype:
        """Of one recording: its input (n_samples, 12), and which samples are recorded (n_samples,)."""
        n = round(self.rate * self.seconds)
        return np.dtype([("ecg", "<f4", (n, len(LEADS))), ("mask", "?", (n,))])

    def of(self, shard: Shard, rows: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
        """Made from what is stored: (B, n_samples, 12) float32 and (B, n_samples) bool."""
        return first_windows([shard.signal(row) for row in rows], self.rate, self.seconds, self.normalisation)

    def path(self, shard: Path, sha256: str) -> Path:
        name = f"{self.normalisation}-{self.rate:g}Hz-{self.seconds:g}s"
        key = hashlib.sha256(f"{sha256} {name} {_code()}".encode()).hexdigest()[:12]
        return shard.with_suffix(f".{name}.{key}.npy")


def stored(shard: Path, sha256: str, settings: InputSettings) -> np.ndarray | None:
    """The inputs of a shard, one `InputSettings.row` a recording, read where they lie; None where they are not stored."""
    try:
        rows: np.ndarray = np.load(settings.path(shard, sha256), mmap_mode="r")
    except (OSError, ValueError):
        return None
    return rows if rows.dtype == settings.row else None


def store(shards: Mapping[Path, str], settings: InputSettings, label: str = "encoder inputs") -> None:
    """Stores the inputs of each shard, given with its SHA-256, unless they are there; on all processors.

    Raises DataError where the disk has no room to spare for them, or cannot be written to.
    """
    from tqdm import tqdm

    missing = [(path, sum_, settings) for path, sum_ in shards.items() if stored(path, sum_, settings) is None]
    if not missing:
        return
    for folder in {path.parent for path, _, _ in missing}:
        needed = sum(len(Shard(path)) for path, _, _ in missing if path.parent == folder) * settings.row.itemsize
        free = shutil.disk_usage(folder).free
        if needed > SPARE * free:
            raise DataError(f"{folder} has no room for encoder inputs: {needed / 1e9:.1f} GB of {free / 1e9:.1f} GB")
    for _ in tqdm(local(store_one, missing), total=len(missing), desc=label, unit="shard"):
        pass


def store_one(shard: Path, sha256: str, settings: InputSettings) -> None:
    """Writes one file whole, and removes those of the same settings that an earlier version or shard left."""
    opened, out = Shard(shard), settings.path(shard, sha256)
    for begun in out.parent.glob(f".{out.stem}-*"):
        if time.time() - begun.stat().st_mtime > ABANDONED_S:
            begun.unlink(missing_ok=True)
    try:
        with atomic_path(out) as temporary:
            rows = np.lib.format.open_memmap(temporary, "w+", settings.row, (len(opened),))
            for start in range(0, len(opened), WRITTEN_AT_ONCE):
                part = rows[start : start + WRITTEN_AT_ONCE]
                part["ecg"], part["mask"] = settings.of(opened, range(start, start + len(part)))
            rows.flush()
    except OSError as error:
        raise DataError(f"{out} cannot be written: {error.strerror}") from None
    for old in set(out.parent.glob(f"{out.stem.rpartition('.')[0]}.*.npy")) - {out}:
        old.unlink(missing_ok=True)


@cache
def _code() -> str:
    """SHA-256 of everything that turns a recording into an input: whatever changes there, inputs are made anew."""
    sources = sorted(Path(str(meit.ecg.signal.__file__)).parent.glob("*.py"))
    return hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()
