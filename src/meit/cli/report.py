"""`meit report` and `meit deidentify`: recordings in, drafts or clean recordings out."""

import argparse
import json
import sys
from collections import Counter
from pathlib import Path

from meit.cli.common import SOME_FAILED, add_quantize, progress
from meit.errors import MeitError
from meit.model.shipped import default_model


def report(args: argparse.Namespace) -> int:
    """Draft the reports of recordings; one failing file never stops the others. Of an unusable recording no report is
    drafted, and the reason is said instead."""
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
        if args.out and args.format == "json" and _states_itself(one.path, target.with_name(f"{target.name}.json")):
            failed.append(f"{one.path}: the draft would overwrite the recording's own .json; choose another --out")
            continue
        if args.out is not None or args.plot:
            target.parent.mkdir(parents=True, exist_ok=True)
        unusable += one.draft.unusable
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
    if unusable:
        print(f"meit: {unusable} of {len(paths)} recordings are unusable: no report was drafted", file=sys.stderr)
    if failed:
        print(f"meit: {len(failed)} of {len(paths)} recordings failed", file=sys.stderr)
    return SOME_FAILED if failed else 0


def _states_itself(recording: Path, target: Path) -> bool:
    """Whether a file to be written is the one that states a recording's rate and unit."""
    from meit.ecg.table_files import is_csv, is_npy

    beside = recording.with_suffix(".json")
    return beside.exists() and beside.resolve() == target.resolve() and (is_csv(recording) or is_npy(recording))


def deidentify(args: argparse.Namespace) -> int:
    """Write recordings anew, as WFDB, without names, ids and dates; print which became which. What else a file says,
    reports too, is left out. One failing file never stops the others."""
    from meit.ecg import deidentify as to
    from meit.ecg.formats import find_recordings, read_ecg

    to.check_apart(args.paths, args.out, args.key)
    paths = list(dict.fromkeys(path for place in args.paths for path in find_recordings(place)))
    key = to.read_key(args.key)
    failed = 0
    for path in progress(paths, len(paths), "de-identifying"):
        try:
            recording = read_ecg(path, allow_missing=True, min_seconds=0)
            print(f"{path}\t{to.write_wfdb(to.deidentified(recording, key), args.out)}")
        except MeitError as error:
            failed += 1
            print(f"meit: {error}", file=sys.stderr)
    return SOME_FAILED if failed else 0


def add(commands) -> None:
    one = commands.add_parser("report", help="draft the report of recordings", description=report.__doc__)
    one.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="a recording, or a folder of them; docs/formats.md")
    one.add_argument("--model", type=Path, default=default_model(), help="a model's folder (default: the shipped one)")
    add_quantize(one)
    one.add_argument(
        "--strict", action="store_true", help="leave out statements that the measurements contradict; warnings name them"
    )
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
