"""`meit evaluate`, `meit study` and `meit table`."""

import argparse

from meit.benchmark.task_table import TABLES, TASKS, run_task
from meit.cli.arguments import (
    Subparsers,
    add_device,
    add_operating_point,
    add_quantize,
    input_file,
    input_folder,
    input_path,
    number,
    output_file,
    output_folder,
)


def evaluate(args: argparse.Namespace) -> int:
    from meit.benchmark.texts.scoring import Scoring

    options = {
        "model_folder": args.model,
        "data": args.data,
        "out": args.out,
        "split": args.split,
        "quantised": args.quantize,
        "device": args.device,
        "dtype": args.dtype,
        "operating_point": args.operating_point,
        "scoring": Scoring(args.protocol, tuple(args.metrics), args.bertscore_encoder),
        "tuned_on": args.tuned_on,
        "chosen": args.noises,
        "nstdb": args.nstdb,
        "table": args.table,
        "coded": args.coded,
    }
    if table := run_task(args.task, options):  # under torchrun the first process has it
        print(table)
    return 0


def study_export(args: argparse.Namespace) -> int:
    """Draw a blinded sample of drafts and references for clinicians to rate: a sheet for the browser and a CSV."""
    from meit.benchmark.raters.rating_study import export_study

    print(export_study(args.evaluated, args.data, args.out, args.n, args.seed))
    return 0


def study_score(args: argparse.Namespace) -> int:
    """Score the ratings that came back: means with intervals, agreement between raters."""
    from meit.benchmark.raters.ratings import score_study

    print(score_study(args.study, args.ratings, args.out))
    return 0


def study_judge(args: argparse.Namespace) -> int:
    """Let a language model rate the drafts; with a study and its ratings, calibrate it on them. The reports are sent to
    the endpoint, if one is named; its key is read from $MEIT_JUDGE_KEY. A judge is no cardiologist."""
    from meit.benchmark.raters.judge import Judge, judge_drafts

    judge: Judge
    if args.endpoint:
        from meit.benchmark.raters.judge_endpoint import EndpointJudge

        judge = EndpointJudge(args.endpoint, args.judge)
    else:
        from meit.benchmark.raters.judge_local import LocalJudge

        judge = LocalJudge(args.judge)
    print(judge_drafts(args.evaluated, judge, args.out, args.study, args.ratings))
    return 0


def table(args: argparse.Namespace) -> int:
    """Render one of the paper's tables out of the results of many runs; of size and training-size also the curves."""
    from meit.atomic import write_text
    from meit.benchmark.tables.paper_tables import TABLE_FORMATS, collect, points, table_rows

    results = collect(args.results)
    text = TABLE_FORMATS[args.format](table_rows(args.table, results, args.published))
    if args.plot:
        from meit.benchmark.tables.plots import save_figure, scaling_figure

        found = points(args.table, results)
        save_figure(lambda: scaling_figure(found, args.table), args.plot)
    if args.out is None:
        print(text, end="")
    else:
        write_text(args.out, text)
    return 0


def add(commands: Subparsers) -> None:
    one = commands.add_parser("evaluate", help="score a model on prepared data")
    one.add_argument("model", type=input_folder, metavar="MODEL")
    one.add_argument(
        "data", type=input_folder, nargs="+", metavar="DATA", help="prepared folders; the first one counts"
    )
    one.add_argument("--task", choices=tuple(TASKS), default="quality")
    add_quantize(one)
    add_device(one)
    add_operating_point(one)
    one.add_argument(
        "--split",
        choices=("validation", "test", "all"),
        help="default: test; of zero-shot all, since none was seen; of tokens and statements validation",
    )
    one.add_argument(
        "--protocol", choices=("corpus", "meit"), default="corpus", help="how texts are scored (docs/metrics.md)"
    )
    one.add_argument(
        "--metrics", nargs="+", default=(), choices=("meteor", "bertscore"), help="these too, which are slow"
    )
    one.add_argument("--bertscore-encoder", metavar="NAME", help="a Hugging Face id or folder (default: roberta-large)")
    one.add_argument(
        "--tuned-on", type=input_folder, nargs="+", metavar="DATA", help="zero-shot: what the model was tuned on"
    )
    one.add_argument(
        "--noises", nargs="+", metavar="NOISE", help="noise: only these, such as white=12,-6 (default: docs/noise.md)"
    )
    one.add_argument(
        "--nstdb", type=input_folder, metavar="DIR", help="noise: MIT-BIH NSTDB's records bw, ma, em, for real noise"
    )
    one.add_argument("--table", type=input_file, metavar="CSV", help="expert: PTB-XL's ptbxl_database.csv")
    one.add_argument(
        "--coded",
        type=input_folder,
        nargs="+",
        default=(),
        metavar="DIR",
        help="statements: CinC 2021's or LUDB's files",
    )
    one.add_argument("--out", type=output_folder, required=True, metavar="DIR")
    one.set_defaults(run=evaluate)

    kinds = commands.add_parser("study", help="have drafts rated, by clinicians or by a language model").add_subparsers(
        required=True, metavar="WHAT"
    )
    one = kinds.add_parser("export", help="a blinded sample to rate", description=study_export.__doc__)
    one.add_argument("evaluated", type=input_folder, metavar="EVALUATED", help="a folder that meit evaluate wrote")
    one.add_argument("data", type=input_folder, nargs="+", metavar="DATA", help="the prepared folders that it read")
    one.add_argument("-n", type=number(int, 1), default=50, help="recordings (default: 50)")
    one.add_argument("--seed", type=number(int, 0), default=0)
    one.set_defaults(run=study_export)
    two = kinds.add_parser("score", help="what the raters said", description=study_score.__doc__)
    two.add_argument("study", type=input_folder, metavar="STUDY", help="the folder of meit study export")
    two.add_argument("ratings", type=input_file, nargs="+", metavar="CSV")
    two.set_defaults(run=study_score)
    three = kinds.add_parser("judge", help="a language model rates", description=study_judge.__doc__)
    three.add_argument("evaluated", type=input_folder, metavar="EVALUATED", help="a folder that meit evaluate wrote")
    three.add_argument("judge", metavar="MODEL", help="a model of the endpoint; without one, a local causal model")
    three.add_argument("--endpoint", metavar="URL", help="OpenAI-compatible, up to and without /chat/completions")
    three.add_argument("--study", type=input_folder, metavar="STUDY", help="calibrate on this study's ratings")
    three.add_argument("--ratings", type=input_file, nargs="+", default=(), metavar="CSV")
    three.set_defaults(run=study_judge)
    for each in (one, two, three):
        each.add_argument("--out", type=output_folder, required=True, metavar="DIR")

    one = commands.add_parser("table", help="a table of the paper, out of many results", description=table.__doc__)
    one.add_argument("table", choices=TABLES, help="which")
    one.add_argument("results", type=input_path, nargs="+", metavar="RESULTS", help="folders that meit evaluate wrote")
    one.add_argument("--format", choices=("markdown", "csv", "latex"), default="markdown")
    one.add_argument(
        "--published", type=input_file, metavar="CSV", help="numbers of others: table, row, metric, value, source"
    )
    one.add_argument(
        "--plot", type=output_file, metavar="STEM", help="size, training-size: curves as STEM.png and STEM.svg"
    )
    one.add_argument("--out", type=output_file, metavar="FILE")
    one.set_defaults(run=table)
