"""How often a report has what is measured and could be written into a draft that leaves it out.

    python benchmarks/measured_precision.py DATA... [--n 1500] [--folds 1-8] [--write]      (prepared folders)

n recordings are drawn from the folds and measured; each row of measured_findings.tsv that would be written had nothing been
drafted is counted, and whether the report states one of the codes that make it right. --write puts the counts into that
file, which decides what is written: rows whose 95% interval (Wilson) ends below LEAST_PROVEN stay warnings.
"""

import argparse
from collections import Counter
from importlib.resources import files
from pathlib import Path

import numpy as np
from tqdm import tqdm

from meit.data.batches import EcgSet
from meit.data.shards import Example
from meit.drafting.checks.grounding import omissions
from meit.drafting.checks.grounding_rules import SexAge
from meit.drafting.checks.measured_findings import LEAST_PROVEN, may_be_written, measured_findings, measured_rows
from meit.drafting.prepared_drafts import measure_prepared, prepared_recording
from meit.ecg.quality import inspect
from meit.proportions import Proportion
from meit.reports.statements import asserted, read_statements

SEED = 0


def found_in(example: Example) -> dict[str, tuple[bool, bool]]:
    """sentence of each row that would be written -> whether the report has it, in so many words or alike, and so exactly."""
    recording, about = prepared_recording(example), example.report
    if not may_be_written([one.reason for one in inspect(recording).reasons]):
        return {}
    measurements, patient = measure_prepared(example, recording), SexAge(about.sex, about.age)
    named = [one.code for one in omissions([], measurements, patient)]
    there = asserted(read_statements(about.text))
    rows = measured_rows(named, measurements, patient)
    return {row.sentence: (bool(row.right_as & there), row.code in there) for row in rows}


def main(folders: list[Path], n: int, folds: str, write: bool) -> None:
    first, _, last = folds.partition("-")
    data = EcgSet(folders, range(int(first), int(last or first) + 1), 100, 10.0)
    chosen = np.sort(np.random.default_rng(SEED).permutation(len(data))[: n or None])
    cases, right, exact = Counter(), Counter(), Counter()
    for index in tqdm(chosen, unit="ECG"):
        for sentence, (alike, so) in found_in(data.example(int(index))).items():
            cases[sentence] += 1
            right[sentence] += alike
            exact[sentence] += so
    print(f"{len(chosen)} of {len(data)} recordings of folds {folds}\n")
    print("| measured | cases | right | 95% interval | in the same words | written |\n" + "|---" * 6 + "|")
    for row in measured_findings():
        of = Proportion(right[row.sentence], cases[row.sentence])
        low, high = of.ci95
        now = "yes" if low >= LEAST_PROVEN else ""
        words = row.sentence.partition(" (measured")[0]
        print(f"| {words} | {of.cases} | {of.right} | {low:.2f}, {high:.2f} | {exact[row.sentence]} | {now} |")
    if write:
        path = Path(str(files("meit.drafting.checks").joinpath("measured_findings.tsv")))
        lines = [_filled(line, cases, right) for line in path.read_text(encoding="utf-8").splitlines()]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _filled(line: str, cases: Counter, right: Counter) -> str:
    *parts, _, _ = cells = line.split("\t") if not line.startswith("#") else [line, "", ""]
    if line.startswith("#") or cells[0] == "named":
        return line
    return "\t".join([*parts, str(cases[cells[2]]), str(right[cells[2]])])


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("data", type=Path, nargs="+")
    options.add_argument("--n", type=int, default=1500, help="recordings (default: 1500; 0: all)")
    options.add_argument("--folds", default="1-8")
    options.add_argument("--write", action="store_true")
    args = options.parse_args()
    main(args.data, args.n, args.folds, args.write)
