"""How much of PTB-XL's reports the translator understands, and a sample to read.

python -m meit.reports.coverage ptbxl_database.csv --sample 100 --seed 0 --out docs/data.md
"""

import argparse
import random
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd

from meit.atomic import write_text
from meit.reports.clean import clean_report
from meit.reports.translate import Translation, translate

MARK = "<!-- figures and sample: written by python -m meit.reports.coverage -->"


def coverage_table(reports: Iterable[str]) -> dict[str, Any]:
    """Figures over all reports; "foreign" is German and Swedish together.

    Cleaning and translating are cached per text, for the machines repeat themselves.
    """
    seen: dict[str, Translation | None] = {}
    counts: dict[str, Counter[str]] = {lang: Counter() for lang in ("de", "sv", "en")}
    unknown: Counter[str] = Counter()
    total = dropped = 0
    for raw in reports:
        total += 1
        if raw not in seen:
            cleaned = clean_report(raw)
            seen[raw] = None if cleaned is None else translate(cleaned)
        result = seen[raw]
        if result is None:
            dropped += 1
            continue
        count = counts[result.language]
        count["reports"] += 1
        count["whole"] += not result.unknown
        count["words"] += result.n_words
        count["known"] += result.n_known
        unknown.update(result.unknown)
    counts["foreign"] = counts["de"] + counts["sv"]
    counts["all"] = counts["foreign"] + counts["en"]
    return {
        "reports": total,
        "dropped": dropped,
        "languages": {
            name: {
                "reports": count["reports"],
                "words": count["words"],
                "words_covered": count["known"] / max(count["words"], 1),
                "wholly_covered": count["whole"] / max(count["reports"], 1),
            }
            for name, count in counts.items()
        },
        "unknown": unknown.most_common(),
    }


def figures(table: dict[str, Any]) -> str:
    """The figures as Markdown."""
    names = {"de": "German", "sv": "Swedish", "foreign": "non-English together", "en": "English", "all": "all"}
    lines = [
        f"{table['reports']:,} reports, of which {table['dropped']:,} are non-reports and dropped.",
        "",
        "| language | reports | words | words covered | reports covered wholly |",
        "|---|---|---|---|---|",
    ]
    for key, name in names.items():
        row = table["languages"][key]
        lines.append(
            f"| {name} | {row['reports']:,} | {row['words']:,} | {row['words_covered']:.2%} "
            f"| {row['wholly_covered']:.2%} |"
        )
    common = ", ".join(f"{word} ({n})" for word, n in table["unknown"][:25])
    return "\n".join([*lines, "", f"Most frequent unknown words: {common}."])


def sample_table(reports: list[str], size: int, seed: int) -> str:
    """A seeded random sample of the reports with both texts, as Markdown."""
    kept = [report for report in reports if clean_report(report) is not None]
    rows = ["| # | report as recorded | translation |", "|---|---|---|"]
    for number, raw in enumerate(random.Random(seed).sample(kept, min(size, len(kept))), 1):
        result = translate(clean_report(raw) or "")
        flagged = f" *Unknown: {', '.join(result.unknown)}.*" if result.unknown else ""
        rows.append(f"| {number} | {_cell(raw)} | {_cell(result.text)}{flagged} |")
    return "\n".join(rows)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("table", type=Path, help="CSV with a column 'report'")
    parser.add_argument("--sample", type=int, default=0, help="size of the sample")
    parser.add_argument("--seed", type=int, default=0, help="seed of the sample")
    parser.add_argument("--out", type=Path, help="Markdown page whose last part is rewritten")
    args = parser.parse_args(argv)
    reports = pd.read_csv(args.table, usecols=["report"])["report"].astype(str).tolist()
    text = figures(coverage_table(reports))
    print(text)
    if args.sample:
        sample = sample_table(reports, args.sample, args.seed)
        text += f"\n\n### Sample of {args.sample} (seed {args.seed})\n\n{sample}"
        if args.out is None:
            print("\n" + sample)
    if args.out is not None:
        page = args.out.read_text(encoding="utf-8") if args.out.exists() else MARK
        write_text(args.out, f"{page.split(MARK)[0]}{MARK}\n\n{text}\n")


if __name__ == "__main__":
    main()
