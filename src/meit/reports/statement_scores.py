"""How well statements agree with PTB-XL's scp_codes, from the texts alone.

    python -m meit.reports.statement_scores ptbxl_database.csv --folds 9,10

Two readings are scored. "as read" takes the SCP-ECG codes that the text asserts. "by convention" takes what PTB-XL's
annotators usually coded for such a text (ptb_xl_conventions.tsv, counted on folds 1-7): they saw the ECG, and left
codes out, added others and chose the wall of an infarction by habits that no text shows.
"""

import argparse
import ast
from collections import Counter
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import NamedTuple

from meit.errors import DataError
from meit.reports.clean import clean_report
from meit.reports.statements import asserted, codes, read_statements
from meit.reports.translate import translate
from meit.tables import rows_of

COLUMNS = ("report", "scp_codes", "strat_fold")
MIN_CASES = 20  # of a code, to enter the macro average


class Counts(NamedTuple):
    """Of one code over the reports: stated and annotated, stated only, annotated only."""

    both: int
    only_stated: int
    only_annotated: int

    @property
    def cases(self) -> int:
        return self.both + self.only_annotated

    @property
    def f1(self) -> float:
        return 2 * self.both / max(2 * self.both + self.only_stated + self.only_annotated, 1)


def texts_and_codes(table: Path, folds: Iterable[int]) -> list[tuple[str, set[str]]]:
    """English text and annotated codes of each usable report of the folds. Raises DataError."""
    import pandas as pd

    try:
        rows = pd.read_csv(table, usecols=COLUMNS)
    except (OSError, ValueError) as error:
        raise DataError(f"{table}: {error}: give PTB-XL's ptbxl_database.csv") from error
    rows = rows[rows["strat_fold"].isin(list(folds))]
    cleaned = [clean_report(text) if isinstance(text, str) else None for text in rows["report"]]
    return [
        (translate(text).text, set(ast.literal_eval(annotated)))
        for text, annotated in zip(cleaned, rows["scp_codes"], strict=True)
        if text is not None
    ]


def as_read(text: str) -> set[str]:
    """The SCP-ECG codes that the text asserts."""
    return {code for code in asserted(read_statements(text)) if codes()[code].is_scp}


def by_convention(text: str) -> set[str]:
    """The codes that PTB-XL's annotators would be expected to give for the text."""
    present = _features(text)
    return {code for code, all_of, none_of in _conventions() if all_of <= present and not none_of & present}


def agreement(pairs: Iterable[tuple[set[str], set[str]]]) -> dict[str, Counts]:
    """(stated, annotated) codes of each report -> counts of each code, the most frequently annotated first."""
    both: Counter[str] = Counter()
    stated_only: Counter[str] = Counter()
    annotated_only: Counter[str] = Counter()
    for stated, annotated in pairs:
        both.update(stated & annotated)
        stated_only.update(stated - annotated)
        annotated_only.update(annotated - stated)
    names = both.keys() | stated_only.keys() | annotated_only.keys()
    counts = {name: Counts(both[name], stated_only[name], annotated_only[name]) for name in names}
    return dict(sorted(counts.items(), key=lambda item: (-item[1].cases, item[0])))


def micro_f1(counts: dict[str, Counts]) -> float:
    return Counts(*(sum(column) for column in zip(*counts.values(), strict=True))).f1


def macro_f1(counts: dict[str, Counts]) -> float:
    """Over the codes with MIN_CASES or more."""
    frequent = [count.f1 for count in counts.values() if count.cases >= MIN_CASES]
    return sum(frequent) / max(len(frequent), 1)


def _features(text: str) -> set[str]:
    """What the conventions ask for: CODE, CODE:certainty, CODE~age and CODE@territory of each asserted statement."""
    features = set()
    for statement in read_statements(text):
        if not statement.negated:
            places = statement.territory.split("; ")
            kinds = (f":{statement.certainty}", f"~{statement.age}", *(f"@{place}" for place in places))
            features |= {statement.code, *(statement.code + kind for kind in kinds)}
    return features


@cache
def _conventions() -> list[tuple[str, frozenset[str], frozenset[str]]]:
    rows = rows_of("meit.reports", "ptb_xl_conventions.tsv")
    return [(row[0], _names(row[1]), _names(row[2])) for row in rows]


def _names(cell: str) -> frozenset[str]:
    return frozenset(filter(None, cell.split(", ")))


def report_table(readings: dict[str, dict[str, Counts]]) -> str:
    """Figures as Markdown: micro and macro, then each code."""
    lines = ["| reading | micro F1 | macro F1 | codes in macro |", "|---|---|---|---|"]
    for name, counts in readings.items():
        frequent = sum(count.cases >= MIN_CASES for count in counts.values())
        lines.append(f"| {name} | {micro_f1(counts):.3f} | {macro_f1(counts):.3f} | {frequent} |")
    first = next(iter(readings.values()))
    heads = " | ".join(f"{name}: F1 | too many | missed" for name in readings)
    lines += ["", f"| code | n | {heads} |", "|---|---|" + "---|" * (3 * len(readings))]
    absent = Counts(0, 0, 0)
    for code, count in first.items():
        cells = [other.get(code, absent) for other in readings.values()]
        columns = " | ".join(f"{cell.f1:.2f} | {cell.only_stated} | {cell.only_annotated}" for cell in cells)
        lines.append(f"| {code} | {count.cases} | {columns} |")
    return "\n".join(lines)


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("table", type=Path, help="PTB-XL's ptbxl_database.csv")
    parser.add_argument("--folds", default="9,10", help="strat_fold, several with a comma between")
    args = parser.parse_args(argv)
    data = texts_and_codes(args.table, [int(fold) for fold in args.folds.split(",")])
    readers = {"as read": as_read, "by convention": by_convention}
    readings = {
        name: agreement((reader(text), annotated) for text, annotated in data) for name, reader in readers.items()
    }
    print(f"{len(data):,} reports of folds {args.folds}\n\n{report_table(readings)}")


if __name__ == "__main__":
    main()
