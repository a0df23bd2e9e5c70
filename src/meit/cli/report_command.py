"""`meit report`: recordings in, drafts out; to the terminal, or any number of them into a folder."""

import argparse
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from meit.cli.arguments import (
    SOME_FAILED,
    Subparsers,
    add_device,
    add_operating_point,
    add_quantize,
    input_file,
    input_folder,
    input_path,
    number,
    output_folder,
    progress,
)
from meit.errors import MeitError
from meit.exports import EXPORT_FORMATS
from meit.exports.draft_targets import STDIN, DraftTarget, draft_targets, listed_targets
from meit.model import default_model

if TYPE_CHECKING:
    from meit.drafting.draft import Draft
    from meit.ecg.recording import Recording

ROW_FORMATS = {"jsonl": False, "parquet": True}  # of meit.bulk.row_shards -> whether they are nothing for a terminal
MOST_SAID = 20  # failures; the manifest has more


def report(args: argparse.Namespace) -> int:
    """Draft the reports of recordings; one failing file never stops the others. Of an unusable recording no report is
    drafted, and the reason is said instead. With --out, what an earlier run has drafted there is kept: docs/bulk.md."""
    if bool(args.paths) == (args.list is not None):
        raise MeitError("name recordings or folders, or a file of their names with --list; one of the two")
    warnings: list[str] = []
    targets = draft_targets(args.paths, warnings) if args.list is None else listed_targets(args.list)
    if args.ask is not None:
        return _asked(args, targets, warnings)
    alone = args.list is None and len(args.paths) == 1 and not args.paths[0].is_dir() and args.format in EXPORT_FORMATS
    if args.out is None or alone:
        return _one_by_one(args, list(targets), warnings)
    return _into_folder(args, targets, warnings)


def _asked(args: argparse.Namespace, targets: Iterator[DraftTarget], warnings: list[str]) -> int:
    from meit.cli.asking import ask_about, check_asking

    check_asking(args)
    _check_alone(args)
    chosen = list(targets)
    if len(chosen) == 1:
        _check_one(chosen[0].path, args.model)
    failed, unusable = ask_about(args, chosen)
    return _said(warnings, unusable, failed, len(failed), len(chosen))


def _into_folder(args: argparse.Namespace, targets: Iterator[DraftTarget], warnings: list[str]) -> int:
    from tqdm import tqdm

    from meit.bulk.bookkeeping.places import Places
    from meit.bulk.bulk_run import BulkRun
    from meit.bulk.outcome import DraftTask

    out = args.out.absolute()
    task = DraftTask(
        model=args.model.absolute(),
        kind=args.format,
        out=out,
        temporary=Places(out).temporary,
        strict=args.strict,
        quantised=args.quantize,
        device=args.device,
        dtype=args.dtype,
        operating_point=args.operating_point,
        plot=args.plot,
    )
    made = [place for place in (out, out / ".meit", out / "manifest.json") if not place.exists()]
    run = BulkRun(task, args.engine, args.workers, args.shard_rows)
    try:
        with run:
            total = run.plan(targets)
            with tqdm(total=total, desc="drafting", unit="ECG", disable=total == 1) as bar:
                run.draft(bar.update)
            counts, failures = run.counts(), run.failures(MOST_SAID)
    except MeitError:
        if not run.told:  # refused from the start, such as for a model that cannot be read: nothing is left of it
            for place in made:
                shutil.rmtree(place) if place.is_dir() else place.unlink(missing_ok=True)
        raise
    if counts["kept"]:
        warnings.append(f"{counts['kept']} of {total} recordings had been drafted there before, and are kept")
    return _said(warnings, counts["unusable"], [one["reason"] for one in failures], counts["failed"], total)


def _one_by_one(args: argparse.Namespace, targets: list[DraftTarget], warnings: list[str]) -> int:
    _check_alone(args)
    binary = ROW_FORMATS[args.format] if args.format in ROW_FORMATS else EXPORT_FORMATS[args.format].binary
    if binary and args.out is None:
        _check_stdout(args.format, len(targets))
    if len(targets) == 1:
        _check_one(targets[0].path, args.model)
    from meit.bulk.workers.drafter import why_failed
    from meit.drafting.draft_files import draft_paths
    from meit.model.report_model import load_model

    model = load_model(args.model, args.quantize, args.device, args.dtype, args.operating_point)
    drafted = draft_paths(model, [one.path for one in targets], strict=args.strict)
    failed, unusable = [], 0
    for target, file in zip(targets, progress(drafted, len(targets), "drafting"), strict=True):
        try:
            if file.recording is None or file.draft is None:
                raise MeitError(file.error)
            written = _written(args.format, target.path, file.recording, file.draft)
            if args.out is None:
                _print(written, binary, end="\n" if len(targets) > 1 and args.format in EXPORT_FORMATS else "")
            else:
                _put(written, target.at(args.out, EXPORT_FORMATS[args.format].suffix))
            if args.plot:
                from meit.ecg.paper import draw_paper

                sheet = target.at(args.out or Path(), f".{args.plot}")
                sheet.parent.mkdir(parents=True, exist_ok=True)
                draw_paper(file.recording, sheet)
                print(f"ECG sheet: {sheet}", file=sys.stderr)
            unusable += file.draft.unusable
        except (MeitError, OSError) as error:
            failed.append(why_failed(error, str(target.path)))
    return _said(warnings, unusable, failed, len(failed), len(targets))


