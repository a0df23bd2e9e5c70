"""`meit report --ask`: a question about recordings instead of their reports; to the terminal alone."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from meit.cli.arguments import progress
from meit.errors import MeitError

if TYPE_CHECKING:
    from meit.drafting.answering import Answer
    from meit.exports.draft_targets import DraftTarget

ANSWER_FORMATS = ("text", "json")  # the others are for reports


def check_asking(args: argparse.Namespace) -> None:
    """Raises MeitError, before anything is loaded, for what cannot be asked, or not so."""
    from meit.drafting.answering import checked_question
    from meit.model.configuration import read_config

    if args.format not in ANSWER_FORMATS:
        raise MeitError(f"an answer is no report and has no {args.format}: take --format {' or '.join(ANSWER_FORMATS)}")
    if args.out is not None:
        raise MeitError("an answer is no report and is only printed: leave out --out")
    checked_question(args.ask, read_config(args.model))


def ask_about(args: argparse.Namespace, targets: Sequence["DraftTarget"]) -> tuple[list[str], int]:
    """Prints the answer about each recording. Returns why some have none, and how many are unusable."""
    from meit.bulk.workers.drafter import why_failed
    from meit.drafting.draft import draft_report
    from meit.ecg.files.formats import read_ecg
    from meit.model.report_model import load_model

    model = load_model(args.model, args.quantize, args.device, args.dtype, args.operating_point)
    failed, unusable = [], 0
    for target in progress(targets, len(targets), "asking"):
        try:
            recording = read_ecg(target.path, allow_missing=True)
            answer = draft_report(model, recording, strict=args.strict, ask=args.ask)
            sys.stdout.write(_printed(answer, args.format, spaced=len(targets) > 1))
            if args.plot:
                from meit.ecg.paper import draw_paper

                draw_paper(recording, target.at(Path(), f".{args.plot}"))
            unusable += answer.unusable
        except (MeitError, OSError) as error:
            failed.append(why_failed(error, str(target.path)))
    return failed, unusable


def _printed(answer: "Answer", form: str, spaced: bool) -> str:
    if form == "json":
        return json.dumps(answer.to_dict(), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    return answer.to_text() + ("\n\n" if spaced else "\n")
