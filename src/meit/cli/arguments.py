"""What several commands share: exit codes, options, progress."""

import argparse

BAD_INPUT, SOME_FAILED = 2, 1


def add_quantize(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--quantize",
        choices=("int8", "int4"),
        help="write with 8- or 4-bit weights: faster on the CPU (docs/results.md)",
    )


def progress(items, count: int, label: str):
    if count == 1:
        return items
    from tqdm import tqdm

    return tqdm(items, desc=label, unit="ECG", total=count)
