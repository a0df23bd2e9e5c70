"""What the rules of grounding_rules.tsv say of the reports that were written for the same recordings.

    python benchmarks/rules_on_references.py PREPARED... [--folds 1-8]
    python benchmarks/rules_on_references.py --recordings PTB-XL LUDB MIMIC CINC [--count 60]

Of prepared folders: where references are contradicted. A contradicted reference is a wrong measurement, a wrong rule, or a
report that calls by the name what the standard does not; the lenient thresholds were set with this table. Of folders of
recordings (as published): what is named that the reference does not say, what it says that is not named, and how many
are read first, with nothing written but "Sinus rhythm." and with the reference as the text.
"""

import argparse
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path

from referenced_recordings import referenced
from tqdm import tqdm

from meit.data.batches import EcgSet
from meit.drafting.checks.grounding import CONTRADICTED, SUPPORTS, check_statements, ground, omissions
from meit.drafting.checks.grounding_rules import SexAge
from meit.drafting.checks.urgency import Urgency, urgency_of
from meit.drafting.draft_types import Draft, RecordingInfo
from meit.drafting.examine import examine
from meit.drafting.prepared_drafts import measure_prepared
from meit.ecg.files.formats import read_ecg
from meit.reports.statements import asserted, read_statements

ALIKE = (  # codes by which reports tell the same measurement
    {"BRADY", "SBRAD", "SVRESP"},
    {"TACHY", "STACH", "RVRESP", "SVTAC", "PSVT", "ATACH", "JTACH", "VTACH", "WCT"},
    {"AFIB", "AFLT", "SVARR"},
    {"AVDISS", "3AVB", "2AVB", "AVB"},
    {"1AVB", "LPR", "AVB"},
    {"LAD", "ALAD", "LAFB"},
    {"RAD", "ARAD", "LPFB"},
    {"VCLVH", "LVH", "HVOLT"},
    {"SVPC", "PAC", "JPC", "PRC(S)"},
    {"PVC", "PRC(S)", "BIGU", "TRIGU"},
    {"CLBBB", "CRBBB", "IVCD", "BBB", "BIFB", "TRIFB"},
    {"NOP", "AFIB", "AFLT", "PACE", "JUNC", "3AVB", "SVTAC"},
    {"STD_", "STT", "NST_"},
    {"INVT", "TAB_", "NT_", "NDT", "STT"},
)
NAMEABLE = frozenset(  # codes that the rules name
    (
        "BRADY",
        "SBRAD",
        "TACHY",
        "STACH",
        "AFIB",
        "AFLT",
        "AVDISS",
        "3AVB",
        "2AVB",
        "1AVB",
        "PVC",
        "SVPC",
        "PAC",
        "PACE",
        "CLBBB",
        "CRBBB",
        "IVCD",
        "ALAD",
        "ARAD",
        "LNGQT",
        "LVOLT",
        "VCLVH",
        "IMI",
        "ASMI",
        "STE_",
        "STD_",
        "INVT",
    )
)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("data", type=Path, nargs="*")
    options.add_argument("--folds", default="1-8")
    options.add_argument("--recordings", type=Path, nargs="+", default=[])
    options.add_argument("--count", type=int, default=60)
    args = options.parse_args()
    if args.data:
        of_prepared(args.data, args.folds)
    if args.recordings:
        print("| set | recordings | named, not said | said, not named | contradicted | read first | by reference |")
        print("|---" * 7 + "|")
    for folder in args.recordings:
        of_recordings(folder, args.count)


def of_prepared(folders: list[Path], folds: str) -> None:
    first, _, last = folds.partition("-")
    data = EcgSet(folders, range(int(first), int(last or first) + 1), 100, 10.0)
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
            true[one.code] += bool(asserted(statements) & alike({one.code, *one.alike}))
    total = sum(supports.values(), Counter())
    share = total[CONTRADICTED] / total.total()
    print(f"{len(data)} recordings, {total.total()} statements, contradicted {total[CONTRADICTED]} ({share:.1%})\n")
    print(f"| code | {' | '.join(SUPPORTS)} |\n|{' --- |' * 4}")
    for code, count in sorted(supports.items(), key=lambda item: -item[1][CONTRADICTED]):
        print(f"| {code} | {' | '.join(str(count[support]) for support in SUPPORTS)} |")
    print("\n| named if nothing were written | recordings | asserted by the reference, or alike |\n| --- | --- | --- |")
    for code, count in named.most_common():
        print(f"| {code} | {count} | {true[code]} |")


def of_recordings(folder: Path, count: int) -> None:
    """One row of the table, then what was named and not said, and said and not named, by code."""
    chosen = [one for one in referenced(folder) if one.reference]
    chosen = chosen[:: max(len(chosen) // count, 1)][:count]
    false, missed, first, first_by_reference, contradicted = Counter(), Counter(), 0, 0, 0
    for one in tqdm(chosen, unit="ECG"):
        recording = read_ecg(one.file, allow_missing=True)
        found, patient = examine(recording).measurements, SexAge(recording.patient.sex, recording.patient.age)
        said = asserted(read_statements(one.reference))
        named = [alike({each.code, *each.alike}) for each in omissions([], found, patient)]
        false.update(each.code for each in omissions([], found, patient) if not said & alike({each.code, *each.alike}))
        missed.update(code for code in NAMEABLE & said if not any(code in codes for codes in named))

        def draft(text: str, recording=recording, found=found, patient=patient) -> Draft:
            grounding = ground(text, found, *patient)
            return Draft(RecordingInfo.of(recording), text, grounding.statements, grounding.warnings, None, None, found)

        by_reference = draft(one.reference)
        contradicted += sum(each.support == CONTRADICTED for each in by_reference.statements)
        first += urgency_of(draft("Sinus rhythm."))[0] == Urgency.CRITICAL
        first_by_reference += urgency_of(by_reference)[0] == Urgency.CRITICAL
    per = [f"{number / len(chosen):.3f}" for number in (false.total(), missed.total(), contradicted)]
    print(f"| {folder.name} | {len(chosen)} | {' | '.join(per)} | {first} | {first_by_reference} |")
    tqdm.write(f"    named, not said: {dict(false.most_common())}\n    said, not named: {dict(missed.most_common())}")


def alike(codes: Iterable[str]) -> set[str]:
    codes = set(codes)
    return codes.union(*(group for group in ALIKE if group & codes))


if __name__ == "__main__":
    main()
