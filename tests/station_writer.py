"""A process that saves and signs as fast as it can and says what was confirmed, to be killed at any moment."""

import multiprocessing
import os
import random
import time
from hashlib import sha256
from pathlib import Path

from stations import add_drafted, quick_reader

from meit.station.store import open_store
from meit.station.store.recording_entries import get_recording
from meit.station.store.schema import Status
from meit.station.store.signing import save_text, sign, signed_versions, working_text
from meit.station.store.verifying import verify

RECORDINGS = 3


def prepare(url: str) -> int:
    """Drafted recordings 1 to RECORDINGS, and a reader, whose account is returned."""
    store = open_store(url)
    for number in range(RECORDINGS):
        add_drafted(store, "Sinus rhythm.", number)
    reader = quick_reader(store)
    store.close()
    return reader


def write(url: str, reader: int, confirmed, seed: int) -> None:
    """Says (kind, recording, version or number, SHA-256 of the text) for everything that has returned."""
    rng, store = random.Random(seed), open_store(url)
    confirmed.send(("ready", 0, 0, ""))
    while True:
        recording = rng.randint(1, RECORDINGS)
        text = f"Right bundle branch block. {rng.random()} " + "Longer. " * rng.randint(0, 200)
        saved = save_text(store, reader, recording, text, working_text(store, recording).version)
        confirmed.send(("saved", recording, saved.version, sha256(saved.text.encode()).hexdigest()))
        if rng.random() < 0.4:
            reason = "Better." if signed_versions(store, recording) else ""
            signed = sign(store, reader, recording, saved.version, reason=reason)
            confirmed.send(("signed", recording, signed.number, sha256(signed.text.encode()).hexdigest()))


def kill_while_writing(url: str, reader: int, seed: int, most: int = 12) -> list[tuple]:
    """What a writer had confirmed when SIGKILL met it: within 20 ms after some confirmation, 0 to `most` in number."""
    os.environ["PYTHONPATH"] = str(Path(__file__).parent)  # of the server that forks the writers
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["station_writer"])
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=write, args=(url, reader, theirs, seed))
    process.start()
    theirs.close()
    rng = random.Random(seed)
    confirmed = [ours.recv() for _ in range(1 + rng.randint(0, most))][1:]  # the first says that it is ready
    time.sleep(rng.uniform(0, 0.02))
    process.kill()
    process.join()
    assert process.exitcode == -9, "the writer ended by itself"
    try:
        while True:
            confirmed.append(ours.recv())
    except (EOFError, OSError):
        return confirmed


def lost_of(url: str, confirmed: list[tuple]) -> list[str]:
    """What is not there of everything that was ever confirmed, and what is there by half; empty if all is well."""
    store, lost = open_store(url), []
    newest: dict[int, tuple] = {}
    for kind, recording, number, text_sha256 in confirmed:
        if kind == "saved":
            newest[recording] = (number, text_sha256)
        elif text_sha256 not in {
            sha256(one.text.encode()).hexdigest() for one in signed_versions(store, recording) if one.number == number
        }:
            lost.append(f"signed version {number} of {recording}")
    for recording, (version, text_sha256) in newest.items():
        there = working_text(store, recording)
        same = sha256(there.text.encode()).hexdigest() == text_sha256
        if there.version < version or (there.version == version and not same):
            lost.append(f"text {version} of {recording}")
    for recording in range(1, RECORDINGS + 1):
        numbers = [one.number for one in signed_versions(store, recording)]
        status = {0: Status.DRAFTED, 1: Status.SIGNED}.get(len(numbers), Status.AMENDED)
        if numbers != list(range(len(numbers), 0, -1)) or get_recording(store, recording).status != status:
            lost.append(f"{recording} is half signed")
    found = verify(store)
    lost += [] if found.holds else [f"the audit trail: {found.fault} {found.contents}"]
    store.close()
    return lost
