"""`meit evaluate` and `meit table`."""

import argparse
from pathlib import Path

from meit.cli.common import add_quantize
from meit.errors import ModelError


def _quality(args: argparse.Namespace) -> str:
    from meit.benchmark.quality import evaluate_quality

    return evaluate_quality(args.model, args.data, args.out, args.split or "test", args.quantize)


def _zero_shot(args: argparse.Namespace) -> str:
    from meit.benchmark.zero_shot import evaluate_zero_shot

    if not args.tuned_on:
        raise ModelError("--task zero-shot needs --tuned-on DATA...: the prepared folders that the model was tuned on")
    return evaluate_zero_shot(args.model, args.data, args.tuned_on, args.out, args.split or "all", args.quantize)


TASKS = {"quality": _quality, "zero-shot": _zero_shot}


def evaluate(args: argparse.Namespace) -> int:
    print(TASKS[args.task](args))
    return 0


def table(args: argparse.Namespace) -> int:
    """Render one of the paper's tables out of the results of many runs."""
    from meit.benchmark.paper_tables import FORMATS, collect, rows
    from meit.files import write_text

    text = FORMATS[args.format](rows(args.table, collect(args.results), args.published))
    if args.out is None:
        print(text, end="")
    else:
        write_text(args.out, text)
    return 0


def add(commands) -> None:
    one = commands.add_parser("evaluate", help="score a model on prepared data")
    one.add_argument("model", type=Path, metavar="MODEL")
    one.add_argument("data", type=Path, nargs="+", metavar="DATA", help="prepared folders; the first one counts")
    one.add_argument("--task", choices=tuple(TASKS), default="quality")
    add_quantize(one)
    one.add_argument(
        "--split", choices=("validation", "test", "all"), help="default: test; of zero-shot all, since none was seen"
    )
    one.add_argument("--tuned-on", type=Path, nargs="+", metavar="DATA", help="zero-shot: what the model was tuned on")
    one.add_argument("--out", type=Path, required=True, metavar="DIR")
    one.set_defaults(run=evaluate)

    one = commands.add_parser("table", help="a table of the paper, out of many results", description=table.__doc__)
    one.add_argument("table", help="backbones, bertscore, findings, zero-shot, noise, expert, fusion, instructions, size or time")
    one.add_argument("results", type=Path, nargs="+", metavar="RESULTS", help="folders that meit evaluate wrote")
    one.add_argument("--format", choices=("markdown", "csv", "latex"), default="markdown")
    one.add_argument("--published", type=Path, metavar="CSV", help="numbers of others: table, row, metric, value, source")
    one.add_argument("--out", type=Path, metavar="FILE")
    one.set_defaults(run=table)
