"""Whether a model that was tuned on questions answers what it is asked: on the validation fold, kind by kind.

    python benchmarks/asks.py MODEL DATA... [--n 48] [--seed 0] [--out FILE.json]

MODEL: tuned with `instructions: asked`. DATA: prepared folders. Of n recordings each is asked one question of every kind, worded
by chance as in training. "is there X?" is asked twice: for findings that are there, and for ones that are not. Of each kind:

    form      share of answers of the form that was asked for (meit.reports.questions.has_form)
    F1        of the asserted statements, beside those of the answer that the reference report gives, with its precision, recall
    exact     share of answers that are that answer to the letter
    differs   share of answers that differ from the same model's full report of the same recording

and of "is there X?" sensitivity (yes or possible where the report has it), specificity, and their mean.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from meit.atomic import write_json
from meit.data.splits import SPLITS
from meit.drafting.report_writing import MAX_NEW_TOKENS, write_reports
from meit.errors import ModelError
from meit.model.encoders.encoding import encode_all, recordings_for
from meit.model.report_model import ReportModel, load_model
from meit.reports.questions import FINDING, KINDS, REPORT, answer_of, askable_findings, has_form
from meit.reports.statements import asserted, read_statements
from meit.training.asked import finding_to_ask, question_about

BATCH = 16


class Asking(NamedTuple):
    """One question about recording `index`. finding: the name that FINDING asks for."""

    index: int
    kind: str
    question: str
    expected: str
    finding: str = ""


def questions(texts: Sequence[str], seed: int) -> list[Asking]:
    """Of every recording one of each kind, and of FINDING one of what its report states and one of what it denies."""
    asked = []
    for index, text in enumerate(texts):
        for place, kind in enumerate(KINDS):
            rng = np.random.default_rng([seed, index, place])
            names = _there_and_not(texts, index, rng) if kind == FINDING else [""]
            for name in names:
                asked.append(Asking(index, kind, question_about(kind, rng, name), answer_of(kind, text, name), name))
    return asked


def _there_and_not(texts: Sequence[str], index: int, rng: np.random.Generator) -> list[str]:
    """Names of findings that the report states and denies, as training asks for them; either may be lacking."""
    stated = asserted(read_statements(texts[index]))
    by_answer: dict[bool, str] = {}
    for _ in range(40):
        row = finding_to_ask(texts, index, rng)
        by_answer.setdefault(row.stated(stated), row.names[int(rng.integers(len(row.names)))])
    return list(by_answer.values())


def answers(model: ReportModel, given, asked: Sequence[Asking]) -> list[str]:
    written = []
    for start in range(0, len(asked), BATCH):
        part = asked[start : start + BATCH]
        rows = [one.index for one in part]
        texts = [one.question for one in part]
        written += model.generate(given.probabilities[rows], given.tokens[rows], MAX_NEW_TOKENS, None, texts)
    return written


def scores(asked: Sequence[Asking], written: Sequence[str], reports: Sequence[str]) -> dict[str, dict[str, float]]:
    """Kind -> its figures. reports: the same model's full reports of the recordings, under its own instruction."""
    rows = {}
    for kind in KINDS:
        of_kind = [(one, text) for one, text in zip(asked, written, strict=True) if one.kind == kind]
        pairs = [(asserted(read_statements(text)), asserted(read_statements(one.expected))) for one, text in of_kind]
        both = sum(len(said & wanted) for said, wanted in pairs)
        said, wanted = sum(len(pair[0]) for pair in pairs), sum(len(pair[1]) for pair in pairs)
        rows[kind] = {
            "n": len(of_kind),
            "form": float(np.mean([has_form(kind, text, one.finding) for one, text in of_kind])),
            "f1": 2 * both / max(said + wanted, 1),
            "precision": both / max(said, 1),
            "recall": both / max(wanted, 1),
            "exact": float(np.mean([text == one.expected for one, text in of_kind])),
            "differs": float(np.mean([text != reports[one.index] for one, text in of_kind])),
        }
    return rows


def yes_and_no(asked: Sequence[Asking], written: Sequence[str]) -> dict[str, float]:
    """Of "is there X?": yes or possible, and no, each where the reference says so. What is neither counts as wrong."""
    there, right_yes, right_no = 0, 0, 0
    of_kind = [(one, text) for one, text in zip(asked, written, strict=True) if one.kind == FINDING]
    for one, text in of_kind:
        is_there = not one.expected.startswith("No ")
        there += is_there
        right_yes += is_there and text.startswith(("Yes:", "Possible:"))
        right_no += not is_there and text.startswith("No ")
    sensitivity, specificity = right_yes / max(there, 1), right_no / max(len(of_kind) - there, 1)
    return {
        "there": there,
        "not there": len(of_kind) - there,
        "sensitivity": sensitivity,
        "specificity": specificity,
        "balanced accuracy": (sensitivity + specificity) / 2,
    }


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("model", type=Path)
    options.add_argument("data", type=Path, nargs="+")
    options.add_argument("--n", type=int, default=48)
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--out", type=Path)
    args = options.parse_args()
    model = load_model(args.model)
    if not model.spec.asks:
        raise SystemExit(str(ModelError(f"{args.model} was not tuned on questions: tune one with instructions=asked")))
    data = recordings_for(model.spec.encoder, args.data, SPLITS["validation"])
    chosen = np.sort(np.random.default_rng(args.seed).permutation(len(data))[: args.n])
    texts = [data.texts[index] for index in chosen]
    given = encode_all(model.ensemble, data, chosen)
    asked = questions(texts, args.seed)
    written = answers(model, given, asked)
    reports = write_reports(model, given.probabilities, given.tokens)
    found = scores(asked, written, reports)
    print(f"{'kind':<10}{'n':>5}" + "".join(f"{name:>11}" for name in list(found[REPORT])[1:]))
    for kind, row in found.items():
        print(f"{kind:<10}{row['n']:>5}" + "".join(f"{row[name]:>11.3f}" for name in list(row)[1:]))
    told = yes_and_no(asked, written)
    print(f"is there X? ({len(askable_findings())} findings): {json.dumps(told)}")
    if args.out is not None:
        each = [{**one._asdict(), "answer": text} for one, text in zip(asked, written, strict=True)]
        write_json(args.out, {"kinds": found, "finding": told, "recordings": len(texts), "answers": each})


if __name__ == "__main__":
    main()
