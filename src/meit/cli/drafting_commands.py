"""`meit report` and `meit deidentify`: recordings in, drafts or clean recordings out."""

import argparse
import sys

from meit.cli.arguments import SOME_FAILED, Subparsers, input_path, key_file, output_folder, progress
from meit.cli.report_command import add_report
from meit.errors import MeitError


def deidentify(args: argparse.Namespace) -> int:
    """Write recordings anew, as WFDB, without names, ids and dates; print which became which. What else a file says,
    reports too, is left out. One failing file never stops the others."""
    from meit.ecg import deidentify as to
    from meit.ecg.files.formats import find_recordings, read_ecg

    to.check_apart(args.paths, args.out, args.key)
    paths = list(dict.fromkeys(path for place in args.paths for path in find_recordings(place)))
    key = to.read_key(args.key)
    failed = []
    for path in progress(paths, len(paths), "de-identifying"):
        try:
            recording = read_ecg(path, allow_missing=True, min_seconds=0)
            print(f"{path}\t{to.write_wfdb(to.deidentified(recording, key), args.out)}")
        except MeitError as error:
            failed.append(f"meit: {error}")
    print(*failed, sep="\n", end="\n" if failed else "", file=sys.stderr)
    return SOME_FAILED if failed else 0


def add(commands: Subparsers) -> None:
    add_report(commands)
    one = commands.add_parser(
        "deidentify", help="write recordings anew without the patients' identity", description=deidentify.__doc__
    )
    one.add_argument(
        "paths", nargs="+", type=input_path, metavar="PATH", help="a recording in any known format, or a folder"
    )
    one.add_argument("--out", type=output_folder, required=True, metavar="DIR")
    one.add_argument(
        "--key",
        type=key_file,
        required=True,
        metavar="FILE",
        help="the secret that ids are hashed with; made if not there",
    )
    one.set_defaults(run=deidentify)
