"""The trained encoder, and what encoders that had not seen a training recording say of it; kept in the run's folder.

An encoder is too sure of the recordings it was trained on. Were the language model tuned on those probabilities, it
would trust them at test time, when they are worse. So cross_fits further encoders each leave out a part of the folds,
and predict it; where the recipe bags, they join the encoder (Breiman, 1996).
"""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

from meit.atomic import atomic_path
from meit.data.batches import EcgSet
from meit.errors import ModelError
from meit.model.devices import Place
from meit.model.encoder import EcgEncoder, EncoderConfig
from meit.model.encoding import encode_all, loaded
from meit.model.findings import Ensemble, MeasuredHead
from meit.training.pretraining import MIX_UP, pretrain
from meit.training.recipe import Recipe

ENCODER, WITHOUT = "encoder.safetensors", "encoder-without-{}.safetensors"
HELD_OUT, MEASURES = "held_out.npy", "measures.npy"
EPOCHS, BATCH, RATE, DECAY = 60, 64, 6e-3, 0.1  # of the measured head; chosen on fold 9 among a few (docs/results.md)


@dataclass(frozen=True)
class Trained:
    """What reads the ECG, and for each training recording the probabilities (N, F) of one that did not see it."""

    ensemble: Ensemble
    held_out: np.ndarray


def trained_encoder(
    recipe: Recipe, config: EncoderConfig, train: EcgSet, targets: np.ndarray, folder: Path, place: Place
) -> Trained:
    """Trained on the signal alone; then, where the recipe says so, measurements are taken into account.

    targets: (N, F) in 0..1. Finished parts are read back from `folder`. Without pre-training the encoder is an untrained
    one, which finds nothing. The networks are trained on `place`, and lie there afterwards.
    """
    if not recipe.pretrain_epochs:
        torch.manual_seed(recipe.seed)
        return Trained(Ensemble(config).to(place.device).eval(), np.zeros((len(train), 0), np.float32))
    folds = np.array(train.column("fold"))
    ensemble, held_out = _by_signal(recipe, config, train, targets, folds, folder, place)
    if config.measures:
        measures = measures_of(train, config.measures, folder / MEASURES)
        held_out = fit_measured(ensemble, held_out, measures, targets, folds % recipe.cross_fits, recipe.seed)
    return Trained(ensemble.to(place.device).eval(), held_out)


def made_in(folder: Path) -> list[Path]:
    """What a run keeps of its encoders, as far as it is there."""
    return sorted(path for name in ("encoder*.safetensors", HELD_OUT, MEASURES) for path in folder.glob(name))


def _by_signal(
    recipe: Recipe,
    config: EncoderConfig,
    train: EcgSet,
    targets: np.ndarray,
    folds: np.ndarray,
    folder: Path,
    place: Place,
) -> tuple[Ensemble, np.ndarray]:
    """The encoder with its members, and the held-out probabilities (N, F), by the signal alone."""
    ensemble = Ensemble(config)
    everything = np.ones(len(targets), bool)
    first = _fitted(recipe, config, train, targets, everything, 0, folder, place)
    ensemble.encoder.load_state_dict(first.state_dict())
    kept = folder / HELD_OUT
    if kept.exists() and not ensemble.others:
        return ensemble.eval(), np.load(kept)
    held_out = np.zeros_like(targets)
    for part in range(recipe.cross_fits):
        inside = folds % recipe.cross_fits == part
        if not inside.any() and not ensemble.others:
            continue
        seen = everything if inside.all() else ~inside  # too few folds to leave one out
        other = _fitted(recipe, config, train, targets, seen, part + 1, folder, place)
        if ensemble.others:
            ensemble.others[part].load_state_dict(other.state_dict())
        if inside.any() and not kept.exists():
            held_out[inside] = encode_all(other, train, np.flatnonzero(inside)).probabilities.numpy()
    if not kept.exists():
        with atomic_path(kept) as temporary:
            np.save(temporary, held_out)
    return ensemble.eval(), np.load(kept)


