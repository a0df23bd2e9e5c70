"""What the language model is tuned on: the encoder's view of each training recording, kept in the run's folder."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from meit.data.batches import EcgSet
from meit.files import atomic_path
from meit.model.encoder import EcgEncoder, EncoderConfig
from meit.training.loader import loaded
from meit.training.measures import MEASURES, fit_measured, measures_of
from meit.training.pretrain import pretrain
from meit.training.recipe import Recipe
from meit.training.targets import PRESENT, targets_of

ENCODER, HELD_OUT = "encoder.safetensors", "held_out.npy"


def trained_encoder(recipe: Recipe, config: EncoderConfig, train: EcgSet, out: Path) -> tuple[EcgEncoder, np.ndarray]:
    """The encoder, and for each training recording the finding probabilities (N, F) of one that did not see it.

    Trained on the signal alone (`_by_signal`); then, where the recipe says so, measurements are taken into account.
    """
    by_signal, held_out = _by_signal(recipe, replace(config, measures=()), train, out)
    if not config.measures:
        return by_signal, held_out
    encoder = EcgEncoder(config)
    encoder.load_state_dict(by_signal.state_dict(), strict=False)
    targets = targets_of(train.reports, config)
    parts = np.array(train.column("fold")) % recipe.cross_fits
    held_out = fit_measured(encoder, held_out, measures_of(train, config.measures, out / MEASURES), targets, parts, recipe.seed)
    return encoder.eval(), held_out


def _by_signal(recipe: Recipe, config: EncoderConfig, train: EcgSet, out: Path) -> tuple[EcgEncoder, np.ndarray]:
    """The same by the signal alone.

    An encoder is too sure of the recordings it was trained on. Were the language model tuned on those
    probabilities, it would trust them at test time, when they are worse. So cross_fits further encoders each leave
    out a part of the folds, and predict it. Finished parts are read back from `out`. Without pre-training both are
    what an untrained encoder gives.
    """
    from safetensors.torch import load_file, save_file

    if not recipe.pretrain_epochs:
        torch.manual_seed(recipe.seed)
        encoder = EcgEncoder(config).eval()
        if recipe.tune_encoder and not recipe.text_steps:  # nobody asks what it gives now
            return encoder, np.zeros((len(train), len(config.findings)), np.float32)
        return encoder, encode_all(encoder, train)[0].numpy()
    targets = targets_of(train.reports, config)
    folds = np.array(train.column("fold"))

    def fit(chosen: np.ndarray, seed: int, label: str) -> EcgEncoder:
        return pretrain(
            config,
            train,
            np.flatnonzero(chosen),
            targets[chosen],
            epochs=recipe.pretrain_epochs,
            batch_size=recipe.pretrain_batch_size,
            learning_rate=recipe.pretrain_learning_rate,
            seed=seed,
            label=label,
        )

    if (out / ENCODER).exists():
        encoder = EcgEncoder(config)
        encoder.load_state_dict(load_file(out / ENCODER))
    else:
        encoder = fit(np.ones(len(folds), bool), recipe.seed, "encoder")
        with atomic_path(out / ENCODER) as temporary:
            save_file(encoder.state_dict(), temporary)
    if (out / HELD_OUT).exists():
        return encoder.eval(), np.load(out / HELD_OUT)
    held_out = np.zeros_like(targets)
    for part in range(recipe.cross_fits):
        out_of_it = folds % recipe.cross_fits == part
        if not out_of_it.any() or out_of_it.all():
            held_out = encode_all(encoder, train)[0].numpy()  # too few folds to leave one out
            break
        other = fit(~out_of_it, recipe.seed + 1 + part, f"encoder without part {part + 1} of {recipe.cross_fits}")
        held_out[out_of_it] = encode_all(other, train, np.flatnonzero(out_of_it))[0].numpy()
    with atomic_path(out / HELD_OUT) as temporary:
        np.save(temporary, held_out)
    return encoder.eval(), held_out


def best_threshold(held_out: np.ndarray, targets: np.ndarray) -> float:
    """Of probabilities and targets (N, F): from where on to call a finding present, for the best F1 over all of them."""
    there = targets > PRESENT
    found = {t: held_out >= t for t in np.linspace(0.1, 0.6, 51)}
    return float(max(found, key=lambda t: (found[t] & there).sum() / max(found[t].sum() + there.sum(), 1)))


def as_if_recorded(targets: np.ndarray, known: np.ndarray, held_out: np.ndarray, rng) -> np.ndarray:
    """targets (N, F) of reports without recordings -> finding probabilities (N, F) as an encoder might have given.

    Each report borrows the held-out probabilities (M, F) of a recording whose targets, known (M, F), differ in the
    fewest findings; where they differ, those of any recording that agrees in that finding. So the language model
    learns from text alone how far such probabilities can be trusted.
    """
    wanted, had = (array > PRESENT for array in (targets, known))
    w, h = wanted.astype(np.float32), had.astype(np.float32)
    differing = w.sum(1)[:, None] + h.sum(1)[None] - 2 * w @ h.T
    nearest = np.argmin(differing + rng.random(differing.shape, dtype=np.float32) / 2, axis=1)
    given = held_out[nearest].astype(np.float32)
    for finding in range(given.shape[1]):
        for value in (False, True):
            pool = held_out[had[:, finding] == value, finding]
            rows = np.flatnonzero((wanted[:, finding] == value) & (had[nearest, finding] != value))
            if len(pool):
                given[rows, finding] = rng.choice(pool, len(rows))
    return given


@torch.inference_mode()
def encode_all(
    encoder: EcgEncoder, data: EcgSet, chosen: np.ndarray | None = None, batch_size: int = 64, by_signal: bool = False
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Finding probabilities (N, F), tokens (N, S, width) and retrieval features (N, 2 * width) of a set's recordings.

    chosen: indices (N,) of some of them; by default all. by_signal: nothing is measured, which takes a tenth of a second
    a recording; the probabilities are then those of the signal alone.
    """
    encoder.eval()
    chosen = np.arange(len(data)) if chosen is None else chosen
    batches = [chosen[start : start + batch_size] for start in range(0, len(chosen), batch_size)]
    parts = []
    for ecg, mask, measures in loaded(data, batches, () if by_signal else encoder.config.measures):
        frames, recorded = encoder.frames(ecg, mask)
        features = encoder.features(frames, recorded)
        logits = encoder.findings(features)
        probabilities = torch.sigmoid(logits) if by_signal else encoder.probabilities(logits, measures)
        parts.append((probabilities, encoder.tokens(frames, recorded), features))
    probabilities, tokens, features = (torch.cat(part) for part in zip(*parts, strict=True))
    return probabilities, tokens, features
