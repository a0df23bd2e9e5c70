"""What carts state of their ECGs in the files themselves, beside what meit measures: a Markdown table.

    python benchmarks/cart_agreement.py FILE...

Each cell is "the cart's / meit's"; a dash where one of them has no value.
"""

import sys
from pathlib import Path

from meit.ecg.files.formats import read_ecg
from meit.ecg.measure import measure

SHOWN = {"heart_rate_bpm": "rate", "pr_ms": "PR", "qrs_ms": "QRS", "qt_ms": "QT", "axis_deg": "axis"}


def words(value: float | None) -> str:
    return "–" if value is None else f"{value:.0f}"


def main() -> None:
    print("| file | " + " | ".join(SHOWN.values()) + " |")
    print("|---" * (len(SHOWN) + 1) + "|")
    for place in map(Path, sys.argv[1:]):
        recording = read_ecg(place)
        stated, measured = recording.cart.measurements, measure(recording)
        cells = [f"{words(stated.get(name))} / {words(measured[name].value)}" for name in SHOWN]
        print(f"| `{place.parent.name}/{place.name}` | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
