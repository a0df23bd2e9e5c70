"""Tuning the default backbone on one process and on two (torchrun, gloo, one thread each), the whole batch the same.

    python benchmarks/processes_speed.py PREPARED [STEPS]

PREPARED is a folder of `meit prepare`. Whole runs of `meit train`; a step's time is the median between two entries of
its log, the first ones left out. What counts is the ratio.
"""

import itertools
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from meit.training.run import LOG

BATCH = 8
TORCHRUN = [
    "-m",
    "torch.distributed.run",
    "--rdzv-backend",
    "c10d",
    "--rdzv-endpoint",
    "localhost:0",
    "--nproc-per-node",
]


def seconds_a_step(folder: Path, data: str, steps: int, processes: int, engine: str) -> float:
    recipe = {
        "out": str(folder / "run"),
        "data": [data],
        "pretrain_epochs": 0,
        "text_steps": steps,
        "tune_epochs": 0,
        "batch_size": BATCH,
        "bf16": False,
        "engine": engine,
        "checkpoint_every": 1000,
    }
    (folder / "recipe.yaml").write_text(yaml.safe_dump(recipe))
    launcher = [*TORCHRUN, str(processes)] if processes > 1 else []
    command = [sys.executable, *launcher, "-m", "meit.cli", "train", str(folder / "recipe.yaml")]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
    if done.returncode:
        sys.exit(done.stderr)
    times = [entry.wall_time for entry in EventAccumulator(str(folder / "run" / LOG)).Reload().Scalars("loss")]
    return statistics.median(later - sooner for sooner, later in itertools.pairwise(times[1:]))


def main() -> None:
    data, steps = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 10
    runs = {"1 process": (1, "ddp")} | {f"2 processes, {engine}": (2, engine) for engine in ("ddp", "fsdp")}
    found = {}
    for name, how in runs.items():
        with tempfile.TemporaryDirectory() as folder:
            found[name] = seconds_a_step(Path(folder), data, steps, *how)
    print("| run | samples/s | ratio |\n|---|---|---|")
    for name, taken in found.items():
        print(f"| {name} | {BATCH / taken:.2f} | {found['1 process'] / taken:.2f} |")


if __name__ == "__main__":
    main()
