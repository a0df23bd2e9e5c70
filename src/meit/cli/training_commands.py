"""`meit train`, `meit calibrate`, `meit merge` and `meit models`."""

import argparse

from meit.cli.arguments import Subparsers, add_device, input_file, input_folder, output_folder


def train(args: argparse.Namespace) -> int:
    from meit.training.recipe import load_recipe

    recipe = load_recipe(args.recipe, args.overrides)
    if args.plan:
        from meit.training.plan import plan

        print(plan(recipe, args.device, args.dtype))
        return 0
    from meit.training.run import train as run

    print(f"Model: {run(recipe, args.device, args.dtype)}")
    return 0


def calibrate(args: argparse.Namespace) -> int:
    """Fit the confidences of a model's statements on its drafts of the validation fold; MODEL/calibration.json."""
    from meit.drafting.calibration.calibrating import calibrate_confidences as run
    from meit.drafting.calibration.sensitive_point import find_sensitive_point

    if args.sensitive:
        print(find_sensitive_point(args.model, args.data, args.device, args.dtype))
    print(run(args.model, args.data, args.device, args.dtype))
    return 0


def merge(args: argparse.Namespace) -> int:
    """Fold a model's adapter into its language model, for export: OUT/backbone is a folder of transformers."""
    from meit.model.merging import export_merged

    export_merged(args.model, args.out)
    print(f"Model: {args.out}")
    return 0


def models(args: argparse.Namespace) -> int:
    """The backbones that recipes can name, with their sizes; any other Hugging Face id of these architectures will do."""
    from meit.model.language.backbones import table

    print(table())
    return 0


def add(commands: Subparsers) -> None:
    one = commands.add_parser("train", help="train a model by a recipe; goes on where it was stopped")
    one.add_argument("recipe", type=input_file, metavar="RECIPE")
    one.add_argument("overrides", nargs="*", metavar="key=value", help="what differs from the recipe")
    add_device(one)
    one.add_argument(
        "--plan",
        action="store_true",
        help="train nothing: say how many steps and tokens, how much memory and how many hours the run takes",
    )
    one.set_defaults(run=train)

    one = commands.add_parser(
        "calibrate", help="fit the confidences of a model's statements", description=calibrate.__doc__
    )
    one.add_argument("model", type=input_folder, metavar="MODEL")
    one.add_argument(
        "data", type=input_folder, nargs="+", metavar="DATA", help="prepared folders; the first one counts"
    )
    add_device(one)
    one.add_argument(
        "--sensitive",
        action="store_true",
        help="first find the sensitive operating point, which is kept in the model's configuration",
    )
    one.set_defaults(run=calibrate)

    one = commands.add_parser("merge", help="fold the adapter into the language model", description=merge.__doc__)
    one.add_argument("model", type=input_folder, metavar="MODEL")
    one.add_argument("out", type=output_folder, metavar="OUT")
    one.set_defaults(run=merge)

    one = commands.add_parser("models", help="list the language models that can be tuned", description=models.__doc__)
    one.set_defaults(run=models)
