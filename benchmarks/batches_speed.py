"""A folder drafted as `meit report FOLDER` does: in batches, measured by processes ahead of the model, in int8, as a command.

    python benchmarks/batches_speed.py FOLDER [RECORDINGS] [ROUNDS]

The first table is of one process with the models loaded, the second of whole commands from their start to their end, which
draft into a folder. Ways take turns in an order that changes; medians; what counts are the ratios. Waits: the share of the
time in which the model waits for recordings to be read and measured. Same: drafts that are, to the letter, those of the
first way.
"""

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from meit.drafting.draft_files import draft_paths
from meit.drafting.report_writing import DRAFTED_AT_ONCE
from meit.ecg.files.formats import find_recordings
from meit.machine import cores
from meit.model import default_model
from meit.model.report_model import load_model

WAYS = {  # name -> (quantised, batch, processes)
    "one by one": (None, 1, 1),
    "batches": (None, DRAFTED_AT_ONCE, 1),
    "batches, measured ahead": (None, DRAFTED_AT_ONCE, cores()),
    "batches, measured ahead, int8": ("int8", DRAFTED_AT_ONCE, cores()),
}
COMMANDS: dict[str, list[str]] = {
    "meit report": [],
    "meit report --quantize int8": ["--quantize", "int8"],
    f"meit report --workers {cores()}": ["--workers", str(cores())],
    f"meit report --workers {cores()} --quantize int8": ["--workers", str(cores()), "--quantize", "int8"],
}


def taken_in_turns(ways: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Median seconds of each way."""
    times: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(rounds):
        for name in list(ways) if turn % 2 == 0 else list(ways)[::-1]:
            began = time.perf_counter()
            ways[name]()
            times[name].append(time.perf_counter() - began)
    return {name: statistics.median(taken) for name, taken in times.items()}


def of_one_process(paths: list[Path], rounds: int) -> None:
    models = {kind: load_model(default_model(), kind) for kind in {kind for kind, *_ in WAYS.values()}}
    waits: dict[str, list[float]] = {name: [] for name in WAYS}
    drafts: dict[str, list[str]] = {}

    def way(name: str) -> Callable[[], object]:
        kind, batch, processes = WAYS[name]

        def drafted() -> None:
            waited: list[float] = []
            began = time.perf_counter()
            found = list(draft_paths(models[kind], paths, batch, processes=processes, waited=waited.append))
            waits[name].append(sum(waited) / (time.perf_counter() - began))
            drafts[name] = [one.draft.report if one.draft else one.error or "" for one in found]

        return drafted

    taken = taken_in_turns({name: way(name) for name in WAYS}, rounds)
    first = next(iter(WAYS))
    print("| way | reports/s | ratio | waits | same |\n|---|---|---|---|---|")
    for name, seconds in taken.items():
        same = sum(map(str.__eq__, drafts[name], drafts[first]))
        rate = f"{len(paths) / seconds:.2f} | {taken[first] / seconds:.2f}"
        print(f"| {name} | {rate} | {statistics.median(waits[name]):.0%} | {same} |")


def of_commands(paths: list[Path], rounds: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        listed = Path(folder, "list.txt")
        listed.write_text("".join(f"{path.absolute()}\n" for path in paths))

        def command(options: list[str]) -> Callable[[], object]:
            def run() -> None:
                out = tempfile.mkdtemp(dir=folder)
                words = [sys.executable, "-m", "meit.cli", "report", "--list", str(listed), "--out", out, *options]
                subprocess.run(words, check=True, capture_output=True)

            return run

        taken = taken_in_turns({name: command(options) for name, options in COMMANDS.items()}, rounds)
    plain = next(iter(taken.values()))
    print("| command | reports/s | ratio |\n|---|---|---|")
    for name, seconds in taken.items():
        print(f"| {name} | {len(paths) / seconds:.2f} | {plain / seconds:.2f} |")


def main() -> None:
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 128
    rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 3
    paths = find_recordings(Path(sys.argv[1]))[:count]
    print(f"{len(paths)} recordings, {cores()} processors, median of {rounds} rounds\n")
    of_one_process(paths, rounds)
    print()
    of_commands(paths, rounds)


if __name__ == "__main__":
    main()
