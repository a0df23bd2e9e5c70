"""Recordings as pages need them: read from their stored files once, and kept while they are looked at."""

import json
import threading
from collections import OrderedDict
from dataclasses import dataclass
from functools import cached_property

from meit.ecg.recording import Recording
from meit.station.store import Store
from meit.station.store.recordings import files_of
from meit.station.viewing import document, samples
from meit.station.work.worker import read_files

KEPT = 32  # recordings; 2 MB each at 500 Hz
MOST_MISSING = 6  # chest leads: a reader may look at what the model cannot read


@dataclass(frozen=True, eq=False)
class Shown:
    """A recording, and what the viewer reads of it."""

    recording: Recording

    @cached_property
    def document(self) -> dict:
        return document(self.recording)

    @cached_property
    def as_json(self) -> bytes:
        return json.dumps(self.document, allow_nan=False).encode()

    def samples(self, band: str, mains: str) -> bytes:
        return samples(self.recording, band, mains)


class Shelf:
    """The recordings that were looked at last. Files never change, so nothing on it is ever out of date."""

    def __init__(self, store: Store, kept: int = KEPT):
        self.store, self.kept = store, kept
        self._shown: OrderedDict[int, Shown] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, recording_id: int) -> Shown:
        """Raises AbsentError, or RecordingError for files that are no ECG."""
        with self._lock:
            if recording_id in self._shown:
                self._shown.move_to_end(recording_id)
                return self._shown[recording_id]
        shown = Shown(read_files(files_of(self.store, recording_id), MOST_MISSING))
        with self._lock:
            self._shown[recording_id] = shown
            while len(self._shown) > self.kept:
                self._shown.popitem(last=False)
        return shown
