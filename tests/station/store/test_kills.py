"""SIGKILL while it is written: what was confirmed is there, nothing is there by half, the audit trail holds."""

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import event
from station_writer import kill_while_writing, lost_of, prepare
from stations import ecg_files

from meit.errors import StationError
from meit.station.store import open_store
from meit.station.store.recording_entries import add_recording, counts, files_of, worklist
from meit.station.store.verifying import verify


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_nothing_confirmed_is_lost(kind, new_url):
    url = new_url(kind)
    reader, confirmed = prepare(url), []
    for seed in range(3):
        confirmed += kill_while_writing(url, reader, seed)
        assert lost_of(url, confirmed) == []
    assert {one[0] for one in confirmed} == {"saved", "signed"}
    assert lost_of(url, [*confirmed, ("signed", 1, 99, "0")]) == ["signed version 99 of 1"]  # it would be noticed


def fill(store) -> list[int]:
    """Recordings until the disk is full; the ids of those that were confirmed."""
    confirmed = []
    with pytest.raises(StationError, match="full"):
        for number in range(500):
            confirmed.append(add_recording(store, ecg_files(number))[0])
    return confirmed


def whole(store, confirmed: list[int]) -> bool:
    """Whether there is what was confirmed, with all files, and nothing else."""
    there = [one.id for one in worklist(store, "oldest", limit=200).entries]
    found = verify(store)
    assert len(confirmed) > 3 and found.holds and found.rows == 1 + len(confirmed)
    return there == confirmed and all(len(files_of(store, one)) == 2 for one in there)


def test_a_full_database_keeps_what_it_has(sqlite_store):
    @event.listens_for(sqlite_store.engine, "connect")
    def limit(connection, record):
        connection.execute("PRAGMA max_page_count=200")

    sqlite_store.engine.dispose()
    confirmed = fill(sqlite_store)
    assert whole(sqlite_store, confirmed)
    event.remove(sqlite_store.engine, "connect", limit)
    sqlite_store.engine.dispose()
    again = open_store(sqlite_store.url)
    confirmed.append(add_recording(again, ecg_files(999))[0])
    assert whole(again, confirmed)
    again.close()


SCRIPT = """
import sys
from stations import ecg_files
from meit.errors import StationError
from meit.station.store import open_store
from meit.station.store.recording_entries import add_recording
store = open_store(sys.argv[1])
try:
    for number in range(500):
        print(add_recording(store, ecg_files(number))[0], flush=True)
except StationError as error:
    print(error)
"""


def test_when_the_kernel_refuses_to_write(new_url):
    """A limit on the size of files stands for a full disk: writes fail half-way, as they do there."""
    url = new_url("sqlite")
    open_store(url).close()
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, 600_000))  # noqa: E731
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, url], capture_output=True, text=True, env=environment, preexec_fn=limit
    )
    *confirmed, last = done.stdout.split("\n")[:-1]
    assert "nothing of this was saved" in last, done.stderr
    store = open_store(url)
    assert whole(store, [int(one) for one in confirmed])
    assert sum(counts(store).values()) == len(confirmed)
    store.close()
