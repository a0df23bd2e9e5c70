"""What each of the networks that find brings on fold 9, whose recordings none of them has seen.

    python benchmarks/ladder.py RUN DATA...      (the folder of a finished `meit train` with bagged and measured; prepared folders)

F1: of all findings of all recordings, those with a probability above the threshold that was best for the training
recordings as networks of signal and beat saw them that were not trained on them.
"""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from sklearn.metrics import roc_auc_score

from meit.benchmark.finding_scores import abnormal_auroc, abnormality
from meit.data.splits import SPLITS
from meit.ecg.measure.measured_inputs import n_numbers
from meit.model.encoders.encoding import loaded, recordings_for
from meit.model.encoders.findings import BeatEncoder, Ensemble
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
    parts = np.array(train.column("fold")) % (config.members - 1)
    held_out, measures = np.load(run / HELD_OUT), np.load(run / MEASURES)[:, : n_numbers(config.measures)]

    # measurements alone: the same head, fitted to what is known without any signal, how frequent each finding is
    constant = np.tile(np.clip(known.mean(0), 1e-3, 0.95), (len(known), 1)).astype(np.float32)
    alone = Ensemble(replace(config, members=1, beats=0))
    without_signal = fit_measured(alone, constant, measures, known, parts, seed=0)
    with_both = fit_measured(Ensemble(replace(config, members=1, beats=0)), held_out, measures, known, parts, seed=0)

    found: dict[str, list[torch.Tensor]] = {name: [] for name in ("one", "signal", "beats", "networks", "all", "alone")}
    batches = np.array_split(np.arange(len(test)), -(-len(test) // BATCH))
    prior = torch.logit(torch.from_numpy(constant[:1]))
    with torch.inference_mode():
        for ecg, mask, given in loaded(test, batches, config):
            logits = [network.find(ecg, mask) for network in (ensemble.encoder, *ensemble.others)]
            joined = ensemble.joined(logits, given)
            columns = given[:, n_numbers(config.measures) :]
            of_beats = [network.find(*BeatEncoder.inputs(columns)) for network in ensemble.beats]
            found["one"].append(torch.sigmoid(logits[0]))
            found["signal"].append(torch.sigmoid(torch.stack(logits).mean(0)))
            found["beats"].append(torch.sigmoid(torch.stack(of_beats).mean(0)) if of_beats else torch.sigmoid(joined))
            found["networks"].append(torch.sigmoid(joined))
            found["all"].append(ensemble.probabilities(joined, given))
            found["alone"].append(alone.probabilities(prior.expand(len(given), -1), given))

    print("| finding probabilities from | macro AUROC | abnormal AUROC | F1 | threshold |\n|---|---|---|---|---|")
    steps = {
        "the signal, one network": (found["one"], held_out),
        f"the signal, {config.members} networks": (found["signal"], held_out),
        f"the median beat, {config.beats} networks": (found["beats"], held_out),
        "signal and median beat": (found["networks"], held_out),
        "measurements alone": (found["alone"], without_signal),
        "all of these": (found["all"], with_both),
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
