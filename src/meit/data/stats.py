"""What a prepared folder holds, as text and as one picture."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from meit.atomic import atomic_path
from meit.data.shards import Shard, read_manifest, shard_paths
from meit.data.splits import SPLITS
from meit.ecg.recording import LEADS

_MOST = 15  # lines of each list
COUNTED = ("language", "sex", "rate", "unit", "text")


@dataclass
class DataStats:
    """Counts over the recordings of prepared folders. words: of each report; seconds: of each recording."""

    counts: dict[str, Counter[str | None]] = field(
        default_factory=lambda: {name: Counter() for name in (*COUNTED, "split", "finding")}
    )
    missing: Counter[str] = field(
        default_factory=Counter
    )  # by lead, of age and sex, and by measurement, if any is there
    measured: Counter[str] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)
    words: list[int] = field(default_factory=list)
    seconds: Counter[str] = field(default_factory=Counter)
    ages: list[float] = field(default_factory=list)
    recordings: int = 0

    def to_text(self) -> str:
        """Lists of the most frequent values, and ranges."""
        words = np.percentile(self.words, [0, 50, 95, 100]).astype(int)
        ages = f"{np.median(self.ages):.0f} (median)" if self.ages else "not stated"
        lines = [
            f"recordings: {self.recordings}",
            "words of a report: least {}, median {}, 95% below {}, most {}".format(*words),
            f"age: {ages}",
            *(f"{name}: {_top(self.counts[name])}" for name in ("split", "language", "sex", "rate", "unit")),
            f"seconds: {_top(self.seconds)}",
            f"not there: {_top(self.missing) or 'nothing'}",
            f"dropped while preparing: {_top(self.dropped) or 'nothing'}",
        ]
        for title, name in (("most frequent reports", "text"), ("findings", "finding")):
            lines.append(f"{title}:")
            lines += [f"  {count:7d}  {value}" for value, count in self.counts[name].most_common(_MOST)]
        return "\n".join(lines)


def count_data(folders: Sequence[Path | str]) -> DataStats:
    """Goes through the shards once; of a signal, only whether its leads are there is looked at. Raises DataError."""
    counted = DataStats()
    split_of = {fold: name for name, folds in SPLITS.items() for fold in folds}
    for folder in folders:
        counted.dropped.update(read_manifest(Path(folder))["dropped"])
        for path in shard_paths(Path(folder)):
            shard = Shard(path)
            counted.recordings += len(shard)
            for name in COUNTED:
                counted.counts[name].update(shard.column(name).to_pylist())
            counted.counts["split"].update(split_of[fold] for fold in shard.column("fold").to_pylist())
            for codes in shard.column("codes").to_pylist():
                counted.counts["finding"].update(json.loads(codes).keys())
            counted.words += [len(text.split()) for text in shard.column("text").to_pylist()]
            ages = shard.column("age").to_pylist()
            counted.ages += [age for age in ages if age is not None]
            counted.missing["age"] += ages.count(None)
            counted.missing["sex"] += shard.column("sex").null_count
            for values in shard.column("measurements").to_pylist():
                counted.measured.update(json.loads(values).keys())
            for row in range(len(shard)):
                signal, rate, _ = shard.signal(row)
                counted.seconds[f"{len(signal) / rate:.3g}"] += 1
                counted.missing.update(lead for lead, gone in zip(LEADS, np.isnan(signal).all(0), strict=True) if gone)
    counted.missing.update({name: counted.recordings - count for name, count in counted.measured.items()})
    counted.missing = +counted.missing  # without what is never missing
    return counted


def draw_stats(counted: DataStats, path: Path) -> None:
    """The same as one picture, PNG or SVG by the name: lengths, ages, findings, languages, leads, commonest reports."""
    import matplotlib  # half a second that counting does not need
    from matplotlib.figure import Figure

    figure = Figure(figsize=(13, 8), layout="constrained")
    axes = figure.subplots(2, 3)
    axes[0, 0].hist(counted.words, bins=np.arange(0, max(counted.words) + 2) - 0.5)
    axes[0, 0].set(title="Words of a report", xlabel="words", ylabel="recordings")
    axes[0, 1].hist(counted.ages, bins=np.arange(0, 101, 5))
    axes[0, 1].set(title="Age", xlabel="years", ylabel="recordings")
    bars: list[tuple[Any, str, Counter, int]] = [
        (axes[0, 2], "Findings (annotators' codes)", counted.counts["finding"], _MOST),
        (
            axes[1, 0],
            "Splits, languages, sex",
            sum((counted.counts[n] for n in ("split", "language", "sex")), Counter()),
            _MOST,
        ),
        (axes[1, 1], "Not there", counted.missing, _MOST),
        (axes[1, 2], "Most frequent reports", counted.counts["text"], 8),
    ]
    for axis, title, counter, most in bars:
        names, values = zip(*counter.most_common(most), strict=True) if counter else ((), ())
        labels = ["not stated" if n is None or n == "" else n if len(str(n)) < 36 else f"{n[:34]}…" for n in names]
        axis.barh(range(len(names)), values)
        axis.set_yticks(range(len(names)), labels, fontsize=8)
        axis.invert_yaxis()
        axis.set(title=title, xlabel="recordings")
    figure.suptitle(f"{counted.recordings} recordings")
    with atomic_path(path) as temporary, matplotlib.rc_context({"svg.fonttype": "none"}):  # its words stay text
        figure.savefig(temporary, dpi=110)


def _top(counter: Counter) -> str:
    return ", ".join(
        f"{'not stated' if value in (None, '') else value} {count}" for value, count in counter.most_common(_MOST)
    )
