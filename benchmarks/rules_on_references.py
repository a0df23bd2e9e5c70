"""What the rules of grounding_rules.tsv say of the reports that were written for the same recordings: where they contradict them.

    python benchmarks/rules_on_references.py DATA... [--folds 1-8]

A contradicted reference is a wrong measurement, a wrong rule, or a report that calls by the name what the standard does
not. The lenient thresholds were set with this table.
"""

import argparse
from collections import Counter, defaultdict
from pathlib import Path

from tqdm import tqdm

from meit.data.batches import EcgSet
from meit.drafting.checks.grounding import CONTRADICTED, SUPPORTS, check_statements, omissions
from meit.drafting.checks.grounding_rules import SexAge
from meit.drafting.prepared_drafts import measure_prepared
from meit.reports.statements import asserted, read_statements


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("data", type=Path, nargs="+")
    options.add_argument("--folds", default="1-8")
    args = options.parse_args()
    first, _, last = args.folds.partition("-")
    data = EcgSet(args.data, range(int(first), int(last or first) + 1), 100, 10.0)
    supports: dict[str, Counter] = defaultdict(Counter)
    named, true = Counter(), Counter()
    for index in tqdm(range(len(data)), unit="ECG"):
        example = data.example(index)
        report, found = example.report, measure_prepared(example)
        patient, statements = SexAge(report.sex, report.age), read_statements(report.text)
        for one in check_statements(statements, found, patient):
            supports[one.statement.code][one.support] += 1
        for one in omissions([], found, patient):
            named[one.code] += 1
            true[one.code] += bool(asserted(statements) & {one.code, *one.alike})
    total = sum(supports.values(), Counter())
    share = total[CONTRADICTED] / total.total()
    print(f"{len(data)} recordings, {total.total()} statements, contradicted {total[CONTRADICTED]} ({share:.1%})\n")
    print(f"| code | {' | '.join(SUPPORTS)} |\n|{' --- |' * 4}")
    for code, count in sorted(supports.items(), key=lambda item: -item[1][CONTRADICTED]):
        print(f"| {code} | {' | '.join(str(count[support]) for support in SUPPORTS)} |")
    print("\n| named if nothing were written | recordings | asserted by the reference, or alike |\n| --- | --- | --- |")
    for code, count in named.most_common():
        print(f"| {code} | {count} | {true[code]} |")


if __name__ == "__main__":
    main()
