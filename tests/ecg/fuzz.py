"""Reads damaged ECG files by the thousand: each must end in a Recording or in one line of a named error.

    python tests/ecg/fuzz.py --cases 10000           # exit 1 and a list, where there is anything else
    python tests/ecg/fuzz.py --seed 0 --case 1234    # one case again: its files are kept, its traceback is shown

Each case is read within MOST_SECONDS and MOST_BYTES above what the process had before, in a worker process that is
killed and replaced where it does not come back. The seed, the number of the case and the samples decide it.
"""

import argparse
import json
import multiprocessing
import os
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection, wait
from pathlib import Path
from random import Random

if __name__ == "__main__":  # imported by a test, it must leave the environment of the tests after it alone
    os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.append(str(Path(__file__).parents[1]))  # as pytest has it: this file also runs by itself

import numpy as np
from made_files import (
    write_cardiosoft,
    write_edf,
    write_ishne,
    write_kardia,
    write_mfer,
    write_mortara,
    write_scp,
)
from mutations import Sample, as_csv, as_npy, mutate

from meit.ecg import LEADS, Recording, read_ecg
from meit.ecg.quality import inspect
from meit.errors import MeitError

MOST_SECONDS = 5
MOST_BYTES = 1 << 30
PATIENCE = 4 * MOST_SECONDS  # until a worker that does not answer is killed
REPOSITORY = Path(__file__).parents[2]
SHARED = REPOSITORY.parent / "shared" / "data"
NO_RECORDINGS = (".md", ".txt", "")  # suffixes of licences and notes


@dataclass(frozen=True)
class Outcome:
    """kind: "read", "refused" or what went wrong. peak: bytes above those before the case; 0 where not measured."""

    number: int
    group: str
    kind: str
    detail: str
    seconds: float
    peak: int


class _TimeUp(BaseException):
    """No Exception, so that no reader takes it for damage to a file."""


# -- samples -----------------------------------------------------------------------------------------------------


def samples() -> dict[str, list[Sample]]:
    """Undamaged recordings by group; a case takes each group as often as any other."""
    groups = defaultdict(list)
    places = [(REPOSITORY / "examples", "*"), (REPOSITORY / "tests" / "samples", "*")]
    places += [(SHARED / "vendor", "*"), (SHARED / "cinc2021", "[AE]0000[19]*"), (SHARED / "cinc2021", "JS45551*")]
    places += [(SHARED / "mimic-iv-ecg", "4099*")]
    for folder, pattern in places:
        for main, files in _recordings(folder, pattern):
            groups[main.suffix.lower() + " " + main.parent.name].append(
                Sample(main.stem, main.name, {file.name: file.read_bytes() for file in files})
            )
    example = read_ecg(REPOSITORY / "examples" / "ptb-xl" / "00195_hr")
    values = example.signal[:3000]
    groups["CSV"] = [Sample("csv", "x.csv", {"x.csv": as_csv(LEADS, values)})]
    table = as_csv(LEADS, values, ";").split(b"I;", 1)
    beside = json.dumps({"rate_hz": 500, "unit": "mV", "patient_id": "7"}).encode()
    groups["CSV"].append(Sample("csv and json", "x.csv", {"x.csv": b"I;" + table[1], "x.json": beside}))
    groups["NPY"] = [Sample("npy", "x.npy", as_npy(array, LEADS)) for array in (values, values.T.astype(np.float64))]
    groups["WFDB of wfdb"] = list(_wfdb_samples(values.astype(np.float64)))
    groups["EDF"] = [_written(partial(write_edf, plus=plus), "x.edf", example) for plus in (True, False)]
    groups["SCP-ECG"] = [_written(partial(write_scp, huffman=True, order=2), "x.scp", example)]
    groups["SCP-ECG"].append(_written(write_scp, "x.scp", example))
    groups["ISHNE"] = [_written(write_ishne, "x.ecg", example)]
    groups["Mortara"] = [_written(write_mortara, "x.xml", example)]
    groups["CardioSoft"] = [_written(write_cardiosoft, "x.xml", example)]
    groups["MFER"] = [_written(partial(write_mfer, big=big), "x.mwf", example) for big in (True, False)]
    groups["Kardia"] = [_written(partial(write_kardia, leads=LEADS), "x.json", example)]
    return dict(sorted(groups.items()))


def _recordings(folder: Path, pattern: str) -> Iterator[tuple[Path, list[Path]]]:
    """The file to be read and all files of each recording below a folder."""
    by_stem = defaultdict(list)
    for file in sorted(folder.rglob(pattern)):
        if file.is_file() and file.suffix not in NO_RECORDINGS:
            by_stem[file.with_suffix("")].append(file)
    for files in by_stem.values():
        yield next((file for file in files if file.suffix == ".hea"), files[0]), files


