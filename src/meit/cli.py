"""The command `meit`: one function a subcommand, no logic of its own."""

import argparse
import json
import logging
import os
import sys
from collections import Counter
from pathlib import Path

from meit import __version__
from meit.errors import MeitError

BAD_INPUT, SOME_FAILED = 2, 1


def report(args: argparse.Namespace) -> int:
    """Draft the reports of recordings; one failing file never stops the others."""
    from meit.ecg.formats import find_recordings, read_ecg
    from meit.ecg.recording import check_leads

    found = {path: place.is_dir() and place for place in args.paths for path in find_recordings(place)}
    paths = list(found)
    first = read_ecg(paths[0], allow_missing=True) if len(paths) == 1 else None  # a wrong file shall say so at once
    from meit.drafting.many import draft_paths
    from meit.files import write_json, write_text
    from meit.model.report_model import load_model, read_config

    if first is not None:
        check_leads(first, read_config(args.model).missing_chest_leads)
    model = load_model(args.model, args.quantize)
    failed = []
    names = Counter(path.with_suffix("") for path in paths)
    for one in _progress(draft_paths(model, paths), len(paths), "drafting"):
        if one.draft is None:
            failed.append(one.error)
            continue
        # a folder's own folders are kept, lest two recordings of one name meet
        name = one.path.relative_to(found[one.path]).with_suffix("") if found[one.path] else Path(one.recording.name)
        if names[one.path.with_suffix("")] > 1:  # one recording in two formats keeps both
            name = name.with_name(one.path.name)
        target = (args.out or Path()) / name
        if args.out and args.format == "json" and _states_itself(one.path, target.with_name(f"{target.name}.json")):
            failed.append(f"{one.path}: the draft would overwrite the recording's own .json; choose another --out")
            continue
        if args.out is not None or args.plot:
            target.parent.mkdir(parents=True, exist_ok=True)
        text = one.draft.to_text()
        if args.format == "json":
            text = json.dumps(one.draft.to_dict(), indent=2, ensure_ascii=False)
        if args.out is None:
            print(text + ("\n" if len(paths) > 1 else ""))
        elif args.format == "text":
            write_text(target.with_name(target.name + ".txt"), text + "\n")
        else:
            write_json(target.with_name(target.name + ".json"), one.draft.to_dict())
        if args.plot:
            from meit.ecg.paper import draw_paper

            sheet = target.with_name(f"{target.name}.{args.plot}")
            draw_paper(one.recording, sheet)
            print(f"ECG sheet: {sheet}", file=sys.stderr)
    for line in failed:
        print(f"meit: {line}", file=sys.stderr)
    if failed:
        print(f"meit: {len(failed)} of {len(paths)} recordings failed", file=sys.stderr)
    return SOME_FAILED if failed else 0


def _states_itself(recording: Path, target: Path) -> bool:
    """Whether a file to be written is the one that states a recording's rate and unit."""
    from meit.ecg.table_files import is_csv, is_npy

    beside = recording.with_suffix(".json")
    return beside.exists() and beside.resolve() == target.resolve() and (is_csv(recording) or is_npy(recording))


def prepare_ptb_xl(args: argparse.Namespace) -> int:
    from meit.data.ptb_xl import prepare

    return _show_manifest(prepare(args.source, args.out, args.rate, args.challenge, args.engine), args.out)


def prepare_arrays(args: argparse.Namespace) -> int:
    from meit.data.arrays import prepare

    return _show_manifest(prepare(args.file, args.table, args.out, args.unit, args.engine), args.out)


def prepare_mimic_iv_ecg(args: argparse.Namespace) -> int:
    from meit.data.mimic_iv_ecg import prepare

    return _show_manifest(prepare(args.source, args.out, args.rate, args.seed, args.engine), args.out)


def prepare_folder(args: argparse.Namespace) -> int:
    from meit.data.own import prepare
    from meit.ecg.deidentify import read_key

    key = read_key(args.key or args.out.with_name(args.out.name + ".key"))
    manifest = prepare(args.source, args.reports, args.out, key, args.rate, args.seed, args.engine)
    return _show_manifest(manifest, args.out)


def data_check(args: argparse.Namespace) -> int:
    """Look for patients and near-identical recordings in two splits; exit code 1 where there are any."""
    from meit.data.check import check

    found = check(args.data)
    print(found.to_text())
    return SOME_FAILED if found.leaks else 0


def data_stats(args: argparse.Namespace) -> int:
    """Print what prepared folders hold, and draw it."""
    from meit.data.stats import draw, stats

    found = stats(args.data)
    print(found.to_text())
    if args.plot:
        draw(found, args.plot)
    return 0


