"""A watched folder: recordings that a cart or an export writes into it are taken in by themselves.

Files stay where they are; one that was taken in before (its content counts, not its name) is not taken in again.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from meit.ecg.files.formats import format_of
from meit.ecg.files.recognise import first_bytes
from meit.errors import StationError
from meit.station.intake import grouped, is_half
from meit.station.store import Store
from meit.station.store.recording_entries import add_recording, check_names

FOLDER_LOOK_S = 2.0  # seconds between two looks; a file that changed between them is still being written
HALF_PATIENCE_S = 600.0  # that a header waits for its signal, or a signal for its header; then it is shown as it is
LARGEST = 256 * 2**20
log = logging.getLogger(__name__)  # no names of files: they may be patients'


class Watch:
    """`with Watch(store, folder): ...` takes in what is there and what comes."""

    def __init__(self, store: Store, folder: Path, look: float = FOLDER_LOOK_S, patience: float = HALF_PATIENCE_S):
        if not folder.is_dir():
            raise StationError(f"{folder}: the folder to be watched is not there")
        self.store, self.folder, self.look, self.patience = store, folder, look, patience
        self._before: dict[Path, tuple[int, int]] = {}
        self._since: dict[Path, float] = {}  # when it was first seen, by our own clock
        self._taken: set[tuple[Path, int, int]] = set()
        self._heads: dict[Path, tuple[tuple[int, int] | None, bytes]] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._keep, daemon=True)

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(self, *_) -> None:
        self._stop.set()
        self._thread.join()

    def _keep(self) -> None:
        while not self._stop.is_set():
            try:
                self.once()
            except (StationError, OSError) as error:
                log.warning("the watched folder was not read: %s", type(error).__name__)
            self._stop.wait(self.look)

    def once(self) -> int:
        """One look: takes in what has not changed since the last one; returns how many recordings were new."""
        now = dict(self._files())
        settled = {path for path, state in now.items() if self._before.get(path) == state}
        self._before = now
        self._since = {path: self._since.get(path, time.monotonic()) for path in now}
        self._heads = {path: head for path, head in self._heads.items() if path in now}
        added = 0
        for folder in sorted({path.parent for path in now}):
            here = [path.name for path in now if path.parent == folder]
            for group in grouped(here, self._reader(folder)):
                paths = [folder / name for name in group]
                seen = {(path, *now[path]) for path in paths}
                if not settled.issuperset(paths) or self._taken >= seen or self._waits(paths):
                    continue
                try:
                    added += self._take(paths)
                except OSError as error:  # locked by who wrote it, or the share is away: at the next look again
                    log.warning("a file of the watched folder could not be read: %s", error.strerror)
                else:
                    self._taken |= seen
        return added

    def _take(self, paths: list[Path]) -> bool:
        try:
            check_names([path.name for path in paths])
        except StationError as error:  # one file's fault; what fails at the database is tried again
            log.warning("a file of the watched folder was left out: %s", error)
            return False
        return add_recording(self.store, {path.name: path.read_bytes() for path in paths})[1]

    def _waits(self, paths: list[Path]) -> bool:
        first = min(self._since[path] for path in paths)
        patient = time.monotonic() - first < self.patience
        return patient and (is_half([path.name for path in paths], self._reader(paths[0].parent)) or _is_unknown(paths))

    def _reader(self, folder: Path) -> Callable[[str], bytes]:
        return lambda name: self._head(folder / name)

    def _head(self, header: Path) -> bytes:
        """The beginning of a header, read once for each state of it."""
        state = self._before.get(header)
        if self._heads.get(header, (None, b""))[0] != state or state is None:
            self._heads[header] = (state, first_bytes(header))
        return self._heads[header][1]

    def _files(self) -> Iterator[tuple[Path, tuple[int, int]]]:
        """Below the folder, without links, hidden and temporary files: what leads out of it is not read."""
        for path in sorted(self.folder.rglob("*")):
            if path.is_symlink() or path.name.startswith((".", "~")) or path.suffix.lower() in (".tmp", ".part"):
                continue
            if path.is_file() and 0 < (state := path.stat()).st_size <= LARGEST:
                yield path, (state.st_size, state.st_mtime_ns)


def _is_unknown(paths: list[Path]) -> bool:
    """Whether this is one file of no known format: a header that is still to come may name it."""
    return len(paths) == 1 and format_of(paths[0]) is None
