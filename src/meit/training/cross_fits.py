"""The trained encoder, and what encoders that had not seen a training recording say of it; kept in the run's folder.

An encoder is too sure of the recordings it was trained on. Were the language model tuned on those probabilities, it
would trust them at test time, when they are worse. So cross_fits further encoders each leave out a part of the folds,
and predict it; where the recipe bags, they join the encoder (Breiman, 1996).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

from meit.atomic import atomic_path
from meit.data.batches import EcgSet
from meit.ecg.measure.measured_inputs import n_numbers
from meit.errors import ModelError
from meit.model.devices import Place
from meit.model.encoders.encoder import FINDINGS, EcgEncoder, EncoderConfig
from meit.model.encoders.encoding import loaded
from meit.model.encoders.findings import BeatEncoder, Ensemble, MeasuredHead
from meit.training.pretraining import MIX_UP, pretrain, pretrain_beats
from meit.training.recipe import Recipe

ENCODER, WITHOUT = "encoder.safetensors", "encoder-without-{}.safetensors"
BEATS, BEATS_WITHOUT = "beats.safetensors", "beats-without-{}.safetensors"
HELD_OUT, HELD_OUT_TOKENS, MEASURES = "held_out.npy", "held_out_tokens.npy", "measures.npy"
EPOCHS, BATCH, RATE, DECAY = 60, 64, 6e-3, 0.1  # of the measured head; chosen on fold 9 among a few (docs/results.md)


Network = TypeVar("Network", EcgEncoder, BeatEncoder)


@dataclass(frozen=True)
class Trained:
    """What reads the ECG; and for each training recording what one gives that did not see it: probabilities (N, F), and
    tokens (N, S, F) where these are findings."""

    ensemble: Ensemble
    held_out: np.ndarray
    tokens: np.ndarray | None = None


@dataclass(frozen=True)
class _Fits:
    """What the networks of a run are trained on. targets: (N, F) in 0..1. measures: (N, K) of the recordings."""

    recipe: Recipe
    config: EncoderConfig
    train: EcgSet
    targets: np.ndarray
    measures: np.ndarray
    folder: Path
    place: Place

    def signal(self, seen: np.ndarray, number: int) -> EcgEncoder:
        """A network of the signal, trained on the recordings that are `seen` (N,); number 0 is the encoder, others left
        out a part."""

        def fit() -> EcgEncoder:
            self.train.store_inputs()
            chosen, label = np.flatnonzero(seen), self._label("encoder", number)
            return pretrain(self.config, self.train, chosen, self.targets[seen], label=label, **self._settings(number))

        path = self.folder / (WITHOUT.format(number) if number else ENCODER)
        return _kept(path, lambda: EcgEncoder(self.config), fit, self.place)

    def beats(self, seen: np.ndarray, number: int) -> BeatEncoder:
        """As `signal`, of the median beat."""

        def fit() -> BeatEncoder:
            columns = self.measures[seen][:, n_numbers(self.config.measures) :]
            label = self._label("encoder of beats", number)
            return pretrain_beats(columns, self.targets[seen], label=label, **self._settings(number))

        path = self.folder / (BEATS_WITHOUT.format(number) if number else BEATS)
        return _kept(path, lambda: BeatEncoder(self.targets.shape[1]), fit, self.place)

    def _settings(self, number: int) -> dict[str, Any]:
        recipe = self.recipe
        return {
            "epochs": recipe.pretrain_epochs,
            "batch_size": recipe.pretrain_batch_size,
            "learning_rate": recipe.pretrain_learning_rate,
            "seed": recipe.seed + number,
            "place": self.place,
        }

    def _label(self, what: str, number: int) -> str:
        return f"{what} without part {number} of {self.recipe.cross_fits}" if number else what


def trained_encoder(
    recipe: Recipe, config: EncoderConfig, train: EcgSet, targets: np.ndarray, folder: Path, place: Place
) -> Trained:
    """Trained on the signal and on median beats; then, where the recipe says so, measurements are taken into account.

    targets: (N, F) in 0..1. Finished parts are read back from `folder`. Without pre-training the encoder is an untrained
    one, which finds nothing. The networks are trained on `place`, and lie there afterwards.
    """
    if not recipe.pretrain_epochs:
        torch.manual_seed(recipe.seed)
        return Trained(Ensemble(config).to(place.device).eval(), np.zeros((len(train), 0), np.float32))
    measures = (
        measures_of(train, config, folder / MEASURES) if config.measures else np.zeros((len(train), 0), np.float32)
    )
    folds = np.array(train.column("fold"))
    fits = _Fits(recipe, config, train, targets, measures, folder, place)
    ensemble, held_out, tokens = _networks(fits, folds)
    if config.measures:
        values = measures[:, : n_numbers(config.measures)]
        held_out = fit_measured(ensemble, held_out, values, targets, folds % recipe.cross_fits, recipe.seed)
    return Trained(ensemble.to(place.device).eval(), held_out, tokens)


def made_in(folder: Path) -> list[Path]:
    """What a run keeps of its encoders, as far as it is there."""
    names = ("encoder*.safetensors", "beats*.safetensors", HELD_OUT, HELD_OUT_TOKENS, MEASURES)
    return sorted(path for name in names for path in folder.glob(name))


def _networks(fits: _Fits, folds: np.ndarray) -> tuple[Ensemble, np.ndarray, np.ndarray | None]:
    """The encoder with its members, and what they give where they were held out: probabilities (N, F) by the networks
    alone, and tokens (N, S, F) where these are findings."""
    recipe, config = fits.recipe, fits.config
    ensemble = Ensemble(config)
    everything = np.ones(len(fits.targets), bool)
    ensemble.encoder.load_state_dict(fits.signal(everything, 0).state_dict())
    if ensemble.beats:
        ensemble.beats[0].load_state_dict(fits.beats(everything, 0).state_dict())
    paths = [fits.folder / HELD_OUT] + [fits.folder / HELD_OUT_TOKENS] * (config.tokens_of == FINDINGS)
    there = all(path.exists() for path in paths)
    shapes = [fits.targets.shape, (len(folds), config.n_tokens, config.token_width)]
    kept = [np.load(p) if there else np.zeros(shape, np.float32) for p, shape in zip(paths, shapes, strict=False)]
    for part in range(recipe.cross_fits):
        inside = folds % recipe.cross_fits == part
        if not ensemble.others and (there or not inside.any()):
            continue
        seen = everything if inside.all() else ~inside  # too few folds to leave one out
        network = fits.signal(seen, part + 1)
        beats = fits.beats(seen, part + 1) if ensemble.beats else None
        if ensemble.others:
            ensemble.others[part].load_state_dict(network.state_dict())
        if ensemble.others and beats is not None:
            ensemble.beats[part + 1].load_state_dict(beats.state_dict())
        if inside.any() and not there:
            single = Ensemble(replace(config, members=1, beats=int(beats is not None)))
            single.encoder, single.measured = network, None
            if beats is not None:
                single.beats[0] = beats
            found = _held_out(single.to(fits.place.device), fits, np.flatnonzero(inside))
            for array, values in zip(kept, found, strict=False):
                array[inside] = values
    if not there:
        for path, array in zip(paths, kept, strict=True):
            with atomic_path(path) as temporary:
                np.save(temporary, array)
    return ensemble.eval(), kept[0], kept[1] if len(kept) > 1 else None


def _held_out(single: Ensemble, fits: _Fits, chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities and tokens by the networks alone, of what was measured already."""
    single.eval()
    probabilities, tokens = [], []
    batches = np.array_split(chosen, math.ceil(len(chosen) / BATCH))
    device = fits.place.device
    with torch.inference_mode():
        for batch, (ecg, mask, _) in zip(batches, loaded(fits.train, batches), strict=True):
            measures = torch.from_numpy(fits.measures[batch]).to(device) if fits.config.beats else None
            found = single.encode(ecg.to(device), mask.to(device), measures)
            probabilities.append(found.probabilities.cpu())
            tokens.append(found.tokens.cpu())
    return torch.cat(probabilities).numpy(), torch.cat(tokens).numpy()


