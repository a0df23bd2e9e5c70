"""Pre-training of the encoder, this checkout beside another one: recordings a second, and what the encoders then find.

    python benchmarks/pretraining_speed.py [ROUNDS] [--against OTHER/src] [--batch 32]
    python benchmarks/pretraining_speed.py 3 --against OTHER/src --auroc data/ptb-xl --epochs 8

Whole calls of meit.training.pretraining.pretrain, the shipped encoder's size, float32, all processors. Speed: on noise in
memory, short rounds. AUROC: a prepared folder, folds 1-4, and the macro AUROC of folds 8 and 9; a round is a seed.
With --against, two processes live through the whole run, one on each checkout, and take turns, so that other work on the
machine meets both alike; what counts is the median of the ratios of neighbouring turns.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

FINDINGS, STEPS = 60, 8  # STEPS: of one round
TRAIN, HELD_OUT, MIN_CASES = (1, 2, 3, 4), (8, 9), 8
HERE = Path(__file__).resolve().parents[1] / "src"


class Noise:
    """Recordings for the encoder (meit.model.encoders.encoding.EncoderInputs), all in memory."""

    rate, keeps_inputs = 100.0, True

    def __init__(self, count: int):
        rng = np.random.default_rng(0)
        self.ecgs = rng.standard_normal((count, 1000, 12), np.float32)
        self.targets = (rng.random((count, FINDINGS)) < 0.1).astype(np.float32)

    def __len__(self) -> int:
        return len(self.ecgs)

    def inputs(self, indices):
        return self.ecgs[indices], np.ones((len(indices), self.ecgs.shape[1]), bool)


def seconds(asked: argparse.Namespace) -> Callable[[int], float]:
    """What trains one round on this process's checkout and tells how long it took."""
    from meit.model.devices import training_place
    from meit.model.encoders.encoder import EncoderConfig
    from meit.training.pretraining import pretrain

    data = Noise(asked.batch * STEPS)
    config = EncoderConfig(findings=tuple(f"finding {number}" for number in range(FINDINGS)), n_tokens=4)
    settings = {
        "epochs": 1,
        "batch_size": asked.batch,
        "learning_rate": 3e-3,
        "place": training_place("cpu", "float32"),
    }

    def one_round(seed: int) -> float:
        start = time.perf_counter()
        pretrain(config, data, np.arange(len(data)), data.targets, seed=seed, **settings)
        return time.perf_counter() - start

    return one_round


def auroc(asked: argparse.Namespace) -> Callable[[int], float]:
    """What trains an encoder of a seed on this process's checkout and tells the macro AUROC of the held-out folds."""
    from missing_leads import auroc as area

    from meit.model.devices import training_place
    from meit.model.encoders.encoder import EncoderConfig
    from meit.model.encoders.encoding import encode_all, recordings_for
    from meit.training.pretraining import pretrain
    from meit.training.targets import PRESENT, finding_names, targets_of

    train, held_out = (recordings_for(EncoderConfig(()), [asked.auroc], folds) for folds in (TRAIN, HELD_OUT))
    config = EncoderConfig(findings=finding_names(train.reports, "codes"), n_tokens=4)
    targets, wanted = targets_of(train.reports, config), targets_of(held_out.reports, config) > PRESENT
    settings = {"epochs": asked.epochs, "batch_size": asked.batch, "learning_rate": 3e-3}

    def one_seed(seed: int) -> float:
        place = training_place("cpu", "float32")
        encoder = pretrain(config, train, np.arange(len(train)), targets, seed=seed, place=place, **settings)
        found = encode_all(encoder, held_out).probabilities.numpy()
        counted = [one for one in range(wanted.shape[1]) if wanted[:, one].sum() >= MIN_CASES]
        return float(np.mean([area(wanted[:, one], found[:, one]) for one in counted]))

    return one_seed


class Turns:
    """A process that works on one checkout, its src folder, when it is asked to. results: one number a turn."""

    def __init__(self, source: Path):
        self.process = subprocess.Popen(
            [sys.executable, __file__, "--work", *sys.argv[1:]],
            env=os.environ | {"PYTHONPATH": str(source)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.results: list[float] = []

    def take(self, seed: int) -> None:
        self.process.stdin.write(f"{seed}\n")
        self.process.stdin.flush()
        self.results.append(float(self.process.stdout.readline()))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("rounds", type=int, nargs="?", default=15)
    parser.add_argument("--against", type=Path)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--auroc", type=Path, metavar="DATA")
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--work", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.work:
        from meit.machine import keep_freed_memory

        keep_freed_memory()  # as `meit train` does
        work = auroc(asked) if asked.auroc else seconds(asked)
        for line in sys.stdin:
            print(work(int(line)), flush=True)
        return
    sources = [HERE] if asked.against is None else [asked.against.resolve(), HERE]
    ways = [Turns(source) for source in sources]
    warming = 0 if asked.auroc else 1
    for turn in range(asked.rounds + warming):
        for way in ways if turn % 2 else ways[::-1]:
            way.take(turn)
    results = [way.results[warming:] for way in ways]
    if asked.auroc:
        print("| way | AUROC of each seed | mean |\n|---|---|---|")
        for source, found in zip(sources, results, strict=True):
            print(f"| {source} | {', '.join(f'{one:.4f}' for one in found)} | {statistics.mean(found):.4f} |")
        return
    print("| way | recordings/s | ratio |\n|---|---|---|")
    for source, taken in zip(sources, results, strict=True):
        ratios = [old / new for old, new in zip(results[0], taken, strict=True)]
        low, middle, high = statistics.quantiles(ratios, n=4)
        rate = asked.batch * STEPS / statistics.median(taken)
        print(f"| {source} | {rate:.0f} | {middle:.2f} ({low:.2f} to {high:.2f}) |")


if __name__ == "__main__":
    main()