def deidentify(args: argparse.Namespace) -> int:
    """Write recordings anew, as WFDB, without names, ids and dates; print which became which. What else a file says,
    reports too, is left out. One failing file never stops the others."""
    from meit.ecg import deidentify as to
    from meit.ecg.formats import find_recordings, read_ecg

    to.check_apart(args.paths, args.out, args.key)
    paths = list(dict.fromkeys(path for place in args.paths for path in find_recordings(place)))
    key = to.read_key(args.key)
    failed = 0
    for path in _progress(paths, len(paths), "de-identifying"):
        try:
            recording = read_ecg(path, allow_missing=True, min_seconds=0)
            print(f"{path}\t{to.write_wfdb(to.deidentified(recording, key), args.out)}")
        except MeitError as error:
            failed += 1
            print(f"meit: {error}", file=sys.stderr)
    return SOME_FAILED if failed else 0


def download(args: argparse.Namespace) -> int:
    """Fetch a public data set from PhysioNet, in its official layout. Stopped, it goes on where it was; what is there
    is checked against the published sums, once. The licence is shown first."""
    from meit.data.download import Download

    source = Download(args.dataset, args.out, args.base, args.rate)
    print(source.licence().strip())
    print(f"\nThe licence above ({source.data_set.licence}) holds for all that is downloaded.", flush=True)
    print(source.size(), flush=True)
    if not args.dry_run:
        print(f"{args.out}: {source.run()} files, all as their published SHA-256 sums say")
    return 0


def train(args: argparse.Namespace) -> int:
    from meit.training.recipe import load_recipe
    from meit.training.train import train as run

    print(f"Model: {run(load_recipe(args.recipe, args.overrides))}")
    return 0


def merge(args: argparse.Namespace) -> int:
    """Fold a model's adapter into its language model, for export: OUT/backbone is a folder of transformers."""
    from meit.model.report_model import export_merged

    export_merged(args.model, args.out)
    print(f"Model: {args.out}")
    return 0


def models(args: argparse.Namespace) -> int:
    """The backbones that recipes can name, with their sizes; any other Hugging Face id of these architectures will do."""
    from meit.model.backbones import table

    print(table())
    return 0


