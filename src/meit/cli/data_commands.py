"""`meit download`, `meit prepare` and `meit data`: from public or own files to prepared data, and what is in them."""

import argparse
from pathlib import Path

from meit.cli.arguments import (
    SOME_FAILED,
    Subparsers,
    input_file,
    input_folder,
    key_file,
    number,
    output_folder,
    picture,
)


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


def prepare_ptb_xl(args: argparse.Namespace) -> int:
    from meit.data.sources.ptb_xl import prepare

    return _show_manifest(prepare(args.source, args.out, args.rate, args.challenge, args.engine), args.out)


def prepare_mimic_iv_ecg(args: argparse.Namespace) -> int:
    from meit.data.sources.mimic_iv_ecg import prepare

    return _show_manifest(prepare(args.source, args.out, args.rate, args.seed, args.engine), args.out)


def prepare_folder(args: argparse.Namespace) -> int:
    from meit.data.sources.own_files import prepare
    from meit.ecg.deidentify import read_key

    key = read_key(args.key or args.out.with_name(args.out.name + ".key"))
    manifest = prepare(args.source, args.reports, args.out, key, args.rate, args.seed, args.engine)
    return _show_manifest(manifest, args.out)


def prepare_arrays(args: argparse.Namespace) -> int:
    from meit.data.sources.array_file import prepare

    return _show_manifest(prepare(args.file, args.table, args.out, args.unit, args.engine), args.out)


def data_check(args: argparse.Namespace) -> int:
    """Look for patients and near-identical recordings in two splits; exit code 1 where there are any."""
    from meit.data.leaks import find_leaks

    leaks = find_leaks(args.data)
    print(leaks.to_text())
    return SOME_FAILED if leaks else 0


def data_stats(args: argparse.Namespace) -> int:
    """Print what prepared folders hold, and draw it."""
    from meit.data.stats import count_data, draw_stats

    counted = count_data(args.data)
    print(counted.to_text())
    if args.plot:
        draw_stats(counted, args.plot)
    return 0


def add(commands: Subparsers) -> None:
    one = commands.add_parser("download", help="fetch a public data set from PhysioNet", description=download.__doc__)
    one.add_argument("dataset", choices=("ptb-xl", "mimic-iv-ecg"))
    one.add_argument("out", type=output_folder, metavar="DIR")
    one.add_argument(
        "--rate", type=number(int, 1), metavar="HZ", help="only the recordings of one rate (ptb-xl: 100 or 500)"
    )
    one.add_argument(
        "--base",
        default="https://physionet.org/files",
        metavar="URL",
        help="a mirror of PhysioNet's files (%(default)s)",
    )
    one.add_argument("--dry-run", action="store_true", help="say how many GB there are, and download nothing")
    one.set_defaults(run=download)

    kinds = commands.add_parser("prepare", help="make training data of recordings and reports").add_subparsers(
        required=True, metavar="KIND"
    )
    one = kinds.add_parser("ptb-xl", help="PTB-XL in its official layout, or any part of it")
    one.add_argument("source", type=input_folder, metavar="SOURCE", help="the folder that holds ptbxl_database.csv")
    one.add_argument("out", type=output_folder, metavar="OUT")
    one.add_argument(
        "--rate", type=number(float, 1, 10_000), default=100, help="sampling rate to store, Hz (default: 100)"
    )
    one.add_argument(
        "--challenge", type=input_folder, metavar="DIR", help="PhysioNet Challenge files HRnnnnn for what SOURCE lacks"
    )
    one.set_defaults(run=prepare_ptb_xl)
    _add_engine(one)
    one = kinds.add_parser("mimic-iv-ecg", help="MIMIC-IV-ECG in its official layout, or any part of it")
    one.add_argument("source", type=input_folder, metavar="SOURCE", help="the folder that holds record_list.csv")
    one.add_argument("out", type=output_folder, metavar="OUT")
    _add_rate_and_seed(one)
    one.set_defaults(run=prepare_mimic_iv_ecg)
    _add_engine(one)
    one = kinds.add_parser("folder", help="your own recordings, in any mix of formats, with a table of their reports")
    one.add_argument("source", type=input_folder, metavar="DIR")
    one.add_argument("out", type=output_folder, metavar="OUT")
    one.add_argument(
        "--reports",
        type=input_file,
        required=True,
        metavar="CSV",
        help="columns file (below DIR), patient_id, report, and, optionally, fold",
    )
    one.add_argument(
        "--key", type=key_file, metavar="FILE", help="the secret that ids are hashed with (default: OUT.key)"
    )
    _add_rate_and_seed(one)
    one.set_defaults(run=prepare_folder)
    _add_engine(one)
    one = kinds.add_parser("arrays", help="an .npz of signals, joined by ecg_id with PTB-XL's table")
    one.add_argument("file", type=input_file, metavar="FILE.npz")
    one.add_argument("table", type=input_file, metavar="TABLE.csv")
    one.add_argument("out", type=output_folder, metavar="OUT")
    one.add_argument("--unit", choices=("mV", "z"), required=True, help="millivolts, or band-passed and z-scored leads")
    one.set_defaults(run=prepare_arrays)
    _add_engine(one)

    kinds = commands.add_parser("data", help="look at prepared data").add_subparsers(required=True, metavar="WHAT")
    one = kinds.add_parser("check", help="do the splits leak?", description=data_check.__doc__)
    one.add_argument("data", type=input_folder, nargs="+", metavar="DIR", help="prepared folders, taken together")
    one.set_defaults(run=data_check)
    one = kinds.add_parser("stats", help="what is in it?", description=data_stats.__doc__)
    one.add_argument("data", type=input_folder, nargs="+", metavar="DIR")
    one.add_argument("--plot", type=picture(".png", ".svg"), metavar="FILE", help="also draw it, as .png or .svg")
    one.set_defaults(run=data_stats)


def _add_engine(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--engine",
        choices=("local", "ray"),
        default="local",
        help="this machine's processes, or the Ray cluster at $RAY_ADDRESS; the shards are the same",
    )


def _add_rate_and_seed(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--rate", type=number(float, 1, 10_000), default=100, help="sampling rate to store, Hz (default: 100)"
    )
    command.add_argument("--seed", type=number(int, 0), default=0, help="of the split by patient (default: 0)")


def _show_manifest(manifest: dict, out: Path) -> int:
    print(f"{out}: {manifest['recordings']} recordings, {manifest['reports']} reports")
    for fold, count in manifest["recordings_by_fold"].items():
        print(f"  fold {fold}: {count}")
    for reason, count in manifest["dropped"].items():
        print(f"  dropped, {reason}: {count}")
    return 0
