"""`meit report` and `meit deidentify`: recordings in, drafts or clean recordings out."""

import argparse
import sys
from collections import Counter
from pathlib import Path

from meit.cli.arguments import SOME_FAILED, add_quantize, input_folder, input_path, key_file, output_folder, progress
from meit.errors import MeitError
from meit.exports import EXPORT_FORMATS
from meit.model import default_model


def report(args: argparse.Namespace) -> int:
    """Draft the reports of recordings; one failing file never stops the others. Of an unusable recording no report is
    drafted, and the reason is said instead."""
    from meit.ecg.files.formats import find_recordings, read_ecg
    from meit.ecg.recording import check_leads

    found = {path: place.is_dir() and place for place in args.paths for path in find_recordings(place)}
    paths = list(found)
    form = EXPORT_FORMATS[args.format]
    if form.binary and args.out is None:
        _check_stdout(args.format, len(paths))
    first = read_ecg(paths[0], allow_missing=True) if len(paths) == 1 else None  # a wrong file shall say so at once
    from meit.atomic import atomic_path
    from meit.drafting.draft_files import draft_paths
    from meit.exports.document import untouched
    from meit.model.configuration import read_config
    from meit.model.report_model import load_model

    write = form.write

    if first is not None:
        check_leads(first, read_config(args.model).missing_chest_leads)
    model = load_model(args.model, args.quantize)
    failed, unusable = [], 0
    names = Counter(path.with_suffix("") for path in paths)
    for one in progress(draft_paths(model, paths, strict=args.strict), len(paths), "drafting"):
        if one.draft is None:
            failed.append(one.error)
            continue
        # a folder's own folders are kept, lest two recordings of one name meet
        name = one.path.relative_to(found[one.path]).with_suffix("") if found[one.path] else Path(one.recording.name)
        if names[one.path.with_suffix("")] > 1:  # one recording in two formats keeps both
            name = name.with_name(one.path.name)
        target = (args.out or Path()) / name
        place = target.with_name(target.name + form.suffix)
        if args.out and _is_of(one.path, place):
            failed.append(
                f"{one.path}: the draft would overwrite the recording's own {place.suffix}; choose another --out"
            )
            continue
        if args.out is not None or args.plot:
            target.parent.mkdir(parents=True, exist_ok=True)
        unusable += one.draft.unusable
        written = write(untouched(one.recording, one.draft))
        if args.out is not None:
            with atomic_path(place) as temporary:
                temporary.write_bytes(written)
        elif form.binary:
            sys.stdout.buffer.write(written)
        else:
            print(written.decode(), end="\n" if len(paths) > 1 else "")
        if args.plot:
            from meit.ecg.paper import draw_paper

            sheet = target.with_name(f"{target.name}.{args.plot}")
            draw_paper(one.recording, sheet)
            print(f"ECG sheet: {sheet}", file=sys.stderr)
    for line in failed:
        print(f"meit: {line}", file=sys.stderr)
    if unusable:
        print(f"meit: {unusable} of {len(paths)} recordings are unusable: no report was drafted", file=sys.stderr)
    if failed:
        print(f"meit: {len(failed)} of {len(paths)} recordings failed", file=sys.stderr)
    return SOME_FAILED if failed else 0


def _check_stdout(name: str, count: int) -> None:
    """Whether bytes may go to stdout: those of one report, and not to a terminal."""
    if count > 1:
        raise MeitError(f"{count} reports as {name} need a folder: add --out DIR")
    if sys.stdout.isatty():
        raise MeitError(f"{name} is nothing for a terminal: add --out DIR, or send it to a file with > report.{name}")


def _is_of(recording: Path, target: Path) -> bool:
    """Whether a file to be written is the recording, or the one beside it that states its rate and unit."""
    from meit.ecg.files.formats import format_of

    own = [recording]
    format_ = format_of(recording)
    if format_ is not None and format_.name in ("CSV", "NPY"):
        own.append(recording.with_suffix(".json"))
    return target.exists() and any(target.samefile(path) for path in own if path.exists())


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


def add(commands) -> None:
    one = commands.add_parser("report", help="draft the report of recordings", description=report.__doc__)
    one.add_argument(
        "paths", nargs="+", type=input_path, metavar="PATH", help="a recording, or a folder of them; docs/formats.md"
    )
    one.add_argument(
        "--model", type=input_folder, default=default_model(), help="a model's folder (default: the shipped one)"
    )
    add_quantize(one)
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
