"""Time and memory of scoring, without METEOR and BERTScore.

    python benchmarks/metrics_speed.py [PROTOCOL] [PAIRS ...]         # corpus, 20000 and 80000
    python benchmarks/metrics_speed.py --quality PTB-XL [PAIRS ...]   # all that `meit evaluate` does after drafting

Each number of pairs in a process of its own, with 1,000 bootstraps over patients, and the document frequencies of as
many training reports. References are 10 to 60 words of the glossary's statements, the common ones more often; in the
hypotheses three of ten words are others. Nearly all pairs differ, unlike those of real reports, which recur.

With --quality the references are PTB-XL's reports (its ptbxl_database.csv), of as many patients as there are for each,
over and over with new patients; the drafts are those of another record in four of ten cases, and as they should be in the
others. Scored and written is what the quality task does: metrics, findings, by code, by sex and age, three baselines and
the differences from them, with 1,000 bootstraps of each.
"""

import resource
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from meit.benchmark.tasks.comparison import MODEL, compare_systems
from meit.benchmark.texts.metrics import Evaluation
from meit.data.shards import Report
from meit.data.sources.ptb_xl import read_table
from meit.tables import rows_of


def reports(statements: list[str], n: int, rng: np.random.Generator) -> list[str]:
    """Statement number i is drawn with a chance of 1 / i, which is how words are spread (Zipf)."""
    chances = 1 / np.arange(1, len(statements) + 1)
    drawn = iter(rng.choice(len(statements), size=n * 60, p=chances / chances.sum()))
    texts = []
    for words in rng.integers(10, 61, size=n):
        text = []
        while len(text) < words:
            text += f"{statements[next(drawn)]}.".split()
        texts.append(" ".join(text[:words]))
    return texts


def blurred(texts: list[str], rng: np.random.Generator, share: float = 0.3) -> list[str]:
    vocabulary = " ".join(texts[:1000]).split()
    results = []
    for text in texts:
        words = text.split()
        for at in np.flatnonzero(rng.random(len(words)) < share):
            words[at] = vocabulary[rng.integers(len(vocabulary))]
        results.append(" ".join(words))
    return results


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure(protocol: str, n: int) -> None:
    rng = np.random.default_rng(0)
    english = dict.fromkeys(row[2].rstrip(".") for row in rows_of("meit.reports", "glossary.tsv"))
    statements = [statement for statement in english if 2 <= len(statement.split()) <= 8]
    rng.shuffle(statements)
    references, train = reports(statements, n, rng), reports(statements, n, rng)
    hypotheses = blurred(references, rng)
    Evaluation(references[:2], [0, 1], train[:2], protocol).score(hypotheses[:2])  # imports
    before, start, cpu = peak_mb(), time.perf_counter(), time.process_time()
    Evaluation(references, [record // 5 for record in range(n)], train, protocol).score(hypotheses)
    print(
        f"| {protocol} | {n} | {len(set(zip(hypotheses, references, strict=True)))} | {time.perf_counter() - start:.0f} | "
        f"{time.process_time() - cpu:.0f} | {before:.0f} | {peak_mb():.0f} |",
        flush=True,
    )


class Recordings:
    """The columns of a set of recordings that scoring asks for."""

    def __init__(self, reports: list[Report]):
        self.reports = reports
        self.texts = [report.text for report in reports]
        self.patients = [report.patient_id for report in reports]

    def column(self, name: str) -> list:
        return [getattr(report, name) for report in self.reports]


def repeated(known: list[Report], n: int) -> list[Report]:
    """n reports, each round of them of other patients and records."""
    rounds = (divmod(number, len(known)) for number in range(n))
    return [
        replace(known[at], record_id=f"{turn}-{known[at].record_id}", patient_id=f"{turn}-{known[at].patient_id}")
        for turn, at in rounds
    ]


def measure_quality(source: str, n: int) -> None:
    rng = np.random.default_rng(0)
    known = list(read_table(Path(source) / "ptbxl_database.csv").reports.values())
    rng.shuffle(known)
    test, train = Recordings(repeated(known, n)), [report.text for report in known]
    other = np.where(rng.random(n) < 0.4, rng.permutation(n), np.arange(n))
    systems = {
        MODEL: [test.texts[at] for at in other],
        "most frequent report": [Counter(train).most_common(1)[0][0]] * n,
        "nearest ECG": [test.texts[at] for at in rng.permutation(n)],
        "another patient's ECG": [test.texts[at] for at in np.roll(other, 1)],
    }
    abnormal = rng.random(n)
    before, start, cpu = peak_mb(), time.perf_counter(), time.process_time()
    with TemporaryDirectory() as out:
        compare_systems(
            *("quality", systems, test, train, Path(out)), model={}, data=(), split="test", abnormal=abnormal
        )
    pairs = len(set(zip(systems[MODEL], test.texts, strict=True)))
    print(
        f"| quality | {n} | {pairs} | {time.perf_counter() - start:.0f} | {time.process_time() - cpu:.0f} | "
        f"{before:.0f} | {peak_mb():.0f} |",
        flush=True,
    )


def main(protocol: str = "corpus", *sizes: str) -> None:
    print("| protocol | pairs | distinct | wall s | CPU s | MB before | peak MB |")
    print("|---" * 7 + "|", flush=True)
    command = ["--measure", protocol]
    if protocol == "--quality":
        command, sizes = ["--measure-quality", sizes[0]], sizes[1:]
    for n in sizes or ("20000", "80000"):
        subprocess.run([sys.executable, __file__, *command, n], check=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        measure(sys.argv[2], int(sys.argv[3]))
    elif sys.argv[1:2] == ["--measure-quality"]:
        measure_quality(sys.argv[2], int(sys.argv[3]))
    else:
        main(*sys.argv[1:])
