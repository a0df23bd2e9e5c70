"""Fits the weights that tell exchanged electrodes: src/meit/ecg/quality/swaps.tsv (see meit.ecg.quality.swaps).

    python benchmarks/fit_swaps.py data/ptb-xl data/ptb-xl-zscored --half data/mimic [--out FILE]

Prepared folders: of the first ones folds 1-8 are used, of those after --half folds 1-5, so that half of their patients
are left for testing. Each recording stands there once as it is and once with each pair of electrodes exchanged.
Prints, by two-fold cross-fitting, the share found at the thresholds of LEAST_ODDS and the false alarms. Two minutes.
"""

import argparse
from pathlib import Path

import numpy as np
import torch

from meit.data.batches import EcgSet
from meit.data.splits import SPLITS
from meit.ecg.noise import limb_scale, swap_electrodes
from meit.ecg.quality import swaps
from meit.ecg.quality.excerpt import BAND_RATE, Excerpt, steep_places, usual_range
from meit.ecg.signal.normalising import band_pass
from meit.ecg.signal.resampling import bridge_leads, resample

HALF = tuple(range(1, 6))
PENALTY = 3e-4
CLASSES = (swaps.NONE, *swaps.LEAST_ODDS)


def beat_of(signal: np.ndarray, rate: float, unit: str) -> np.ndarray | None:
    """The median beat of a prepared recording; z-scored limb leads are brought to one scale."""
    filled = bridge_leads(signal, np.isfinite(signal))
    band = (
        filled * limb_scale(signal)
        if unit == "z"
        else band_pass(resample(filled, rate, BAND_RATE).astype(float), BAND_RATE)
    )
    band = band[: round(10 * BAND_RATE)]
    size = usual_range(band)
    beats, clear = steep_places(band)
    return swaps.beat_of(Excerpt(BAND_RATE, band, band, size > 0, size, beats, clear))


def fit(rows: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """(N, F) scaled features by class -> weights (F, C) and bias (C,); none weighs as much as all others together."""
    values = torch.tensor(np.concatenate([rows[name] for name in CLASSES]), dtype=torch.float32)
    wanted = torch.arange(len(CLASSES)).repeat_interleave(len(rows[swaps.NONE]))
    importance = torch.ones(len(CLASSES))
    importance[0] = len(CLASSES) - 1
    weights = torch.zeros(values.shape[1], len(CLASSES), requires_grad=True)
    bias = torch.zeros(len(CLASSES), requires_grad=True)
    optimiser = torch.optim.LBFGS([weights, bias], max_iter=250, history_size=20, line_search_fn="strong_wolfe")

    def closure():
        optimiser.zero_grad()
        loss = torch.nn.functional.cross_entropy(values @ weights + bias, wanted, weight=importance)
        loss = loss + PENALTY * (weights**2).sum()
        loss.backward()
        return loss

    optimiser.step(closure)
    return weights.detach().numpy(), bias.detach().numpy()


def alarms(scores: np.ndarray) -> list[str | None]:
    """(N, C) log odds against none -> what is named."""
    best = scores.argmax(axis=1)
    least = np.array([np.inf, *swaps.LEAST_ODDS.values()])
    return [CLASSES[k] if row[k] >= least[k] else None for row, k in zip(scores, best, strict=True)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="+", type=Path)
    parser.add_argument("--half", nargs="*", type=Path, default=[])
    parser.add_argument("--out", type=Path, default=Path(swaps.__file__).with_name("swaps.tsv"))
    args = parser.parse_args()
    beats = []
    for folders, folds in ((args.data, SPLITS["train"]), (args.half, HALF)):
        if folders:
            data = EcgSet(folders, folds, BAND_RATE, 10.0)
            beats += [beat_of(*data.signals([i])[0]) for i in range(len(data))]
    beats = [beat for beat in beats if beat is not None]
    made = {
        name: np.stack(
            [
                swaps.features(beat if name == swaps.NONE else swap_electrodes(beat, BAND_RATE, name, None))
                for beat in beats
            ]
        )
        for name in CLASSES
    }
    mean, scale = made[swaps.NONE].mean(axis=0), made[swaps.NONE].std(axis=0) + 1e-3
    rows = {name: (values - mean) / scale for name, values in made.items()}
    part = np.random.default_rng(0).permutation(len(beats)) % 2
    scores = {name: np.zeros((len(beats), len(CLASSES))) for name in CLASSES}
    for held_out in (0, 1):
        weights, bias = fit({name: values[part != held_out] for name, values in rows.items()})
        for name, values in rows.items():
            given = values[part == held_out] @ weights + bias
            scores[name][part == held_out] = given - given[:, :1]
    print(
        f"{len(beats)} recordings\n\n| exchanged | named rightly | another one named | false alarms |\n|---|---|---|---|"
    )
    clean = alarms(scores[swaps.NONE])
    for name in CLASSES[1:]:
        found = alarms(scores[name])
        right, other = (np.mean([one == name for one in found]), np.mean([one not in (name, None) for one in found]))
        print(f"| {name} | {right:.1%} | {other:.1%} | {np.mean([one == name for one in clean]):.2%} |")
    weights, bias = fit(rows)
    lines = [
        "\t".join(("feature", "mean", "scale", *CLASSES)),
        "\t".join(("bias", "", "", *(f"{x:.4g}" for x in bias))),
    ]
    for name, *numbers in zip(swaps.FEATURES, mean, scale, *weights.T, strict=True):
        lines.append("\t".join((name, *(f"{x:.4g}" for x in numbers))))
    args.out.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
