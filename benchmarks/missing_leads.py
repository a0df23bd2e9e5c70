"""What the shipped encoder loses when a chest lead is missing: macro AUROC on the validation fold.

python benchmarks/missing_leads.py DATA...      (prepared folders)
"""

import sys

import numpy as np
from scipy.stats import rankdata

from meit.data.batches import EcgSet
from meit.data.splits import SPLITS
from meit.ecg.recording import CHEST_LEADS, LEADS
from meit.model import default_model
from meit.model.encoders.encoding import encode_all, recordings_for
from meit.model.report_model import load_model
from meit.training.targets import PRESENT, finding_targets

MIN_CASES = 8


def auroc(present: np.ndarray, scores: np.ndarray) -> float:
    """Area under the ROC curve by ranks (Mann-Whitney)."""
    n, rest = present.sum(), (~present).sum()
    return (rankdata(scores)[present].sum() - n * (n + 1) / 2) / (n * rest)


class Without:
    """The recordings of a set without one lead."""

    keeps_inputs = True

    def __init__(self, data: EcgSet, lead: str | None):
        self.data, self.rate, self.columns = data, data.rate, [LEADS.index(lead)] if lead else []

    def __len__(self) -> int:
        return len(self.data)

    def inputs(self, indices):
        ecgs, masks = self.data.inputs(indices)
        ecgs[:, :, self.columns] = 0
        return ecgs, masks


def main() -> None:
    model = load_model(default_model())
    config = model.spec.encoder
    data = recordings_for(config, sys.argv[1:], SPLITS["validation"])
    targets = np.stack([finding_targets(report, config) for report in data.reports]) > PRESENT
    findings = [i for i in range(targets.shape[1]) if targets[:, i].sum() >= MIN_CASES]
    print(f"{len(data)} recordings, {len(findings)} findings with {MIN_CASES} or more cases\n")
    print("| missing | macro AUROC |\n|---|---|")
    for lead in (None, *CHEST_LEADS):
        scores = encode_all(model.ensemble, Without(data, lead))[0].numpy()
        print(f"| {lead or 'none'} | {np.mean([auroc(targets[:, i], scores[:, i]) for i in findings]):.3f} |")


if __name__ == "__main__":
    main()