def _kept(path: Path, build: Callable[[], Network], fit: Callable[[], Network], place: Place) -> Network:
    """The network of that file, or the fitted one, which is kept there."""
    from safetensors.torch import load_file, save_file

    if path.exists():
        network = build()
        network.load_state_dict(load_file(path))
        return network.to(place.device).eval()
    network = fit()
    with atomic_path(path) as temporary:
        save_file({key: value.cpu() for key, value in network.state_dict().items()}, temporary)
    return network


def measures_of(data: EcgSet, config: EncoderConfig, kept: Path) -> np.ndarray:
    """(N, K) of every recording of a set; read back from a file once it is there."""
    if kept.exists():
        return np.load(kept)
    batches = np.array_split(np.arange(len(data)), math.ceil(len(data) / BATCH))
    bar = tqdm(loaded(data, batches, config), total=len(batches), desc="measuring", unit="batch")
    values = np.concatenate([measures.numpy() for _, _, measures in bar])
    with atomic_path(kept) as temporary:
        np.save(temporary, values)
    return values


def fit_measured(
    ensemble: Ensemble, held_out: np.ndarray, measures: np.ndarray, targets: np.ndarray, parts: np.ndarray, seed: int
) -> np.ndarray:
    """Fits ensemble.measured (meit.model.encoders.findings) to what encoders gave for recordings they had not seen.

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
            better[:] = torch.sigmoid(ensemble.measured(values, logits)).detach().numpy()
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
