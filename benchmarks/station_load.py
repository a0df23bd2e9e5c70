"""Many readers before a long worklist, over loopback, while drafting runs: milliseconds a page, and memory.

    python benchmarks/station_load.py [RECORDINGS] [READERS] [SECONDS]

RECORDINGS (10,000) entries in the list, some hundred of them with files and drafts; READERS (50) at once for SECONDS
(120): each looks at the list, searches, opens a recording, its tracing and a filter, types (check and save), now and then
signs and exports, and thinks a while in between. `meit serve` runs as a process of its own with one worker, and gets new
uploads all the time. Memory: of the server's process, at the beginning, in the middle and at the end.
"""

import os
import random
import sys
import tempfile
import threading
import time
from collections import defaultdict
from pathlib import Path

import httpx2 as httpx
import numpy as np

sys.path[:0] = [str(Path(__file__).parents[1] / "tests"), str(Path(__file__).parent)]

from serving import Station  # noqa: E402
from station_list import fill  # noqa: E402
from stations import PASSWORD, add_drafted, ecg_files, make_admin, make_person  # noqa: E402

from meit.station.shelf import Shown  # noqa: E402
from meit.station.store import Role, open_store  # noqa: E402
from meit.station.store.recording_entries import get_recording  # noqa: E402

THINK_S = (2.0, 8.0)  # between two actions; a real reader takes longer
DRAFTED = 100
REPORTS = (
    "Sinus rhythm. Normal ECG.",
    "Sinus rhythm. Left axis deviation.",
    "Atrial fibrillation.",
    "Sinus bradycardia.",
)


class Reader(threading.Thread):
    """One person before a browser."""

    def __init__(self, station: Station, token: str, ids: list[str], until: float, seed: int, taken, lock):
        super().__init__(daemon=True)
        self.client = httpx.Client(
            base_url=station.address,
            headers={"Authorization": f"Bearer {token}"},
            timeout=60,
            transport=httpx.HTTPTransport(retries=3),
        )
        self.ids, self.end, self.random, self.taken, self.lock = ids, until, random.Random(seed), taken, lock
        self.failed: list[str] = []

    def ask(self, what: str, method: str, path: str, **more):
        before = time.perf_counter()
        found = self.client.request(method, path, **more)
        with self.lock:
            self.taken[what].append(1000 * (time.perf_counter() - before))
        if found.status_code >= 500 or found.status_code in (401, 403, 429):
            self.failed.append(f"{what}: {found.status_code}")
        return found

    def run(self) -> None:
        time.sleep(self.random.uniform(0, THINK_S[1]))
        while time.monotonic() < self.end:
            self.ask("worklist, page", "GET", "/")
            self.ask("worklist, refreshed", "POST", "/api/worklist", json={})
            self.ask(
                "worklist, searched",
                "POST",
                "/api/worklist",
                json={"search": self.random.choice(("fibrillation", "P0012", "ecg0077"))},
            )
            api = f"/api/recordings/{self.random.choice(self.ids)}"
            self.ask("recording, page", "GET", api.removeprefix("/api"))
            known = self.ask("recording, draft and checks", "GET", api).json()
            self.ask("recording, tracing", "GET", f"{api}/view")
            self.ask("recording, signal", "GET", f"{api}/signal")
            self.think()
            text = self.random.choice(REPORTS)
            self.ask("text checked", "POST", f"{api}/check", json={"text": text})
            saved = self.ask(
                "text saved",
                "PUT",
                f"{api}/text",
                json={"text": f"{text} {self.random.random()}", "version": known["text"]["version"]},
            )
            if saved.status_code == 200 and self.random.random() < 0.3:
                reason = {"reason": "more to say"} if known["versions"] else {}
                body = {"version": saved.json()["version"], **reason}
                signed = self.ask("signed", "POST", f"{api}/signature", json=body)
                if signed.status_code == 409:
                    self.ask(
                        "signed",
                        "POST",
                        f"{api}/signature",
                        json={**body, "acknowledged": signed.json().get("contradicted", [])},
                    )
            if self.random.random() < 0.2:
                self.ask("exported as FHIR", "GET", f"{api}/report.fhir")
            self.think()

    def think(self) -> None:
        time.sleep(self.random.uniform(*THINK_S))


def resident(pid: int) -> float:
    """MB of a process."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def main() -> None:
    recordings, readers, seconds = (
        int(given) for given in (*sys.argv[1:], *("10000", "50", "120")[len(sys.argv) - 1 :])
    )
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/station.db"
        store = open_store(url)
        admin = make_admin(store)
        people = [make_person(store, admin, f"reader{one}", Role.READER) for one in range(readers)]
        fill(store, recordings - DRAFTED)
        numbers = [add_drafted(store, REPORTS[one % 4], number=one) for one in range(DRAFTED)]
        ids = [get_recording(store, one).public_id for one in numbers]
        for one in numbers:
            Shown(store, one).as_json  # noqa: B018  as a worker keeps it with the draft
        station = Station(url, Path(folder) / "log")
        tokens = [
            httpx.post(
                f"{station.address}/api/session", json={"login": one.login, "password": PASSWORD}, timeout=60
            ).json()["token"]
            for one in people
        ]
        taken, lock, end = defaultdict(list), threading.Lock(), time.monotonic() + seconds
        crowd = [Reader(station, token, ids, end, seed, taken, lock) for seed, token in enumerate(tokens)]
        uploads, memory = 0, [resident(station.process.pid)]
        for one in crowd:
            one.start()
        while time.monotonic() < end:  # a recording every two seconds for the worker
            files = [("files", (name, content)) for name, content in ecg_files(5000 + uploads).items()]
            httpx.post(
                f"{station.address}/api/recordings",
                files=files,
                headers={"Authorization": f"Bearer {tokens[0]}"},
                timeout=60,
            )
            uploads += 1
            time.sleep(2)
            memory.append(resident(station.process.pid))
        for one in crowd:
            one.join()
        drafted = httpx.post(
            f"{station.address}/api/worklist",
            json={"search": "ecg5"},
            headers={"Authorization": f"Bearer {tokens[0]}"},
            timeout=60,
        ).json()["counts"]
        station.stop()
        store.close()
    requests = sum(map(len, taken.values()))
    print(
        f"{recordings} recordings, {readers} readers, {seconds} s: {requests} requests, "
        f"{requests / seconds:.0f} a second; "
        f"{uploads} uploads meanwhile, {drafted['queued'] + drafted['drafting']} of all wait\n"
    )
    print("| request | n | median (ms) | p99 (ms) |\n|---|---|---|---|")
    for what, times in taken.items():
        print(f"| {what} | {len(times)} | {np.median(times):.0f} | {np.percentile(times, 99):.0f} |")
    every = [one for times in taken.values() for one in times]
    print(f"| all | {len(every)} | {np.median(every):.0f} | {np.percentile(every, 99):.0f} |")
    third = max(1, len(memory) // 3)
    print(
        f"\nserver's memory: {memory[0]:.0f} MB at the start, "
        f"{np.mean(memory[third : 2 * third]):.0f} MB in the second third, "
        f"{np.mean(memory[2 * third :]):.0f} MB in the last"
    )
    failed = [why for one in crowd for why in one.failed]
    print(f"failed requests: {len(failed)} {sorted(set(failed))}")


if __name__ == "__main__":
    main()
