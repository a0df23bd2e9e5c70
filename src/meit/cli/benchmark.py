"""`meit evaluate`."""

import argparse
from pathlib import Path

from meit.cli.common import add_quantize


def evaluate(args: argparse.Namespace) -> int:
    from meit.benchmark.quality import evaluate_quality

    print(evaluate_quality(args.model, args.data, args.out, args.split, args.quantize))
    return 0


def add(commands) -> None:
    one = commands.add_parser("evaluate", help="score a model on prepared data")
    one.add_argument("model", type=Path, metavar="MODEL")
    one.add_argument("data", type=Path, nargs="+", metavar="DATA", help="prepared folders; the first one counts")
    one.add_argument("--task", choices=("quality",), default="quality")
    add_quantize(one)
    one.add_argument("--split", choices=("validation", "test"), default="test")
    one.add_argument("--out", type=Path, required=True, metavar="DIR")
    one.set_defaults(run=evaluate)
