"""What each step of the encoder brings on fold 9, whose recordings none of them has seen.

    python benchmarks/ladder.py RUN DATA...      (the folder of a finished `meit train` with bagged and measured; prepared folders)

F1: of all findings of all recordings, those with a probability above the threshold that was best for the training
recordings as encoders saw them that were not trained on them.
"""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from sklearn.metrics import roc_auc_score

from meit.benchmark.finding_scores import abnormal_auroc, abnormality
from meit.data.splits import SPLITS
from meit.model.encoding import loaded, recordings_for
from meit.model.findings import Ensemble, MeasuredHead
from meit.model.report_model import load_model
from meit.training.cross_fits import HELD_OUT, MEASURES, fit_measured
from meit.training.targets import MIN_CASES, PRESENT, best_threshold, targets_of

BATCH = 64


def main(run: str, *data: str) -> None:
    run = Path(run)
    ensemble = load_model(run / "model").ensemble
    config = ensemble.config
    train, test = (recordings_for(config, data, SPLITS[split]) for split in ("train", "validation"))
    known, wanted = targets_of(train.reports, config), targets_of(test.reports, config)
    folds = np.array(train.column("fold"))
    parts = folds % (config.members - 1)
    held_out, measures = np.load(run / HELD_OUT), np.load(run / MEASURES)

    # measurements alone: the same head, fitted to what is known without any signal, how frequent each finding is
    constant = np.tile(np.clip(known.mean(0), 1e-3, 0.95), (len(known), 1)).astype(np.float32)
    alone = Ensemble(replace(config, members=1))
    alone.measured = MeasuredHead(len(config.measures), config.measure_steps, len(config.findings))
    without_signal = fit_measured(alone, constant, measures, known, parts, seed=0)
    with_both = fit_measured(Ensemble(replace(config, members=1)), held_out, measures, known, parts, seed=0)

    one, bag, both, measured = [], [], [], []
    with torch.inference_mode():
        for ecg, mask, found in loaded(
            test, np.array_split(np.arange(len(test)), -(-len(test) // BATCH)), config.measures
        ):
            features = ensemble.encoder.features(*ensemble.encoder.frames(ecg, mask))
            logits = ensemble.logits(ecg, mask, features)
            one.append(torch.sigmoid(ensemble.encoder.logits(features)))
            bag.append(torch.sigmoid(logits))
            both.append(ensemble.probabilities(logits, found))
            prior = torch.logit(torch.from_numpy(constant[: len(found)]))
            measured.append(alone.probabilities(prior, found))

    print("| finding probabilities from | macro AUROC | abnormal AUROC | F1 | threshold |\n|---|---|---|---|---|")
    steps = {
        "the signal, one encoder": (one, held_out),
        f"the signal, {config.members} encoders": (bag, held_out),
        "measurements alone": (measured, without_signal),
        f"measurements and {config.members} encoders": (both, with_both),
    }
    there = wanted > PRESENT
    frequent = [n for n in range(there.shape[1]) if MIN_CASES <= there[:, n].sum() <= len(there) - MIN_CASES]
    for name, (given, as_held_out) in steps.items():
        given = torch.cat(given)
        threshold = best_threshold(as_held_out, known)
        found = given.numpy() >= threshold
        f1 = 2 * (found & there).sum() / (found.sum() + there.sum())
        macro = np.mean([roc_auc_score(there[:, n], given[:, n]) for n in frequent])
        normal = abnormal_auroc(abnormality(config.findings, given), test.texts, test.patients)
        low, high = normal.ci95
        print(f"| {name} | {macro:.3f} | {normal.value:.3f} [{low:.3f}, {high:.3f}] | {f1:.3f} | {threshold:.2f} |")
    print(f"\n{len(test)} recordings; macro: {len(frequent)} findings with {MIN_CASES} or more cases")


if __name__ == "__main__":
    main(*sys.argv[1:])
