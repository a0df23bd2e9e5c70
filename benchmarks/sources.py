"""Whether a model can tell which file a recording came from, which says nothing of the patient: an AUROC, best near 0.5.

    python benchmarks/sources.py MODEL PTB-XL DATA...    (PTB-XL's official layout; the folders prepared of it and of others)

Sources: PTB-XL's 500 Hz files, recordings of which only its own 100 Hz file is there, and leads that were z-scored. A
logistic regression on the encoder's features of each pair of sources (L2, C = 0.1, on scaled features) is fitted to
three quarters of the validation patients and judges the fourth, for each quarter in turn. Beside it, the same
of the finding probabilities, which is what the language model is told.
"""

import argparse
from itertools import combinations
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from meit.data.sources.ptb_xl import PTB_XL_TABLE, read_table
from meit.data.splits import SPLITS
from meit.model.encoders.encoding import encode_all, recordings_for
from meit.model.report_model import load_model

QUARTERS = 4
HIGH, LOW, SCORED = "500 Hz file", "100 Hz file", "z-scored"


def source_of(unit: str, high: Path) -> str:
    return SCORED if unit == "z" else HIGH if high.exists() else LOW


def auroc(values: np.ndarray, is_first: np.ndarray, patients: np.ndarray) -> float:
    """Of values (N, D) that tell the first source from the second, judged on patients that were left out."""
    told = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=1000))
    folds = GroupKFold(QUARTERS)
    scores = cross_val_predict(told, values, is_first, groups=patients, cv=folds, method="decision_function")
    return float(roc_auc_score(is_first, scores))


def main(folder: Path, ptb_xl: Path, data: list[Path]) -> None:
    model = load_model(folder)
    ecgs = recordings_for(model.spec.encoder, data, SPLITS["validation"])
    files = read_table(ptb_xl / PTB_XL_TABLE).files
    units = [unit for _, _, unit in ecgs.signals(range(len(ecgs)))]
    highs = [ptb_xl / (files[name] + ".hea") for name in ecgs.column("record_id")]
    sources = np.array([source_of(unit, high) for unit, high in zip(units, highs, strict=True)])
    probabilities, _, features = (part.numpy() for part in encode_all(model.ensemble, ecgs))
    patients = np.array(ecgs.patients)
    print("| sources | recordings | AUROC of the features | of the finding probabilities |\n|---|---|---|---|")
    for pair in combinations((HIGH, LOW, SCORED), 2):
        chosen = np.isin(sources, pair)
        first = sources[chosen] == pair[0]
        by = [auroc(values[chosen], first, patients[chosen]) for values in (features, probabilities)]
        print(f"| {pair[0]} or {pair[1]} | {first.sum()} and {(~first).sum()} | {by[0]:.3f} | {by[1]:.3f} |")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("ptb_xl", type=Path)
    parser.add_argument("data", type=Path, nargs="+")
    arguments = parser.parse_args()
    main(arguments.model, arguments.ptb_xl, arguments.data)
