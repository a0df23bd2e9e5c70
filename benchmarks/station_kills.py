"""What the reading station keeps when it is killed, on SQLite and on a PostgreSQL of its own.

    python benchmarks/station_kills.py [KILLS] [RECORDINGS]

KILLS (50) times a process that saves and signs in a loop meets SIGKILL at a random moment, and as often `meit serve` does
while a client saves and signs over HTTP; RECORDINGS (200) uploads are drafted by two workers with a tiny random model,
one of which is killed. Everything confirmed has to be there, nothing by half, each recording drafted once, the audit
trail whole. Where it may mount one, SQLite also fills a disk of 2 MB.
"""

import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path

import httpx2 as httpx

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from postgres import binaries, cluster
from serving import Station
from station_writer import kill_while_writing, lost_of, prepare
from stations import PASSWORD, ecg_files, make_admin

from meit.errors import StationError
from meit.station.accounts.sessions import log_in
from meit.station.store import open_store
from meit.station.store.recording_entries import add_recording, counts, files_of, worklist
from meit.station.store.schema import Status
from meit.station.store.verifying import verify

LEASE = 5.0  # seconds, so that the killed worker's recordings are not waited for too long


def kills(url: str, number: int) -> tuple[int, int, int, int]:
    """Confirmed saves, confirmed signatures, what was lost, rows of the audit trail."""
    reader, confirmed, lost = prepare(url), [], []
    for seed in range(number):
        confirmed += kill_while_writing(url, reader, seed, most=30)
        lost += lost_of(url, confirmed)
    store = open_store(url)
    rows = verify(store).rows
    store.close()
    kinds = [one[0] for one in confirmed]
    return kinds.count("saved"), kinds.count("signed"), len(lost), rows


def http_kills(url: str, number: int, folder: Path) -> tuple[int, int, int]:
    """The same with a server in between: confirmed is what a client has an answer for."""
    store = open_store(url)
    admin = make_admin(store)
    prepare(url)
    token = log_in(store, admin.login, PASSWORD, "benchmark").token
    numbers = {one.public_id: one.id for one in worklist(store).entries}
    store.close()
    rng, confirmed, lost = random.Random(number), [], []
    for _ in range(number):
        station = Station(url, folder / "log", "--workers", "0")
        timer = threading.Timer(rng.uniform(0.05, 1.5), station.kill)
        timer.start()
        with httpx.Client(base_url=station.address, headers={"Authorization": f"Bearer {token}"}, timeout=30) as client:
            with suppress(httpx.HTTPError):  # the kill
                while True:
                    confirmed += http_round(client, rng, numbers)
        timer.join()
        lost += lost_of(url, confirmed)
    kinds = [one[0] for one in confirmed]
    return kinds.count("saved"), kinds.count("signed"), len(lost)


def http_round(client: httpx.Client, rng: random.Random, numbers: dict[str, int]):
    """A text saved and perhaps signed; each is said once its answer is there."""
    public_id, recording = rng.choice(list(numbers.items()))
    api = f"/api/recordings/{public_id}"
    known = client.get(api).raise_for_status().json()
    text = f"Right bundle branch block. {rng.random()} " + "Longer. " * rng.randint(0, 200)
    saved = (
        client.put(f"{api}/text", json={"text": text, "version": known["text"]["version"]}).raise_for_status().json()
    )
    yield "saved", recording, saved["version"], sha256(text.encode()).hexdigest()
    if rng.random() < 0.5:
        reason = {"reason": "Better."} if known["versions"] else {}
        signed = client.post(f"{api}/signature", json={"version": saved["version"], **reason}).raise_for_status().json()
        yield "signed", recording, signed["number"], sha256(text.encode()).hexdigest()