def _fitted(
    recipe: Recipe,
    config: EncoderConfig,
    train: EcgSet,
    targets: np.ndarray,
    seen: np.ndarray,
    number: int,
    folder: Path,
    place: Place,
) -> EcgEncoder:
    """One network, trained on the recordings that are `seen` (N,); number: 0 is the encoder, others left a part out."""
    from safetensors.torch import load_file, save_file

    path = folder / (WITHOUT.format(number) if number else ENCODER)
    if path.exists():
        encoder = EcgEncoder(config)
        encoder.load_state_dict(load_file(path))
        return encoder.to(place.device).eval()
    train.store_inputs()
    encoder = pretrain(
        config,
        train,
        np.flatnonzero(seen),
        targets[seen],
        epochs=recipe.pretrain_epochs,
        batch_size=recipe.pretrain_batch_size,
        learning_rate=recipe.pretrain_learning_rate,
        seed=recipe.seed + number,
        place=place,
        label=f"encoder without part {number} of {recipe.cross_fits}" if number else "encoder",
    )
    with atomic_path(path) as temporary:
        save_file({key: value.cpu() for key, value in encoder.state_dict().items()}, temporary)
    return encoder


def measures_of(data: EcgSet, names: tuple[str, ...], kept: Path) -> np.ndarray:
    """(N, K) of every recording of a set; read back from a file once it is there."""
    if kept.exists():
        return np.load(kept)
    batches = np.array_split(np.arange(len(data)), math.ceil(len(data) / BATCH))
    bar = tqdm(loaded(data, batches, names), total=len(batches), desc="measuring", unit="batch")
    values = np.concatenate([measures.numpy() for _, _, measures in bar])
    with atomic_path(kept) as temporary:
        np.save(temporary, values)
    return values


def fit_measured(
    ensemble: Ensemble, held_out: np.ndarray, measures: np.ndarray, targets: np.ndarray, parts: np.ndarray, seed: int
) -> np.ndarray:
    """Fits ensemble.measured (meit.model.findings) to what encoders gave for recordings they had not seen.

    held_out, targets: (N, F) probabilities in 0..1; measures: (N, K). parts: (N,) which part each recording belongs
    to; for each part another head is fitted to the others and predicts it. Returns the held-out probabilities (N, F)
    with measurements taken into account.
    """
    if ensemble.measured is None:
        raise ModelError("an ensemble without measurements has no head to fit to them")
    logits = torch.logit(torch.from_numpy(held_out).float(), eps=1e-4)
    values, wanted = torch.from_numpy(measures), torch.from_numpy(targets)
    _fit(ensemble.measured, values, logits, wanted, seed)
    better = np.array(held_out, np.float32)
    for part in np.unique(parts):
        inside = torch.from_numpy(parts == part)
        if inside.all():
            better[:] = ensemble.probabilities(logits, values).detach().numpy()
            break
        other = MeasuredHead(measures.shape[1], ensemble.config.measure_steps, targets.shape[1])
        _fit(other, values[~inside], logits[~inside], wanted[~inside], seed + 1)
        with torch.no_grad():
            better[inside.numpy()] = torch.sigmoid(other(values[inside], logits[inside])).numpy()
    return better


def _fit(head: MeasuredHead, measures: Tensor, logits: Tensor, targets: Tensor, seed: int) -> None:
    """Binary cross-entropy with mix-up, AdamW, one cycle of the learning rate."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    head.set_edges(measures.numpy())
    inputs = head.inputs(measures, logits)
    steps = math.ceil(len(inputs) / BATCH)
    optimiser = torch.optim.AdamW(head.weights.parameters(), lr=RATE / 3, weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=EPOCHS * steps)
    head.train()
    for _ in range(EPOCHS):
        for batch in np.array_split(rng.permutation(len(inputs)), steps):
            first, second = torch.from_numpy(batch), torch.from_numpy(rng.permutation(batch))
            share = float(rng.beta(MIX_UP, MIX_UP))
            mixed, before, wanted = (
                share * values[first] + (1 - share) * values[second] for values in (inputs, logits, targets)
            )
            after = before + head.weights(head.dropout(mixed))
            loss = nn.functional.binary_cross_entropy_with_logits(after, wanted)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
    head.eval()