def evaluate(args: argparse.Namespace) -> int:
    from meit.benchmark.quality import evaluate_quality

    print(evaluate_quality(args.model, args.data, args.out, args.split, args.quantize))
    return 0


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="meit", description="Reads 12-lead ECGs and drafts their clinical reports.")
    top.add_argument("--version", action="version", version=f"meit {__version__}")
    commands = top.add_subparsers(required=True, metavar="COMMAND")

    one = commands.add_parser("report", help="draft the report of recordings", description=report.__doc__)
    one.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="a recording, or a folder of them; docs/formats.md")
    one.add_argument("--model", type=Path, default=default_model(), help="a model's folder (default: the shipped one)")
    _add_quantize(one)
    one.add_argument("--format", choices=("text", "json"), default="text")
    one.add_argument("--out", type=Path, metavar="DIR", help="write one file a recording there, instead of to stdout")
    one.add_argument("--plot", nargs="?", const="png", choices=("png", "svg"), help="also draw the ECG sheet")
    one.set_defaults(run=report)

    one = commands.add_parser(
        "deidentify", help="write recordings anew without the patients' identity", description=deidentify.__doc__
    )
    one.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="a recording in any known format, or a folder")
    one.add_argument("--out", type=Path, required=True, metavar="DIR")
    one.add_argument(
        "--key", type=Path, required=True, metavar="FILE", help="the secret that ids are hashed with; made if not there"
    )
    one.set_defaults(run=deidentify)

    one = commands.add_parser("download", help="fetch a public data set from PhysioNet", description=download.__doc__)
    one.add_argument("dataset", choices=("ptb-xl", "mimic-iv-ecg"))
    one.add_argument("out", type=Path, metavar="DIR")
    one.add_argument("--rate", type=int, metavar="HZ", help="only the recordings of one rate (ptb-xl: 100 or 500)")
    one.add_argument(
        "--base", default="https://physionet.org/files", metavar="URL", help="a mirror of PhysioNet's files (%(default)s)"
    )
    one.add_argument("--dry-run", action="store_true", help="say how many GB there are, and download nothing")
    one.set_defaults(run=download)

    kinds = commands.add_parser("prepare", help="make training data of recordings and reports").add_subparsers(
        required=True, metavar="KIND"
    )
    one = kinds.add_parser("ptb-xl", help="PTB-XL in its official layout, or any part of it")
    one.add_argument("source", type=Path, metavar="SOURCE", help="the folder that holds ptbxl_database.csv")
    one.add_argument("out", type=Path, metavar="OUT")
    one.add_argument("--rate", type=float, default=100, help="sampling rate to store, Hz (default: 100)")
    one.add_argument("--challenge", type=Path, metavar="DIR", help="PhysioNet Challenge files HRnnnnn for what SOURCE lacks")
    one.set_defaults(run=prepare_ptb_xl)
    _add_engine(one)
    one = kinds.add_parser("mimic-iv-ecg", help="MIMIC-IV-ECG in its official layout, or any part of it")
    one.add_argument("source", type=Path, metavar="SOURCE", help="the folder that holds record_list.csv")
    one.add_argument("out", type=Path, metavar="OUT")
    _add_rate_and_seed(one)
    one.set_defaults(run=prepare_mimic_iv_ecg)
    _add_engine(one)
    one = kinds.add_parser("folder", help="your own recordings, in any mix of formats, with a table of their reports")
    one.add_argument("source", type=Path, metavar="DIR")
    one.add_argument("out", type=Path, metavar="OUT")
    one.add_argument(
        "--reports", type=Path, required=True, metavar="CSV", help="columns file (below DIR), patient_id, report, and, optionally, fold"
    )
    one.add_argument("--key", type=Path, metavar="FILE", help="the secret that ids are hashed with (default: OUT.key)")
    _add_rate_and_seed(one)
    one.set_defaults(run=prepare_folder)
    _add_engine(one)
    one = kinds.add_parser("arrays", help="an .npz of signals, joined by ecg_id with PTB-XL's table")
    one.add_argument("file", type=Path, metavar="FILE.npz")
    one.add_argument("table", type=Path, metavar="TABLE.csv")
    one.add_argument("out", type=Path, metavar="OUT")
    one.add_argument("--unit", choices=("mV", "z"), required=True, help="millivolts, or band-passed and z-scored leads")
    one.set_defaults(run=prepare_arrays)
    _add_engine(one)

    kinds = commands.add_parser("data", help="look at prepared data").add_subparsers(required=True, metavar="WHAT")
    one = kinds.add_parser("check", help="do the splits leak?", description=data_check.__doc__)
    one.add_argument("data", type=Path, nargs="+", metavar="DIR", help="prepared folders, taken together")
    one.set_defaults(run=data_check)
    one = kinds.add_parser("stats", help="what is in it?", description=data_stats.__doc__)
    one.add_argument("data", type=Path, nargs="+", metavar="DIR")
    one.add_argument("--plot", type=Path, metavar="FILE", help="also draw it, as .png or .svg")
    one.set_defaults(run=data_stats)

    one = commands.add_parser("train", help="train a model by a recipe; goes on where it was stopped")
    one.add_argument("recipe", type=Path, metavar="RECIPE")
    one.add_argument("overrides", nargs="*", metavar="key=value", help="what differs from the recipe")
    one.set_defaults(run=train)

    one = commands.add_parser("merge", help="fold the adapter into the language model", description=merge.__doc__)
    one.add_argument("model", type=Path, metavar="MODEL")
    one.add_argument("out", type=Path, metavar="OUT")
    one.set_defaults(run=merge)

    one = commands.add_parser("models", help="list the language models that can be tuned", description=models.__doc__)
    one.set_defaults(run=models)

    one = commands.add_parser("evaluate", help="score a model on prepared data")
    one.add_argument("model", type=Path, metavar="MODEL")
    one.add_argument("data", type=Path, nargs="+", metavar="DATA", help="prepared folders; the first one counts")
    one.add_argument("--task", choices=("quality",), default="quality")
    _add_quantize(one)
    one.add_argument("--split", choices=("validation", "test"), default="test")
    one.add_argument("--out", type=Path, required=True, metavar="DIR")
    one.set_defaults(run=evaluate)
    return top


def _add_engine(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--engine", choices=("local", "ray"), default="local",
        help="this machine's processes, or the Ray cluster at $RAY_ADDRESS; the shards are the same",
    )  # fmt: skip


def _add_rate_and_seed(command: argparse.ArgumentParser) -> None:
    command.add_argument("--rate", type=float, default=100, help="sampling rate to store, Hz (default: 100)")
    command.add_argument("--seed", type=int, default=0, help="of the split by patient (default: 0)")


def _add_quantize(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--quantize", choices=("int8", "int4"), help="write with 8- or 4-bit weights: faster on the CPU (docs/results.md)"
    )


def default_model() -> Path:
    """The shipped model: beside the package in a checkout, or where $MEIT_MODEL says."""
    return Path(os.environ.get("MEIT_MODEL", Path(__file__).parents[2] / "models" / "default"))


def main() -> int:
    # a progress bar of the weights' loading says nothing to a user; nor do its advisory notes, nor bitsandbytes' that it
    # lacks a kernel (it goes on with another)
    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    args = parser().parse_args()
    try:
        return args.run(args)
    except MeitError as error:
        print(f"meit: {error}", file=sys.stderr)
        return BAD_INPUT
    except KeyboardInterrupt:
        print("meit: stopped", file=sys.stderr)
        return 130


def _progress(items, count: int, label: str):
    if count == 1:
        return items
    from tqdm import tqdm

    return tqdm(items, desc=label, unit="ECG", total=count)


def _show_manifest(manifest: dict, out: Path) -> int:
    print(f"{out}: {manifest['recordings']} recordings, {manifest['reports']} reports")
    for fold, count in manifest["recordings_by_fold"].items():
        print(f"  fold {fold}: {count}")
    for reason, count in manifest["dropped"].items():
        print(f"  dropped, {reason}: {count}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