def tiny_model(folder: Path) -> Path:
    """Made by the tests' own fixture, in a process of its own."""
    test = folder / "test_save.py"
    test.write_text(f"def test_it(tiny_model):\n    tiny_model.save({str(folder / 'model')!r})\n")
    tests = Path(__file__).parents[1] / "tests"
    settings = ["--rootdir", str(tests.parent), "-c", str(tests.parent / "pyproject.toml"), "-p", "conftest"]
    command = [sys.executable, "-m", "pytest", "-q", *settings, "--basetemp", str(folder / "base"), str(test)]
    subprocess.run(command, check=True, capture_output=True, env={**os.environ, "PYTHONPATH": str(tests)})
    return folder / "model"


def drafts(url: str, model: Path, number: int) -> tuple[int, int, float]:
    """Recordings with exactly one draft, those failed, and the seconds that it took."""
    from meit.station.work.processes import Workers
    from meit.station.work.queue import waiting

    store, before = open_store(url), time.time()
    ids = [add_recording(store, ecg_files(1000 + one))[0] for one in range(number)]
    with Workers(store, model, 2, lease=LEASE) as workers:
        while counts(store)[Status.DRAFTING] == 0:
            time.sleep(0.01)
        os.kill(workers.pids[0], signal.SIGKILL)
        while waiting(store):
            time.sleep(0.1)
    with store.reading() as session:
        rows = (
            session.connection()
            .exec_driver_sql("SELECT recording_id, count(*) FROM drafts GROUP BY recording_id")
            .all()
        )
    once = sum(1 for recording, number in rows if recording in ids and number == 1)
    assert verify(store).holds
    failed = counts(store)[Status.FAILED]
    store.close()
    return once, failed, time.time() - before


@contextmanager
def small_disk(megabytes: int):
    with tempfile.TemporaryDirectory() as folder:
        mount = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", folder]
        subprocess.run(mount, check=True, capture_output=True)
        try:
            yield Path(folder)
        finally:
            subprocess.run(["umount", "-l", folder], check=True)


def full_disk(url: str) -> tuple[int, bool, str]:
    """Confirmed until the disk was full, whether just these are there and whole, and what was said."""
    store, confirmed, said = open_store(url), [], ""
    while not said:
        try:
            confirmed.append(add_recording(store, ecg_files(len(confirmed)))[0])
        except StationError as error:
            said = str(error)
    there = [one.id for one in worklist(store, "oldest", limit=200).entries]
    whole = there == confirmed and all(len(files_of(store, one)) == 2 for one in there)
    found = verify(store)
    store.close()
    return len(confirmed), whole and found.holds and found.rows == len(confirmed) + 1, said


def main() -> None:
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 50
    recordings = int(sys.argv[2]) if len(sys.argv) > 2 else 200
    with tempfile.TemporaryDirectory() as folder:
        model = tiny_model(Path(folder)) if recordings else None
        print(
            "| database | kills | saves confirmed | signatures confirmed | lost or half | audit rows | drafted once | s |"
        )
        print("|---|---|---|---|---|---|---|---|", flush=True)

        def row(name: str, url: str, other: str) -> None:
            saved, signed, lost = http_kills(other, number, Path(folder))
            print(f"| {name}, server | {number} | {saved} | {signed} | {lost} | | | |", flush=True)
            saved, signed, lost, rows = kills(url, number)
            once, failed, seconds = drafts(url, model, recordings) if recordings else (0, 0, 0.0)
            print(
                f"| {name} | {number} | {saved} | {signed} | {lost} | {rows} | {once} of {recordings}, {failed} failed "
                f"| {seconds:.0f} |",
                flush=True,
            )

        row("SQLite", f"sqlite:///{folder}/station.db", f"sqlite:///{folder}/served.db")
        if binaries():
            with cluster() as url, cluster() as other:
                row("PostgreSQL", url, other)
    try:
        with small_disk(2) as folder:
            kept, whole, said = full_disk(f"sqlite:///{folder}/station.db")
            print(f"\nA disk of 2 MB: {kept} recordings confirmed, {'all' if whole else 'NOT'} there and whole: {said}")
    except (OSError, subprocess.CalledProcessError):
        print("\nno small disk could be mounted")


if __name__ == "__main__":
    main()
