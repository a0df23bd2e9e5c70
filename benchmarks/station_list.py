"""The worklist with many recordings, on SQLite and on a PostgreSQL of its own: milliseconds a call.

    python benchmarks/station_list.py [RECORDINGS] [ROUNDS]

RECORDINGS (10,000) entries are written straight into the tables, without files; then every order, a page deep in it,
searches and counts are called ROUNDS (50) times each: the median and the 99th percentile.
"""

import random
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from sqlalchemy import insert

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from postgres import binaries, cluster

from meit.station.store import open_store
from meit.station.store.recording_entries import SORT_ORDERS, counts, others_of_patient, worklist
from meit.station.store.schema import RecordingRow, Status
from meit.station.store.storable import folded

SENTENCES = (
    "Sinus rhythm.",
    "Atrial fibrillation.",
    "Left axis deviation.",
    "Nonspecific ST-T changes.",
    "Normal ECG.",
    "Left ventricular hypertrophy.",
    "Incomplete right bundle branch block.",
)


def fill(store, number: int) -> None:
    rng = random.Random(0)
    statuses, rows = list(Status), []
    for one in range(number):
        patient, text = f"P{rng.randint(0, number // 3):06}", " ".join(rng.sample(SENTENCES, 4))
        rows.append(
            {
                "content_sha256": f"{one:064x}",
                "name": f"ecg{one:06}",
                "patient_id": patient,
                "status": rng.choice(statuses),
                "urgency": rng.randint(0, 3),
                "search": folded(f"ecg{one:06}", patient, text),
                "acquired_at": f"2026-01-{rng.randint(1, 28):02} 10:00:00",
            }
        )
    with store.writing() as session:
        session.execute(insert(RecordingRow), rows)


def milliseconds(call, rounds: int) -> tuple[float, float]:
    taken = []
    for _ in range(rounds):
        before = time.perf_counter()
        call()
        taken.append(1000 * (time.perf_counter() - before))
    return float(np.median(taken)), float(np.percentile(taken, 99))


def deep(store, order: str) -> str:
    """The key of a page in the middle of the list."""
    after = None
    for _ in range(sum(counts(store).values()) // 400):
        after = worklist(store, order, after=after, limit=200).after
    return after


def main() -> None:
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 50
    print(f"{number} recordings\n\n| database | call | median (ms) | p99 (ms) |\n|---|---|---|---|")

    def table(name: str, url: str) -> None:
        store = open_store(url)
        fill(store, number)
        calls = {f"first page by {order}": lambda order=order: worklist(store, order) for order in SORT_ORDERS}
        keys = {order: deep(store, order) for order in SORT_ORDERS}
        calls |= {
            f"page in the middle by {order}": lambda o=order: worklist(store, o, after=keys[o]) for order in SORT_ORDERS
        }
        calls |= {
            "search, common words": lambda: worklist(store, search="atrial fibrillation"),
            "search, one patient": lambda: worklist(store, search="p000077"),
            "search, nothing found": lambda: worklist(store, search="xyzzy"),
            "drafted ones only": lambda: worklist(store, statuses=[Status.DRAFTED]),
            "counts": lambda: counts(store),
            "others of the patient": lambda: others_of_patient(store, number // 2),
        }
        for what, call in calls.items():
            median, most = milliseconds(call, rounds)
            print(f"| {name} | {what} | {median:.1f} | {most:.1f} |", flush=True)
        store.close()

    with tempfile.TemporaryDirectory() as folder:
        table("SQLite", f"sqlite:///{folder}/station.db")
    if binaries():
        with cluster() as url:
            table("PostgreSQL", url)


if __name__ == "__main__":
    main()
