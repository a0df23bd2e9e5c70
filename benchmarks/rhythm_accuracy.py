"""Critical rhythms as they are measured, beside PTB-XL's codes, LUDB's diagnoses and the Challenge's SNOMED codes.

    python benchmarks/rhythm_accuracy.py [--ptb-xl FOLDER] [--ludb FOLDER] [--cinc FOLDER]

Each folder in its official layout; of PTB-XL one file a recording is read, that of 500 Hz where it is there. For each
rhythm: in how many of the recordings that have it by their reference it is measured, and in how many of the others,
those aside that have a near relative of it.
"""

import argparse
import csv
import re
from ast import literal_eval
from collections.abc import Callable, Iterator
from pathlib import Path

from meit.ecg import read_ecg
from meit.ecg.measure import Measurements, measure


def at_least(name: str, least: float) -> Callable[[Measurements], bool]:
    return lambda found: (found[name].value or 0) >= least


def _fibrillation(found: Measurements) -> bool:
    return found["p_present"].value == 0 and (found["rr_irregularity"].value or 0) >= 0.08


def _without_p(found: Measurements) -> bool:
    return found["p_present"].value == 0 and (found["rr_irregularity"].value or 0) < 0.08


def _wide_and_fast(found: Measurements) -> bool:
    rate, qrs = found["heart_rate_bpm"].value, found["qrs_ms"].value
    return bool(rate and rate >= 120 and qrs and qrs >= 120 and (found["rr_irregularity"].value or 0) < 0.08)


# name -> how it is measured; codes that have it; codes that are near it: of PTB-XL, words of LUDB, SNOMED of the Challenge
RHYTHMS = {
    "atrial fibrillation": (
        _fibrillation,
        "AFIB|atrial fibrillation|164889003",
        "AFLT|flutter|164890007|PACE|10370003",
    ),
    "atrial flutter": (at_least("flutter_rate_bpm", 1), "AFLT|flutter|164890007", "AFIB|atrial fibrillation|164889003"),
    "complete AV block": (at_least("av_dissociation", 1), "3AVB|iii degree av|27885002", "PACE|pacing|10370003"),
    "2:1 or 3:1 block": (at_least("p_per_qrs", 2), "2AVB|ii degree av|195042002", "AFLT|flutter|164890007"),
    "pacing": (at_least("paced_beats", 0.01), "PACE|pacing|10370003", ""),
    "spikes without capture": (at_least("spikes_without_capture", 1), "", ""),
    "pause of 2 s": (at_least("longest_rr_ms", 2000), "SARR|sinoatrial|5609005", ""),
    "wide-QRS tachycardia": (_wide_and_fast, "VTAC|164895002|111288001", ""),
    "ventricular premature beats": (
        at_least("premature_ventricular", 1),
        "PVC|ventricular extrasystole|164884008|427172004|17338001",
        "BIGU|TRIGU|PACE|PRC|AFIB|AFLT|fibrillation|164889003|164890007",
    ),
    "atrial premature beats": (
        at_least("premature_supraventricular", 1),
        "PAC|atrial extrasystole|284470004|63593006",
        "PVC|BIGU|TRIGU|PACE|PRC|SVARR|AFIB|AFLT|fibrillation|164889003|164890007|427172004",
    ),
    "regular, without P waves": (
        _without_p,
        "PSVT|SVTAC|3AVB|junctional|426761007|iii degree av",
        "PACE|AFIB|AFLT|pacing|fibrillation|flutter|164889003|164890007|10370003",
    ),
}


def ptb_xl(folder: Path) -> Iterator[tuple[Path, set[str]]]:
    with (folder / "ptbxl_database.csv").open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            for name in ("filename_hr", "filename_lr"):
                if (folder / f"{row[name]}.hea").exists():
                    yield folder / row[name], set(literal_eval(row["scp_codes"]))
                    break


def ludb(folder: Path) -> Iterator[tuple[Path, set[str]]]:
    for header in sorted((folder / "data").glob("*.hea")):
        yield header, {line.strip("# .\n").lower() for line in header.read_text().splitlines() if line.startswith("#")}


def cinc(folder: Path) -> Iterator[tuple[Path, set[str]]]:
    for header in sorted(folder.glob("*.hea")):
        found = re.search(r"Dx: *([\d,]+)", header.read_text())
        if not header.stem.startswith("HR"):  # PTB-XL's
            yield header, set(found[1].split(",")) if found else set()


def _has(said: set[str], wanted: str) -> bool:
    """Codes as a whole, LUDB's words as a part."""
    names = set(wanted.split("|")) - {""}
    words = [name for name in names if name.islower()]
    return bool(said & names) or any(re.search(rf"\b{word}", one) for word in words for one in said)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    sources = {"ptb-xl": ptb_xl, "ludb": ludb, "cinc": cinc}
    for name in sources:
        parser.add_argument(f"--{name}", type=Path)
    given = vars(parser.parse_args())
    print("| rhythm | source | found, of those that have it | false alarms, of the others |\n|---|---|---|---|")
    rows = []
    for name, listed in sources.items():
        folder = given[name.replace("-", "_")]
        if folder is None:
            continue
        every = [(measure(read_ecg(path, allow_missing=True)), said) for path, said in listed(folder)]
        for rhythm, (measured, codes, near) in RHYTHMS.items():
            those = [measured(found) for found, said in every if _has(said, codes)]
            others = [measured(found) for found, said in every if not _has(said, codes) and not _has(said, near)]
            rows.append((rhythm, name, f"{sum(those)} of {len(those)}", f"{sum(others)} of {len(others)}"))
    for row in sorted(rows, key=lambda row: list(RHYTHMS).index(row[0])):
        print("| " + " | ".join(row) + " |")


if __name__ == "__main__":
    main()