def _written(writer: Callable[[Path, Recording], Path], name: str, recording: Recording) -> Sample:
    with tempfile.TemporaryDirectory() as folder:
        return Sample(name, name, {name: writer(Path(folder) / name, recording).read_bytes()})


def _wfdb_samples(values: np.ndarray) -> Iterator[Sample]:
    import wfdb

    with tempfile.TemporaryDirectory() as folder:
        for fmt in ("212", "24", "32", "80"):
            wfdb.wrsamp(
                "x", fs=500, units=["mV"] * 12, sig_name=list(LEADS), p_signal=values, fmt=[fmt] * 12, write_dir=folder
            )
            files = {name: (Path(folder) / name).read_bytes() for name in ("x.hea", "x.dat")}
            yield Sample(f"format {fmt}", "x.hea", files)
    parts = {"a.hea": files["x.hea"].replace(b"x", b"a"), "a.dat": files["x.dat"]}
    yield Sample("segments", "x.hea", {"x.hea": b"x/2 12 500 6000\na 3000\na 3000\n", **parts})


def damaged(groups: dict[str, list[Sample]], seed: int, number: int) -> tuple[str, Sample, list[str], bool]:
    """Group, files, applied mutations and whether missing leads are allowed, of one case."""
    rng = Random(f"{seed}:{number}")
    group = rng.choice(list(groups))
    others = [sample for others in groups.values() for sample in others]
    sample, applied = mutate(rng.choice(groups[group]), rng, others)
    return group, sample, applied, rng.random() < 0.5


def write(sample: Sample, folder: Path) -> Path:
    """Writes a sample's files; returns the one to be read, which may not be there."""
    folder.mkdir(parents=True)
    for name, content in sample.files.items():
        path = folder / name
        kind = sample.special.get(name)
        if kind == "folder":
            path.mkdir()
        elif kind == "pipe":
            os.mkfifo(path)
        elif kind is not None:
            targets = {"dangling link": "nothing", "link to itself": name, "device": "/dev/zero"}
            path.symlink_to(targets[kind])
        else:
            path.write_bytes(content)
            if name in sample.sizes:
                os.truncate(path, max(sample.sizes[name], len(content)))
    return folder / sample.main


# -- one case ----------------------------------------------------------------------------------------------------


def attempt(read: Callable[[Path, bool], Recording], path: Path, allow_missing: bool) -> tuple[str, str]:
    """Kind and detail of an Outcome, time and memory apart."""
    before = sorted(os.listdir(path.parent))
    try:
        recording = read(path, allow_missing)
        if not isinstance(recording, Recording):
            return "no Recording", repr(recording)[:200]
        if np.isinf(recording.signal).any():
            return "infinite samples", ""
        json.dumps(inspect(recording).to_dict(), allow_nan=False)
        kind, detail = "read", ""
    except MeitError as error:
        kind, detail = _judged(error, path)
    except _TimeUp:
        return "too slow", ""
    except BaseException:
        return "traceback", traceback.format_exc(limit=-4)
    if sorted(os.listdir(path.parent)) != before:
        return "left a file behind", str(set(os.listdir(path.parent)) ^ set(before))
    return kind, detail


def _judged(error: MeitError, path: Path) -> tuple[str, str]:
    message, inner = str(error), error
    while inner is not None:
        if isinstance(inner, MemoryError):
            return "out of memory", message
        inner = inner.__cause__ or inner.__context__
    if not message.isprintable() or len(message) > 1000:
        return "no readable line", repr(message)[:500]
    if "which is a bug of meit" in message:
        return "traceback", "".join(traceback.format_exception(error.__cause__ or error, limit=-4))
    if str(path.parent) not in message:
        return "file not named", message
    return "refused", message.replace(str(path.parent), "")


def _measured(read, groups, seed: int, number: int, folder: Path) -> Outcome:
    group, sample, applied, allow_missing = damaged(groups, seed, number)
    path = write(sample, folder / str(number))
    _reset_peak()
    before = _memory("VmRSS")
    started = time.monotonic()
    signal.setitimer(signal.ITIMER_REAL, MOST_SECONDS)
    try:
        kind, detail = attempt(read, path, allow_missing)
    except _TimeUp:  # between two lines of attempt
        kind, detail = "too slow", ""
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    seconds, peak = time.monotonic() - started, max(0, _memory("VmHWM") - before)
    shutil.rmtree(path.parent)
    if kind in ("read", "refused") and peak > MOST_BYTES:
        kind = "too much memory"
    return Outcome(number, group, kind, f"{detail} [{'; '.join(applied)}; {sample.name}]", seconds, peak)


