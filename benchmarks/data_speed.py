"""Loading prepared recordings, preparing them, and what many of them cost.

    python benchmarks/data_speed.py load MIMIC-IV-ECG          # loading against reading the files
    python benchmarks/data_speed.py prepare MIMIC-IV-ECG       # preparing against reading alone
    python benchmarks/data_speed.py int16 MIMIC-IV-ECG         # what storing 16-bit numbers loses
    python benchmarks/data_speed.py size MIMIC-IV-ECG 10000 100000 400000     # time and memory, with a plot

MIMIC-IV-ECG is its folder, or any part of it; its recordings are listed again and again under new ids to make the
wanted number. Ratios of one run, alternating order, medians. What is written goes to a temporary folder.
"""

import csv
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import wfdb
from scipy.signal import resample_poly

from meit.data.batches import EcgSet
from meit.data.shards import from_int16, to_int16
from meit.data.sources.mimic_iv_ecg import MACHINE_REPORTS, RECORD_LIST, prepare
from meit.ecg.files.formats import read_ecg
from meit.ecg.signal.resampling import resample
from meit.ecg.signal.windowing import first_windows
from meit.machine import cores

ROUNDS, RATE, BATCH = 5, 100, 64


def replicated(source: Path, folder: Path, count: int) -> Path:
    """MIMIC-IV-ECG's layout with `count` rows, whose paths lead to the recordings that there are."""
    tables = {}
    for name in (RECORD_LIST, MACHINE_REPORTS):
        with open(source / name, newline="") as file:
            tables[name] = list(csv.DictReader(file))
    there = [row for row in tables[RECORD_LIST] if (source / f"{row['path']}.hea").exists()]
    machine = {row["study_id"]: row for row in tables[MACHINE_REPORTS]}
    there = [row for row in there if row["study_id"] in machine]
    folder.mkdir()
    (folder / "files").symlink_to((source / "files").resolve())
    for name, rows in ((RECORD_LIST, there), (MACHINE_REPORTS, [machine[row["study_id"]] for row in there])):
        with open(folder / name, "w", newline="") as file:
            writer = csv.DictWriter(file, rows[0])
            writer.writeheader()
            for number in range(count):
                new = {"subject_id": 10_000_000 + number // 5, "study_id": 40_000_000 + number}
                writer.writerow(rows[number % len(rows)] | new)
    return folder


def ratio_table(ways: dict, recordings: int) -> None:
    """Times each way alternately and prints recordings a second, and the ratio to the first."""
    times: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(ROUNDS + 1):
        for name in list(ways) if turn % 2 else list(ways)[::-1]:
            start = time.perf_counter()
            ways[name]()
            times[name].append(time.perf_counter() - start)
    rates = {name: recordings / statistics.median(taken[1:]) for name, taken in times.items()}
    first = next(iter(rates.values()))
    print("| way | recordings/s | ratio |\n|---|---|---|")
    for name, rate in rates.items():
        print(f"| {name} | {rate:.0f} | {rate / first:.2f} |")


def load(source: Path, folder: Path) -> None:
    """Batches of shuffled recordings as float32 at 100 Hz, on one core."""
    count = 2048
    prepare(replicated(source, folder / "source", count), folder / "out", RATE)
    data = EcgSet([folder / "out"], range(1, 11), RATE, 10)
    data._kept = None  # the larger sets' way: nothing is kept in memory
    order = np.random.default_rng(0).permutation(len(data))[:512]
    paths = [str(path.with_suffix("")) for path in sorted((source / "files").rglob("*.hea"))]

    def files() -> None:
        for index in order.tolist():
            resample_poly(wfdb.rdsamp(paths[index % len(paths)])[0], RATE, 500)

    def batches(get) -> None:
        for start in range(0, len(order), BATCH):
            get(order[start : start + BATCH])

    def on_the_way(part: np.ndarray) -> None:
        first_windows(data.signals(part), RATE, 10)

    data.store_inputs()
    ways = {
        "wfdb.rdsamp and resampling": files,
        "prepared batches, mV": lambda: batches(lambda part: np.stack([s for s, _, _ in data.signals(part)])),
        "encoder inputs, made on the way": lambda: batches(on_the_way),
        "encoder inputs, stored beside the shards": lambda: batches(data.inputs),
    }
    ratio_table(ways, len(order))


def _read(path: str) -> None:
    read_ecg(path)


def _rdsamp(path: str) -> None:
    wfdb.rdsamp(path.removesuffix(".hea"))


def preparing(source: Path, folder: Path) -> None:
    """Whole preparations on all cores, against a pool of processes that only reads the same files."""
    count = 4000
    layout = replicated(source, folder / "source", count)
    with open(layout / RECORD_LIST, newline="") as file:
        paths = [str(layout / f"{row['path']}.hea") for row in csv.DictReader(file)]

    def pooled(work) -> None:
        with ProcessPoolExecutor(cores()) as pool:
            list(pool.map(work, paths, chunksize=500))

    ways = {
        "reading alone, wfdb.rdsamp": lambda: pooled(_rdsamp),
        "reading alone, meit.read_ecg": lambda: pooled(_read),
        "meit prepare, 500 Hz kept": lambda: prepare(layout, folder / "out500", 500),
        "meit prepare, to 100 Hz": lambda: prepare(layout, folder / "out100", RATE),
    }
    ratio_table(ways, count)


def int16(source: Path, _folder: Path) -> None:
    """Stored and read back against the signal itself, over all recordings."""
    print("| rate, Hz | RMS, µV | most, µV |\n|---|---|---|")
    recordings = [read_ecg(path) for path in sorted((source / "files").rglob("*.hea"))]
    for rate in (100, 250, 500):
        signals = [resample(recording.signal, recording.rate, rate) for recording in recordings]
        errors = np.concatenate([(from_int16(*to_int16(signal)) - signal).ravel() * 1000 for signal in signals])
        print(f"| {rate} | {np.sqrt(np.nanmean(errors**2)):.3f} | {np.nanmax(np.abs(errors)):.2f} |")


def size(source: Path, folder: Path, counts: list[int]) -> None:
    """Each count in a fresh process: its time, and the most memory that it or one of its processes held.

    Of the time, what all its processes spent on the processor: other work on the machine lengthens it little.
    """
    rows = []
    for count in counts:
        with tempfile.TemporaryDirectory(dir=folder) as part:
            done = subprocess.run(
                [sys.executable, __file__, "one", str(source), part, str(count)],
                capture_output=True,
                text=True,
                check=True,
            )
            rows.append([count, *map(float, done.stdout.split()[-5:])])
            print(rows[-1], file=sys.stderr)
    print(
        "| recordings | preparing, s | processor, s | its memory, MB | a worker's, MB | loading all once: memory, MB |"
    )
    print("|---|---|---|---|---|---|")
    for count, seconds, spent, main, worker, loading in rows:
        print(f"| {count} | {seconds:.0f} | {spent:.0f} | {main:.0f} | {worker:.0f} | {loading:.0f} |")
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.5), layout="constrained")
    left, right = figure.subplots(1, 2)
    number = [row[0] for row in rows]
    for column, label in ((1, "clock"), (2, "processor, all processes")):
        left.plot(number, [row[column] for row in rows], "o-", label=label)
    left.set(xlabel="recordings", ylabel="preparing, s", title="Time", xlim=0, ylim=0)
    left.legend()
    for column, label in ((3, "preparing"), (4, "one of its workers"), (5, "loading")):
        right.plot(number, [row[column] for row in rows], "o-", label=label)
    right.set(xlabel="recordings", ylabel="resident memory, MB", title="Memory", xlim=0, ylim=0)
    right.legend()
    figure.savefig("data-size.png", dpi=110)