def _written(name: str, path: Path, recording: "Recording", draft: "Draft") -> bytes:
    if name in ROW_FORMATS:
        from meit.bulk.rows import drafted_row, row_line

        return row_line(drafted_row(str(path), draft))
    from meit.exports.document import untouched

    return EXPORT_FORMATS[name].write(untouched(recording, draft))


def _put(written: bytes, place: Path) -> None:
    from meit.atomic import atomic_path

    place.parent.mkdir(parents=True, exist_ok=True)
    with atomic_path(place) as temporary:
        temporary.write_bytes(written)


def _said(warnings: list[str], unusable: int, failures: list[str], failed: int, total: int) -> int:
    """Tells stderr what became of the recordings; the exit code."""
    here = f"{os.getcwd()}{os.sep}"
    lines = [*warnings]
    if unusable:
        lines.append(f"{unusable} of {total} recordings are unusable: no report was drafted")
    lines += [words.replace(here, "") for words in failures]
    if failed > len(failures):
        lines.append(f"... and {failed - len(failures)} more: see manifest.json there")
    if failed:
        lines.append(f"{failed} of {total} recordings failed")
    for line in lines:
        print(f"meit: {line}", file=sys.stderr)
    return SOME_FAILED if failed else 0


def _check_alone(args: argparse.Namespace) -> None:
    if args.workers or args.engine != "local":
        raise MeitError("several processes need a folder to draft into, and several recordings: add --out DIR")


def _check_one(path: Path, model: Path) -> None:
    """A single recording that cannot be drafted shall say so before the model is loaded, and with exit code 2."""
    from meit.ecg.files.formats import read_ecg
    from meit.ecg.recording import check_leads

    recording = read_ecg(path, allow_missing=True)
    from meit.model.configuration import read_config

    check_leads(recording, read_config(model).missing_chest_leads)


def _check_stdout(name: str, count: int) -> None:
    """Whether bytes may go to stdout: those of one report, and not to a terminal."""
    if name in ROW_FORMATS:
        raise MeitError(f"{name} is written in shards: add --out DIR")
    if count > 1:
        raise MeitError(f"{count} reports as {name} need a folder: add --out DIR")
    if sys.stdout.isatty():
        raise MeitError(f"{name} is nothing for a terminal: add --out DIR, or send it to a file with > report.{name}")


def _print(written: bytes, binary: bool, end: str) -> None:
    if binary:
        sys.stdout.buffer.write(written)
    else:
        print(written.decode(), end=end)


def list_file(text: str) -> Path:
    return STDIN if text == str(STDIN) else input_file(text)


def add_report(commands: Subparsers) -> None:
    one = commands.add_parser("report", help="draft the report of recordings", description=report.__doc__)
    one.add_argument(
        "paths", nargs="*", type=input_path, metavar="PATH", help="a recording, or a folder of them; docs/formats.md"
    )
    one.add_argument(
        "--list", type=list_file, metavar="FILE", help="a text file that names them, one a line; - reads stdin"
    )
    one.add_argument(
        "--model", type=input_folder, default=default_model(), help="a model's folder (default: the shipped one)"
    )
    one.add_argument(
        "--ask",
        metavar="QUESTION",
        help="print the answer to a question, such as 'Is there atrial fibrillation?', instead of the report; "
        "docs/instructions.md",
    )
    add_quantize(one)
    add_device(one)
    add_operating_point(one)
    one.add_argument(
        "--strict",
        action="store_true",
        help="leave out statements that the measurements contradict; warnings name them",
    )
    one.add_argument(
        "--format", choices=(*EXPORT_FORMATS, *ROW_FORMATS), default="text", help="docs/exports.md (default: text)"
    )
    one.add_argument(
        "--out",
        type=output_folder,
        metavar="DIR",
        help="write there, instead of to stdout: a file for each recording or, of jsonl and parquet, for many; what is "
        "there already is kept (docs/bulk.md)",
    )
    one.add_argument("--plot", nargs="?", const="png", choices=("png", "svg"), help="also draw the ECG sheet")
    one.add_argument(
        "--workers", type=number(int, 1), default=0, metavar="N", help="processes that draft, each with its model"
    )
    one.add_argument("--engine", choices=("local", "ray"), default="local", help="ray: on the cluster at $RAY_ADDRESS")
    one.add_argument(
        "--shard-rows",
        type=number(int, 1),
        default=10_000,
        metavar="N",
        help="recordings in each file of jsonl or parquet (default: 10000)",
    )
    one.set_defaults(run=report)
