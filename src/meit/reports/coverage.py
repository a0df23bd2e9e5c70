"""How much of a table's reports the glossary knows: `python -m meit.reports.coverage TABLE.csv [SAMPLE.md]`."""

import csv
import random
import sys
from collections import Counter
from pathlib import Path

from meit.files import write_text
from meit.reports.clean import clean_report
from meit.reports.translate import translate

SAMPLE, SEED = 100, 0


def coverage(reports: list[str]) -> dict:
    """Counts over reports as found: words and whole reports covered, by language, and the commonest unknown words."""
    cleaned = [text for report in reports if (text := clean_report(report)) is not None]
    translations = [translate(text) for text in cleaned]
    by_language = {}
    for language in ("de", "sv", "en"):
        chosen = [t for t in translations if t.language == language]
        by_language[language] = {
            "reports": len(chosen),
            "words covered": sum(t.n_known for t in chosen) / max(1, sum(t.n_words for t in chosen)),
            "reports covered wholly": sum(not t.unknown for t in chosen) / max(1, len(chosen)),
        }
    foreign = [t for t in translations if t.language != "en"]
    return {
        "reports": len(translations),
        "non-reports dropped": len(reports) - len(cleaned),
        "non-English words covered": sum(t.n_known for t in foreign) / max(1, sum(t.n_words for t in foreign)),
        "reports covered wholly": sum(not t.unknown for t in translations) / max(1, len(translations)),
        "by language": by_language,
        "unknown": Counter(word for t in translations for word in t.unknown).most_common(20),
    }


def sample_table(reports: list[str], count: int = SAMPLE, seed: int = SEED) -> str:
    """A Markdown table of randomly drawn reports, as found and in English."""
    drawn = random.Random(seed).sample([r for r in reports if clean_report(r) is not None], count)
    lines = ["| as found | in English | unknown |", "|---|---|---|"]
    for report in drawn:
        translation = translate(clean_report(report))
        lines.append(f"| {' '.join(report.split())} | {translation.text} | {', '.join(translation.unknown)} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    with open(sys.argv[1], encoding="utf-8") as file:
        reports = [row["report"] for row in csv.DictReader(file)]
    for name, value in coverage(reports).items():
        print(f"{name}: {value:.4f}" if isinstance(value, float) else f"{name}: {value}")
    if len(sys.argv) > 2:
        write_text(Path(sys.argv[2]), sample_table(reports))


if __name__ == "__main__":
    main()
