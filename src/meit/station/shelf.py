"""Recordings as pages need them: what the viewer draws is kept in the database, the signal while it is looked at."""

import json
import threading
from collections import OrderedDict
from functools import cached_property

from meit.drafting.examine import examine
from meit.ecg.recording import Recording
from meit.station.store import Store
from meit.station.store.recording_entries import files_of
from meit.station.store.schema import ViewRow
from meit.station.viewer_document import DOCUMENT_HEAD, as_json, signal_bytes
from meit.station.work.worker import read_files

KEPT = 64  # recordings; of ten seconds at 500 Hz half a MB each
MOST_MISSING = 6  # chest leads: a reader may look at what the model cannot read


class Shown:
    """A recording, read when something is asked of it. Raises AbsentError, or RecordingError for files that are no ECG."""

    def __init__(self, store: Store, recording_id: int):
        self._store, self._id = store, recording_id

    @cached_property
    def recording(self) -> Recording:
        return read_files(files_of(self._store, self._id), MOST_MISSING)

    @cached_property
    def as_json(self) -> str:
        """What the worker has kept, else made anew and kept."""
        with self._store.reading() as session:
            row = session.get(ViewRow, self._id)
        if row is not None and row.document.startswith(DOCUMENT_HEAD):
            return row.document
        text = as_json(examine(self.recording))
        with self._store.claiming() as session:
            session.merge(ViewRow(recording_id=self._id, document=text))
        return text

    @cached_property
    def document(self) -> dict:
        return json.loads(self.as_json)

    def samples(self, band: str, mains: str) -> bytes:
        return signal_bytes(self.recording, band, mains)


class Shelf:
    """The recordings that were looked at last. Files never change, so nothing on it is ever out of date."""

    def __init__(self, store: Store, kept: int = KEPT):
        self.store, self.kept = store, kept
        self._shown: OrderedDict[int, Shown] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, recording_id: int) -> Shown:
        with self._lock:
            shown = self._shown.pop(recording_id, None) or Shown(self.store, recording_id)
            self._shown[recording_id] = shown
            while len(self._shown) > self.kept:
                self._shown.popitem(last=False)
        return shown
