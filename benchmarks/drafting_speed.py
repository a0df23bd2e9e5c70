"""What measuring, checking and wording add to a draft: one 10 s recording, drafted whole and generated alone.

    python benchmarks/drafting_speed.py [RECORDING] [--repeats 9]

Prints the median seconds of each part, and the whole as a ratio of generation alone, of the same warm process.
"""

import argparse
import statistics
import time
from pathlib import Path

import numpy as np
import torch

import meit
from meit.drafting.checks.grounding import ground
from meit.drafting.report_writing import write_reports
from meit.ecg.measure import measure
from meit.ecg.quality import inspect
from meit.ecg.signal.windowing import model_input
from meit.model import default_model

EXAMPLE = Path(__file__).parents[1] / "examples" / "ptb-xl" / "00195_hr"


def seconds(call, repeats: int) -> float:
    """Median of some calls, after one that warms up."""
    call()
    taken = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("recording", type=Path, nargs="?", default=EXAMPLE)
    options.add_argument("--repeats", type=int, default=9)
    args = options.parse_args()
    model, recording = meit.load_model(default_model()), meit.read_ecg(args.recording)
    config = model.spec.encoder

    def generate() -> str:
        windows, masks = model_input(recording.signal, recording.rate, "mV", config.rate, config.seconds)
        with torch.inference_mode():
            given = model.encode(torch.from_numpy(windows[:1]), torch.from_numpy(masks[:1].astype(np.float32)))
        return write_reports(model, *given)[0]

    text, found = generate(), measure(recording)
    rows = {
        "generation alone": generate,
        "quality": lambda: inspect(recording),
        "measuring": lambda: measure(recording),
        "checking": lambda: ground(text, found, recording.patient.sex, recording.patient.age),
        "the whole draft": lambda: meit.draft_report(model, recording),
    }
    taken = {name: seconds(call, args.repeats) for name, call in rows.items()}
    written = len(model.tokenizer(text).input_ids)
    print(f"{args.recording.name}, {recording.seconds:.0f} s at {recording.rate:g} Hz; {written} tokens written")
    print(f"{torch.get_num_threads()} threads\n\n| part | s | of generation alone |\n| --- | --- | --- |")
    for name, value in taken.items():
        print(f"| {name} | {value:.3f} | {value / taken['generation alone']:.2f} |")


if __name__ == "__main__":
    main()
