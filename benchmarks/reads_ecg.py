"""What a model's language model goes by: drafts with the ECG's tokens or the findings exchanged or taken away.

    python benchmarks/reads_ecg.py MODEL DATA... [--n 48]      (prepared folders)

n recordings are drawn from the validation fold; each is given the tokens, or the findings, of the next one in place of
its own. F1: of all statements of all drafts (meit.reports.statements) against those of the reports. The last two rows
write no draft: the findings above the model's threshold themselves, and in place of the language model the commonest
report of the training folds among those whose statements differ in the fewest findings.
"""

import argparse
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from meit.data.shards import read_all_reports
from meit.data.splits import SPLITS
from meit.drafting.report_writing import write_reports
from meit.model.encoding import encode_all, recordings_for
from meit.model.report_model import ReportModel, load_model
from meit.reports.statements import asserted, read_statements
from meit.training.targets import plans, targets_of

SEED = 0
NAMES = Sequence[frozenset[str]]


def stated(texts: Sequence[str]) -> list[frozenset[str]]:
    return [frozenset(asserted(read_statements(text))) for text in texts]


def f1(named: NAMES, reference: NAMES) -> float:
    both = sum(len(a & b) for a, b in zip(named, reference, strict=True))
    return 2 * both / max(sum(map(len, named)) + sum(map(len, reference)), 1)


def looked_up(model: ReportModel, folders: Sequence[Path], planned: np.ndarray) -> list[str]:
    """For each plan (n, F) the commonest text of the nearest plan among the training folds' reports."""
    reports = read_all_reports(folders, SPLITS["train"])
    known, texts = plans(targets_of(reports, model.spec.encoder)), np.array([report.text for report in reports])
    chosen = []
    for plan in planned:
        differing = np.abs(known - plan).sum(1)
        chosen.append(Counter(texts[differing == differing.min()]).most_common(1)[0][0])
    return chosen


def main(folder: Path, data: Sequence[Path], n: int) -> None:
    model = load_model(folder)
    config = model.spec.encoder
    ecgs = recordings_for(config, data, SPLITS["validation"])
    chosen = np.sort(np.random.default_rng(SEED).permutation(len(ecgs))[:n])
    probabilities, tokens, _ = encode_all(model.ensemble, ecgs, chosen)
    reference = stated([ecgs.report(index).text for index in chosen])
    ways = {
        "as it is": (probabilities, tokens),
        "another ECG's signal tokens": (probabilities, tokens.roll(1, 0)),
        "signal tokens of zeros": (probabilities, torch.zeros_like(tokens)),
        "another ECG's findings": (probabilities.roll(1, 0), tokens),
        "no findings": (torch.zeros_like(probabilities), tokens),
    }
    print(f"{folder}, {len(chosen)} of {len(ecgs)} recordings of fold 9\n")
    print("| given to the language model | drafts as they were | statement F1 | different drafts |\n|---|---|---|---|")
    first: list[str] = []
    for name, (findings, signal) in ways.items():
        drafts = write_reports(model, findings, signal)
        first = first or drafts
        show(name, drafts, first, stated(drafts), reference)
    planned = (probabilities >= (model.spec.plan or 0.5)).numpy()
    named = [frozenset(np.array(config.findings)[row]) for row in planned]
    print(f"| the findings themselves, no text | | {f1(named, reference):.3f} | |")
    drafts = looked_up(model, data, planned.astype(np.float32))
    show("no language model: looked up", drafts, first, stated(drafts), reference)


def show(name: str, drafts: list[str], first: list[str], named: NAMES, reference: NAMES) -> None:
    same = np.mean([a == b for a, b in zip(drafts, first, strict=True)])
    print(f"| {name} | {same:.2f} | {f1(named, reference):.3f} | {len(set(drafts))} |", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("data", type=Path, nargs="+")
    parser.add_argument("--n", type=int, default=48)
    arguments = parser.parse_args()
    main(arguments.model, arguments.data, arguments.n)