def _memory(entry: str) -> int:
    """Bytes, of an entry of this process's status; Linux only, 0 elsewhere."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(entry + ":")), 0)


def _reset_peak() -> None:
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


# -- many cases --------------------------------------------------------------------------------------------------


def _work(pipe: Connection, read, groups, seed: int, numbers: list[int], folder: Path) -> None:
    warnings.simplefilter("ignore")
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 1)
        os.dup2(nowhere.fileno(), 2)
    signal.signal(signal.SIGALRM, _time_up)
    limit = _memory("VmSize") + MOST_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    pipe.send(None)
    for number in numbers:
        pipe.send(_measured(read, groups, seed, number, folder))
    pipe.close()


def _time_up(*_) -> None:
    raise _TimeUp


def run(
    cases: int, seed: int = 0, workers: int = 2, read: Callable[[Path, bool], Recording] = read_ecg
) -> list[Outcome]:
    """The outcomes of cases 0 to cases - 1."""
    groups = samples()
    context = multiprocessing.get_context("fork")
    outcomes = []
    with tempfile.TemporaryDirectory() as folder:
        for place, sample in enumerate(sample for group in groups.values() for sample in group):
            attempt(read_ecg, write(sample, Path(folder) / f"sound-{place}"), True)  # imports all libraries, once

        def start(numbers: list[int]):
            ours, theirs = context.Pipe(duplex=False)
            process = context.Process(target=_work, args=(theirs, read, groups, seed, numbers, Path(folder)))
            process.start()
            theirs.close()
            running[ours] = (process, numbers, time.monotonic() + PATIENCE)

        running: dict[Connection, tuple] = {}
        for worker in range(workers):
            start(list(range(worker, cases, workers)))
        while running:
            ready = wait(list(running), timeout=1)
            for pipe, (process, left, deadline) in list(running.items()):
                if pipe in ready:
                    try:
                        outcome = pipe.recv()
                        if outcome is not None:
                            outcomes.append(outcome)
                            left = left[1:]
                        running[pipe] = (process, left, time.monotonic() + PATIENCE)
                        continue
                    except EOFError:
                        kind = "worker died"
                elif time.monotonic() > deadline:
                    kind = "hangs"
                else:
                    continue
                process.kill()
                process.join()
                del running[pipe]
                if left:
                    group, sample, applied, _ = damaged(groups, seed, left[0])
                    detail = f"[{'; '.join(applied)}; {sample.name}]"
                    outcomes.append(Outcome(left[0], group, kind, detail, PATIENCE, 0))
                if left[1:]:
                    start(left[1:])
    return sorted(outcomes, key=lambda outcome: outcome.number)


def violations(outcomes: list[Outcome]) -> list[Outcome]:
    return [outcome for outcome in outcomes if outcome.kind not in ("read", "refused")]


def summary(outcomes: list[Outcome], seed: int) -> str:
    lines = [f"{len(outcomes)} cases of seed {seed}: {dict(Counter(outcome.kind for outcome in outcomes))}"]
    for group in sorted({outcome.group for outcome in outcomes}):
        of_group = [outcome for outcome in outcomes if outcome.group == group]
        lines.append(f"  {group:24} {dict(Counter(outcome.kind for outcome in of_group))}")
    slowest = max(outcomes, key=lambda outcome: outcome.seconds)
    largest = max(outcomes, key=lambda outcome: outcome.peak)
    lines.append(f"  slowest {slowest.seconds:.2f} s (case {slowest.number})")
    lines.append(f"  most memory {largest.peak / 1e6:.0f} MB (case {largest.number})")
    for bad in violations(outcomes):
        lines.append(f"case {bad.number}, {bad.group}: {bad.kind} ({bad.seconds:.1f} s) {bad.detail}")
    return "\n".join(lines)


def replay(seed: int, number: int) -> str:
    """One case, its files kept in the current folder."""
    group, sample, applied, allow_missing = damaged(samples(), seed, number)
    path = write(sample, Path(f"fuzz-{seed}-{number}").absolute())
    print(f"{path}, {group}: {'; '.join(applied)}; allow_missing={allow_missing}", flush=True)
    return "\n".join(attempt(read_ecg, path, allow_missing))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--case", type=int)
    arguments = parser.parse_args()
    if arguments.case is not None:
        print(replay(arguments.seed, arguments.case))
        return 0
    outcomes = run(arguments.cases, arguments.seed, arguments.workers)
    print(summary(outcomes, arguments.seed))
    return 1 if violations(outcomes) or len(outcomes) != arguments.cases else 0


if __name__ == "__main__":
    sys.exit(main())
