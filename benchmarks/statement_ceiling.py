"""How well any reader of the texts can agree with PTB-XL's scp_codes: what a classifier learns, and equal texts.

    python benchmarks/statement_ceiling.py ptbxl_database.csv

Linear classifiers, one a code, on words, their pairs and triples, groups of letters and whole texts of folds 1-7, with
the raw reports (German included) and with our translation; scored on fold 8. Then the best single answer to each text
that recurs, chosen with the codes in view. Needs meit[benchmark]; two minutes.
"""

import argparse
import ast
import re
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.sparse import hstack
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.svm import LinearSVC

from meit.reports.statement_scores import agreement, macro_f1, micro_f1, texts_and_codes

FIT, SCORED = range(1, 8), (8,)
LEAST = 5  # reports with a code, below which nothing is learned
RECURS = 5
STAMP = re.compile(r"\d+\.\d+ unbest.*")  # the software's version, and "unconfirmed report"


def classified(fit: list[tuple[str, set[str]]], scored: list[tuple[str, set[str]]]):
    views = (
        CountVectorizer(ngram_range=(1, 3), min_df=3, binary=True, token_pattern=r"\S+"),
        TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5), min_df=5, sublinear_tf=True, max_features=60_000),
        CountVectorizer(analyzer=lambda text: [text], min_df=3, binary=True),
    )
    seen = hstack([view.fit_transform([text for text, _ in fit]) for view in views]).tocsr()
    new = hstack([view.transform([text for text, _ in scored]) for view in views]).tocsr()
    found: list[set[str]] = [set() for _ in scored]
    for code in sorted({code for _, codes in fit for code in codes}):
        has = np.array([code in codes for _, codes in fit])
        if LEAST <= has.sum() < len(has):
            decided = LinearSVC(C=0.1).fit(seen, has).decision_function(new)
            for row in np.flatnonzero(decided > -0.15):  # the cut that serves F1 best, on fold 8 itself
                found[row].add(code)
    return agreement((stated, codes) for stated, (_, codes) in zip(found, scored, strict=True))


def best_answers(texts: list[tuple[str, set[str]]]):
    """For each text that recurs the codes that more than half of its reports have; (agreement, reports)."""
    groups = defaultdict(list)
    for text, codes in texts:
        groups[text].append(codes)
    pairs = []
    for members in groups.values():
        if len(members) >= RECURS:
            counts = Counter(code for codes in members for code in codes)
            answer = {code for code, n in counts.items() if n > len(members) / 2}
            pairs += [(answer, codes) for codes in members]
    return agreement(pairs), len(pairs)


def raw(table: Path, folds) -> list[tuple[str, set[str]]]:
    rows = pd.read_csv(table, usecols=("report", "scp_codes", "strat_fold")).dropna(subset="report")
    rows = rows[rows["strat_fold"].isin(list(folds))]
    return [
        (STAMP.sub("", r.lower()), set(ast.literal_eval(c)))
        for r, c in zip(rows["report"], rows["scp_codes"], strict=True)
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("table", type=Path, help="PTB-XL's ptbxl_database.csv")
    table = parser.parse_args().table
    print("| fold 8 | micro F1 | macro F1 |\n|---|---|---|")
    for name, read in {"the raw report": raw, "our translation": texts_and_codes}.items():
        counts = classified(read(table, FIT), read(table, SCORED))
        print(f"| classifier on {name} | {micro_f1(counts):.3f} | {macro_f1(counts):.3f} |", flush=True)
    counts, n = best_answers(texts_and_codes(table, (*FIT, *SCORED)))
    print(f"\nbest answer to each text that recurs ({n:,} reports of folds 1-8): micro F1 {micro_f1(counts):.3f}")


if __name__ == "__main__":
    main()
