"""Recordings drafted in batches, as `meit report FOLDER` does, against one by one.

    python benchmarks/batches_speed.py FOLDER [RECORDINGS] [ROUNDS]

One process, the model loaded once, alternating order, medians; what counts is the ratio.
"""

import statistics
import sys
import time
from pathlib import Path

from meit.drafting.draft_files import draft_paths
from meit.drafting.report_writing import DRAFTED_AT_ONCE
from meit.ecg.files.formats import find_recordings
from meit.model import default_model
from meit.model.report_model import load_model


def main() -> None:
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 48
    rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 3
    paths = find_recordings(Path(sys.argv[1]))[:count]
    model = load_model(default_model())
    times: dict[int, list[float]] = {1: [], DRAFTED_AT_ONCE: []}
    for turn in range(rounds):
        for batch in sorted(times, reverse=bool(turn % 2)):
            start = time.perf_counter()
            drafted = sum(one.draft is not None for one in draft_paths(model, paths, batch))
            times[batch].append((time.perf_counter() - start) / drafted)
    one, many = (statistics.median(times[batch]) for batch in (1, DRAFTED_AT_ONCE))
    print("| recordings | batch | reports/s | ratio |\n|---|---|---|---|")
    print(f"| {len(paths)} | 1 | {1 / one:.2f} | 1 |")
    print(f"| {len(paths)} | {DRAFTED_AT_ONCE} | {1 / many:.2f} | {one / many:.2f} |")


if __name__ == "__main__":
    main()
