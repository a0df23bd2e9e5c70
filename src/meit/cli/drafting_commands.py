"""`meit report` and `meit deidentify`: recordings in, drafts or clean recordings out."""

import argparse
import errno
import sys
from pathlib import Path

from meit.cli.arguments import (
    SOME_FAILED,
    Subparsers,
    add_device,
    add_quantize,
    input_folder,
    input_path,
    key_file,
    output_folder,
    progress,
)
from meit.cli.exit_codes import in_words
from meit.errors import MeitError
from meit.exports import EXPORT_FORMATS
from meit.model import default_model

OF_ONE_FILE = {errno.ENAMETOOLONG, errno.EISDIR, errno.ENOTDIR, errno.EINVAL, errno.EILSEQ}  # not of the disk


def report(args: argparse.Namespace) -> int:
    """Draft the reports of recordings; one failing file never stops the others. Of an unusable recording no report is
    drafted, and the reason is said instead."""
    from meit.exports.draft_targets import draft_targets

    targets, warnings = draft_targets(args.paths)
    form = EXPORT_FORMATS[args.format]
    if form.binary and args.out is None:
        _check_stdout(args.format, len(targets))
    if len(targets) == 1:
        _check_one(targets[0].path, args.model)
    from meit.atomic import atomic_path
    from meit.drafting.draft_files import draft_paths
    from meit.exports.document import untouched
    from meit.model.report_model import load_model

    model = load_model(args.model, args.quantize, args.device, args.dtype)
    drafted = draft_paths(model, [one.path for one in targets], strict=args.strict)
    failed, unusable, folder = [], 0, args.out or Path()
    for target, file in zip(targets, progress(drafted, len(targets), "drafting"), strict=True):
        try:
            if file.recording is None or file.draft is None:
                raise MeitError(file.error)
            written = form.write(untouched(file.recording, file.draft))
            if args.out is None:
                _print(written, form.binary, end="\n" if len(targets) > 1 else "")
            else:
                place = target.at(folder, file.recording.name, form.suffix)
                place.parent.mkdir(parents=True, exist_ok=True)
                with atomic_path(place) as temporary:
                    temporary.write_bytes(written)
            if args.plot:
                from meit.ecg.paper import draw_paper

                sheet = target.at(folder, file.recording.name, f".{args.plot}")
                sheet.parent.mkdir(parents=True, exist_ok=True)
                draw_paper(file.recording, sheet)
                print(f"ECG sheet: {sheet}", file=sys.stderr)
            unusable += file.draft.unusable
        except MeitError as error:
            failed.append(str(error))
        except OSError as error:
            if error.errno not in OF_ONE_FILE:
                raise
            failed.append(in_words(error))
    if unusable:
        warnings.append(f"{unusable} of {len(targets)} recordings are unusable: no report was drafted")
    if failed:
        failed.append(f"{len(failed)} of {len(targets)} recordings failed")
    for line in warnings + failed:
        print(f"meit: {line}", file=sys.stderr)
    return SOME_FAILED if failed else 0


def _check_one(path: Path, model: Path) -> None:
    """A single recording that cannot be drafted shall say so before the model is loaded, and with exit code 2."""
    from meit.ecg.files.formats import read_ecg
    from meit.ecg.recording import check_leads

    recording = read_ecg(path, allow_missing=True)
    from meit.model.configuration import read_config

    check_leads(recording, read_config(model).missing_chest_leads)


def _check_stdout(name: str, count: int) -> None:
    """Whether bytes may go to stdout: those of one report, and not to a terminal."""
    if count > 1:
        raise MeitError(f"{count} reports as {name} need a folder: add --out DIR")
    if sys.stdout.isatty():
        raise MeitError(f"{name} is nothing for a terminal: add --out DIR, or send it to a file with > report.{name}")


def _print(written: bytes, binary: bool, end: str) -> None:
    if binary:
        sys.stdout.buffer.write(written)
    else:
        print(written.decode(), end=end)


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
    one = commands.add_parser("report", help="draft the report of recordings", description=report.__doc__)
    one.add_argument(
        "paths", nargs="+", type=input_path, metavar="PATH", help="a recording, or a folder of them; docs/formats.md"
    )
    one.add_argument(
        "--model", type=input_folder, default=default_model(), help="a model's folder (default: the shipped one)"
    )
    add_quantize(one)
    add_device(one)
    one.add_argument(
        "--strict",
        action="store_true",
        help="leave out statements that the measurements contradict; warnings name them",
    )
    one.add_argument("--format", choices=tuple(EXPORT_FORMATS), default="text", help="docs/exports.md (default: text)")
    one.add_argument(
        "--out", type=output_folder, metavar="DIR", help="write one file a recording there, instead of to stdout"
    )
    one.add_argument("--plot", nargs="?", const="png", choices=("png", "svg"), help="also draw the ECG sheet")
    one.set_defaults(run=report)

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
