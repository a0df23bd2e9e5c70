"""What the language model is tuned on: the encoder's view of each training recording, kept in the run's folder."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from meit.atomic import atomic_path
from meit.data.batches import EcgSet
from meit.model.encoder import EcgEncoder, EncoderConfig
from meit.training.loader import loaded
from meit.training.measures import MEASURES, fit_measured, measures_of
from meit.training.pretrain import pretrain
from meit.training.recipe import Recipe
from meit.training.targets import PRESENT, targets_of

ENCODER, WITHOUT, HELD_OUT = "encoder.safetensors", "encoder-without-{}.safetensors", "held_out.npy"


def trained_encoder(recipe: Recipe, config: EncoderConfig, train: EcgSet, out: Path) -> tuple[EcgEncoder, np.ndarray]:
    """The encoder, and for each training recording the finding probabilities (N, F) of one that did not see it.

    Trained on the signal alone (`_by_signal`); then, where the recipe says so, measurements are taken into account.
    """
    encoder, held_out = _by_signal(recipe, config, train, out)
    if config.measures:
        targets = targets_of(train.reports, config)
        parts = np.array(train.column("fold")) % recipe.cross_fits
        found = measures_of(train, config.measures, out / MEASURES)
        held_out = fit_measured(encoder, held_out, found, targets, parts, recipe.seed)
    return encoder.eval(), held_out


def _by_signal(recipe: Recipe, config: EncoderConfig, train: EcgSet, out: Path) -> tuple[EcgEncoder, np.ndarray]:
    """The same by the signal alone.

    An encoder is too sure of the recordings it was trained on. Were the language model tuned on those
    probabilities, it would trust them at test time, when they are worse. So cross_fits further encoders each leave
    out a part of the folds, and predict it; where the config has members, they join the encoder (bagging; Breiman,
    1996). Finished parts are read back from `out`. Without pre-training both are what an untrained encoder gives.
    """
    from safetensors.torch import load_file, save_file

    if not recipe.pretrain_epochs:
        torch.manual_seed(recipe.seed)
        encoder = EcgEncoder(config).eval()
        if recipe.tune_encoder and not recipe.text_steps:  # nobody asks what it gives now
            return encoder, np.zeros((len(train), len(config.findings)), np.float32)
        return encoder, encode_all(encoder, train)[0].numpy()
    targets = targets_of(train.reports, config)
    alone = replace(config, measures=(), members=1)

    def fitted(file: str, chosen: np.ndarray, seed: int, label: str) -> EcgEncoder:
        if (out / file).exists():
            encoder = EcgEncoder(alone)
            encoder.load_state_dict(load_file(out / file))
            return encoder.eval()
        encoder = pretrain(
            alone,
            train,
            np.flatnonzero(chosen),
            targets[chosen],
            epochs=recipe.pretrain_epochs,
            batch_size=recipe.pretrain_batch_size,
            learning_rate=recipe.pretrain_learning_rate,
            seed=seed,
            label=label,
        )
        with atomic_path(out / file) as temporary:
            save_file(encoder.state_dict(), temporary)
        return encoder

    encoder = EcgEncoder(config)
    encoder.load_state_dict(
        fitted(ENCODER, np.ones(len(targets), bool), recipe.seed, "encoder").state_dict(), strict=False
    )
    kept = out / HELD_OUT
    if kept.exists() and not encoder.others:
        return encoder.eval(), np.load(kept)
    folds = np.array(train.column("fold"))
    held_out = np.zeros_like(targets)
    for part in range(recipe.cross_fits):
        inside = folds % recipe.cross_fits == part
        if not inside.any() and not encoder.others:
            continue
        seen = np.ones_like(inside) if inside.all() else ~inside  # too few folds to leave one out
        label = f"encoder without part {part + 1} of {recipe.cross_fits}"
        other = fitted(WITHOUT.format(part + 1), seen, recipe.seed + 1 + part, label)
        if encoder.others:
            encoder.others[part].load_state_dict(other.state_dict())
        if inside.any() and not kept.exists():
            held_out[inside] = encode_all(other, train, np.flatnonzero(inside))[0].numpy()
    if not kept.exists():
        with atomic_path(kept) as temporary:
            np.save(temporary, held_out)
    return encoder.eval(), np.load(kept)


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
        logits = encoder.logits(ecg, mask, features)
        probabilities = torch.sigmoid(logits) if by_signal else encoder.probabilities(logits, measures)
        parts.append((probabilities, encoder.tokens(frames, recorded), features))
    probabilities, tokens, features = (torch.cat(part) for part in zip(*parts, strict=True))
    return probabilities, tokens, features
