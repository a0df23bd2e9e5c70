"""Peak memory of `meit report --list FILE --out DIR` over many recordings, and of a second run that keeps them all.

    python benchmarks/report_memory.py [--counts 1000 10000 100000] [--format parquet]

Recordings are links to the repository's examples. The three drafts are made once, by the shipped model, and stand in for
reading and drafting, which take the same memory for any number of recordings (meit.drafting.draft_files reads 128 ahead);
all else is real: the list, the plan, the files' contents compared, rows, shards, journal, manifest. Each count is a process
of its own. Prints a Markdown table.
"""

import argparse
import multiprocessing
import os
import resource
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

EXAMPLES = Path(__file__).parents[1] / "examples" / "ptb-xl"
IN_A_FOLDER = 1_000


def linked(folder: Path, count: int) -> Path:
    """A list of that many recordings: a header each, which name the same three signal files."""
    headers = sorted(EXAMPLES.glob("*.hea"))
    with (folder / "list.txt").open("w") as listed:
        for number in range(count):
            place = folder / f"{number // IN_A_FOLDER:04d}"
            if number % IN_A_FOLDER == 0:
                place.mkdir()
                for header in headers:
                    os.link(header.with_suffix(".dat"), place / f"{header.stem}.dat")
            link = place / f"{number:07d}.hea"
            os.link(headers[number % len(headers)], link)
            listed.write(f"{link.relative_to(folder)}\n")
    return folder / "list.txt"


def run(folder: Path, listed: Path, kind: str, drafted: list) -> tuple[float, float, int]:
    """Peak MB, seconds, and how many were kept."""
    from meit.bulk.bookkeeping.places import Places
    from meit.bulk.bulk_run import BulkRun
    from meit.bulk.outcome import DraftTask
    from meit.bulk.workers import drafter
    from meit.exports.draft_targets import listed_targets
    from meit.model import default_model, report_model

    report_model.load_model = lambda *_: None
    drafter.draft_paths = lambda model, paths, **_: (drafted[int(path.stem) % len(drafted)] for path in paths)
    began = time.monotonic()
    task = DraftTask(default_model(), kind, folder / "out", Places(folder / "out").temporary)
    with BulkRun(task) as bulk:
        bulk.plan(listed_targets(listed))
        bulk.draft(lambda count: None)
        kept = bulk.counts()["kept"]
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, time.monotonic() - began, kept


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--counts", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    options.add_argument("--format", default="parquet")
    args = options.parse_args()
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        drafted = pool.apply(examples)
    print("| recordings | peak (MB) | seconds | second run: peak (MB) | seconds | kept |\n|---|---|---|---|---|---|")
    for count in args.counts:
        with TemporaryDirectory(dir=EXAMPLES.parents[1]) as folder:
            listed = linked(Path(folder), count)
            line = [f"{count:,}"]
            for again in (False, True):
                with multiprocessing.get_context("spawn").Pool(1) as pool:
                    peak, seconds, kept = pool.apply(run, (Path(folder), listed, args.format, drafted))
                line += [f"{peak:.0f}", f"{seconds:.1f}", *([f"{kept:,}"] if again else [])]
            print("| " + " | ".join(line) + " |")
            sys.stdout.flush()


def examples() -> list:
    from meit import load_model
    from meit.drafting.draft_files import draft_paths
    from meit.model import default_model

    return list(draft_paths(load_model(default_model()), sorted(EXAMPLES.glob("*.hea"))))


if __name__ == "__main__":
    main()