def one(source: Path, folder: Path, count: int) -> None:
    layout = replicated(source, folder / "source", count)
    start = time.perf_counter()
    prepare(layout, folder / "out", RATE)
    seconds = time.perf_counter() - start
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    spent = sum(one.ru_utime + one.ru_stime for one in used)
    own, worker = (one.ru_maxrss / 1e3 for one in used)
    # pages of mapped files are the kernel's, which takes them back when it likes: only memory of the process counts
    code = (
        "import sys, numpy as np\nfrom meit.data.batches import EcgSet\n"
        "data = EcgSet([sys.argv[1]], range(1, 11), 100, 10)\n"
        "for part in np.array_split(np.random.default_rng(0).permutation(len(data)), len(data) // 64): data.signals(part)\n"
        "print([line.split()[1] for line in open('/proc/self/status') if line.startswith('RssAnon')][0])"
    )
    out = subprocess.run([sys.executable, "-c", code, str(folder / "out")], capture_output=True, text=True, check=True)
    print(seconds, spent, own, worker, int(out.stdout) / 1e3)


def main() -> None:
    what, source = sys.argv[1], Path(sys.argv[2])
    if what == "one":
        one(source, Path(sys.argv[3]), int(sys.argv[4]))
        return
    with tempfile.TemporaryDirectory() as folder:
        {
            "load": load,
            "prepare": preparing,
            "int16": int16,
            "size": lambda *a: size(*a, [int(n) for n in sys.argv[3:]]),
        }[what](source, Path(folder))


if __name__ == "__main__":
    main()
