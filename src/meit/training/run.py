"""`meit train`: encoder on findings, adapter on text alone, on ECGs, on rewards; one run folder, resumed where it stopped.

Under `torchrun --nproc-per-node N -m meit.cli train RECIPE` all stages but the first run on N processes.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import ConcatDataset, Dataset

from meit.atomic import write_json
from meit.data.batches import EcgSet, NoRecordings
from meit.data.shards import read_manifest
from meit.data.splits import SPLITS
from meit.ecg.measure.measured_inputs import MEDIAN_BEAT, RECORDING, measure_names
from meit.errors import ModelError
from meit.model.devices import Place, training_place
from meit.model.encoders.encoder import EcgEncoder, EncoderConfig
from meit.model.encoders.encoding import encode_all, recordings_for, workers
from meit.model.encoders.familiarity import MOST_KEPT, Familiarity, fit_familiarity
from meit.model.language import loading
from meit.model.model_files import TRAINING
from meit.model.prompt import prompt_ids
from meit.model.report_model import ReportModel
from meit.provenance import command, hardware, versions
from meit.training.building import untuned
from meit.training.cross_fits import Trained, made_in, trained_encoder
from meit.training.examples import (
    EncodedView,
    RecordedView,
    View,
    all_prompts,
    ecg_examples,
    joined,
    text_examples,
)
from meit.training.memory import check_fits, outline, weights_memory
from meit.training.preconditions import check
from meit.training.recipe import SHARDED, Recipe
from meit.training.reinforcement.reward_examples import reward_examples
from meit.training.targets import MIN_CASES, best_threshold, finding_names, plans, targets_of
from meit.training.trainer import WHOLE

if TYPE_CHECKING:
    from accelerate import PartialState

MODEL, LOG, RUN = "model", "log", "run.json"
MOST_HELD_OUT = 5_000  # recordings that say how far from the training set is too far
ENCODER_KEYS = (  # what the encoders of a run depend on; the rest of its recipe can be corrected after them
    *("share", "seed", "encoder", "rate", "normalisation", "encoder_tokens"),
    *("pretrain_epochs", "pretrain_learning_rate", "pretrain_batch_size"),
    *("cross_fits", "bagged", "targets", "measured", "beats", "tokens_of"),
)
REWARD_KEYS = ("reward_steps", "reward_samples", "reward_rate", "invented_price", "wording_weight")


@dataclass(frozen=True)
class Run:
    """What every stage needs. targets: (N, F) in 0..1, which findings each training recording has."""

    recipe: Recipe
    processes: "PartialState"
    train: EcgSet
    config: EncoderConfig
    targets: np.ndarray
    place: Place

    @property
    def folder(self) -> Path:
        return self.recipe.folder


def train(recipe: Recipe, device: str = "auto", dtype: str = "auto") -> Path:
    """Runs a recipe, or goes on where it stopped. Returns the folder of the finished model.

    device, dtype: names of meit.model.devices; dtype is what the encoder's layers multiply in while it is pre-trained
    (the recipe's weights and bf16 say it of the language model). Another device may go on with a run. Raises MeitError, before the first second of training for everything that can be known then.
    """
    run = prepare(recipe, training_place(device, dtype))
    check_fits(weights_memory(outline(recipe, run.config), recipe, run.processes.num_processes), run.place.device)
    with run.processes.main_process_first():
        claim(recipe)
    with run.processes.main_process_first():
        trained = trained_encoder(recipe, run.config, run.train, run.targets, run.folder, run.place)
    return tune(run, trained, build(run, trained))


def prepare(recipe: Recipe, place: Place) -> Run:
    """Checks all that the run needs, and reads what is to be learnt."""
    from accelerate import PartialState

    from meit.machine import keep_freed_memory

    # the first process pre-trains the encoder while the others wait, which may take longer than the usual half hour
    on_cpu = place.device.type == "cpu"
    processes = PartialState(cpu=on_cpu, timeout=timedelta(days=1))
    if place.device.type == "cuda":
        torch.cuda.set_device(place.device)  # what takes no device, such as bitsandbytes' loading, means this one
    check(recipe, processes.num_processes)
    if on_cpu:
        keep_freed_memory()
    config = EncoderConfig(
        findings=(),
        shape=recipe.encoder,
        rate=recipe.rate or 0.0,
        normalisation=recipe.normalisation,
        n_tokens=recipe.encoder_tokens,
    )
    data = recordings_for(config, recipe.data, SPLITS["train"], recipe.share)
    if recipe.pretrain_epochs:  # nobody trains another encoder to find
        config = replace(
            config,
            findings=finding_names(data.reports, recipe.targets),
            targets=recipe.targets,
            measures=(*measure_names(), *[MEDIAN_BEAT] * recipe.beats) if recipe.measured else (),
            measured_on=RECORDING,
            members=1 + recipe.cross_fits if recipe.bagged else 1,
            beats=(1 + recipe.cross_fits if recipe.bagged else 1) if recipe.beats else 0,
            tokens_of=recipe.tokens_of,
        )
        if not config.findings:
            raise ModelError(
                f"no finding stands in {MIN_CASES} reports of the training folds: set targets, or pretrain_epochs=0"
            )
    return Run(recipe, processes, data, config, targets_of(data.reports, config), place)


def claim(recipe: Recipe) -> None:
    """Binds the run's folder to its recipe and to what the prepared data hold.

    A recipe that differs from the one before is taken up where nothing that was made depends on what differs: before
    the first encoder everything may, before the first checkpoint all that encoders do not depend on, before the first
    one of drafts that were rewarded how they are. Raises ModelError.
    """
    folder = recipe.folder
    path = folder / RUN
    mine = {"recipe": json.loads(json.dumps(asdict(recipe))), "data": _digests(recipe)}
    encoders = made_in(folder)
    checkpoints = [*folder.glob("checkpoint-*/whole"), *folder.glob(f"{MODEL}/*")]
    if encoders or checkpoints:
        try:
            before = json.loads(path.read_text())
            recipe_before, data_before = before["recipe"], list(before["data"].values())
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            raise ModelError(
                f"{folder} holds {(encoders or checkpoints)[0].name}, but no {RUN} that says of which recipe and data: "
                "copy that along with it, or name another folder with out=..."
            ) from None
        if data_before != list(mine["data"].values()):
            raise ModelError(
                f"{folder} holds a run on other data than {', '.join(recipe.data)} hold now: name another folder with "
                "out=..., or remove it"
            )
        bound = set(mine["recipe"]) - {"data", "out"} if checkpoints else set(ENCODER_KEYS)
        if not any(path.name == WHOLE and path.read_text() for path in checkpoints):
            bound -= set(REWARD_KEYS)
        differing = sorted(key for key in bound if recipe_before.get(key) != mine["recipe"][key])
        if differing:
            changes = (f"{key} was {recipe_before.get(key)!r}, is {mine['recipe'][key]!r}" for key in differing)
            raise ModelError(
                f"{folder} holds a run of another recipe ({'; '.join(changes)}): name another folder with out=..., or "
                "remove it"
            )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_json(path, mine)
    except OSError as error:
        raise ModelError(f"{folder} cannot be written to: {error.strerror}") from None


def _digests(recipe: Recipe) -> dict[str, str]:
    """Of each prepared folder: SHA-256 over the SHA-256 of its files."""
    sums = {folder: read_manifest(Path(folder))["sha256"] for folder in recipe.data}
    return {
        folder: hashlib.sha256(json.dumps(files, sort_keys=True).encode()).hexdigest() for folder, files in sums.items()
    }


def build(run: Run, trained: Trained) -> ReportModel:
    """The untuned model around a trained encoder, its backbone frozen and wrapped with LoRA; the same when resumed."""
    recipe = run.recipe
    torch.manual_seed(recipe.seed)
    backbone, tokenizer = loading.load(recipe.backbone, recipe.weights)
    model = untuned(
        recipe,
        run.config,
        backbone,
        tokenizer,
        plan=best_threshold(trained.held_out, run.targets) if recipe.plan else 0.0,
        fingerprints=(loading.fingerprint(backbone), loading.matrices_sha256(backbone)),
    )
    state = trained.ensemble.state_dict()
    model.ensemble.load_state_dict({key: state[key] for key in model.ensemble.state_dict()})
    if recipe.engine not in SHARDED:  # there Accelerate deals the weights out
        model.to(run.place.device)
    return model


def tune(run: Run, trained: Trained, model: ReportModel) -> Path:
    """Tunes the adapter, resumed from the last checkpoint, and saves the finished model. Returns its folder."""
    from meit.training.trainer import last_checkpoint, remove_unfinished, trainer_for

    recipe, processes = run.recipe, run.processes
    trainer = trainer_for(
        recipe,
        model,
        tuning_examples(run, trained, model, _view(run, trained, run.train, told(run, trained))),
        validation_examples(run, trained, model) if recipe.evaluate_every else None,
        log=run.folder / LOG,
        processes=processes.num_processes,
        device=run.place.device,
        workers=workers(run.train) if recipe.tune_encoder else 0,
    )
    with processes.main_process_first():
        if processes.is_main_process:
            remove_unfinished(run.folder)
    done = trainer.train(resume_from_checkpoint=last_checkpoint(run.folder))
    state = trainer.accelerator.get_state_dict(trainer.model_wrapped) if recipe.engine in SHARDED else None
    if processes.is_main_process:
        finish(run, model, state, steps=done.global_step, seconds=done.metrics["train_runtime"], bf16=trainer.args.bf16)
    processes.wait_for_everyone()
    return run.folder / MODEL


def told(run: Run, trained: Trained) -> np.ndarray:
    """(N, F) what encoders that had not seen a training recording say of it, or its plan."""
    return plans(run.targets) if run.recipe.plan else trained.held_out


def tuning_examples(run: Run, trained: Trained, model: ReportModel, view: Callable[[int], View]) -> ConcatDataset:
    """Text alone, then recordings, of which the language model is given what `view` says, then those that are rewarded."""
    recipe, tokenizer = run.recipe, model.tokenizer
    prompts = all_prompts(recipe, tokenizer)
    text = text_examples(recipe, run.config, run.targets, trained.held_out, tokenizer, prompts)
    ecgs = ecg_examples(recipe, run.train, view, tokenizer, prompts, recipe.tune_epochs, recipe.hide_signal)
    rewarded = reward_examples(recipe, run.train, unplanned(view, trained.held_out), tokenizer, model.spec.instruction)
    return joined([text, ecgs, rewarded])


def unplanned(view: Callable[[int], View], held_out: np.ndarray) -> Callable[[int], View]:
    """What a view says, with the probabilities that an encoder gave which had not seen the recording: a plan that holds
    the answer would leave nothing to decide."""
    return lambda index: replace(view(index), probabilities=torch.from_numpy(held_out[index]))


def validation_examples(run: Run, trained: Trained, model: ReportModel) -> Dataset:
    """The validation fold once, under the instruction that drafts are asked for with."""
    recipe, tokenizer = run.recipe, model.tokenizer
    data = recordings_for(run.config, recipe.data, SPLITS["validation"])
    asked = [prompt_ids(tokenizer, model.spec.instruction, recipe.prompt)]
    fixed = replace(recipe, instructions="one")
    return ecg_examples(fixed, data, _view(run, trained, data), tokenizer, asked, 1, 0.0)


def _view(run: Run, trained: Trained, data: EcgSet, told: np.ndarray | None = None) -> Callable[[int], View]:
    """What the language model is given of each recording. told: (N, F) probabilities; by default the encoder's own."""
    if run.recipe.tune_encoder:
        with run.processes.main_process_first():
            data.store_inputs()
        return RecordedView(data, run.config)
    if told is not None and trained.tokens is not None:
        return EncodedView(torch.from_numpy(told), torch.from_numpy(trained.tokens))
    encoded = encode_all(trained.ensemble, data, by_signal=told is not None)
    return EncodedView(encoded.probabilities if told is None else torch.from_numpy(told), encoded.tokens)


def finish(run: Run, model: ReportModel, state: dict[str, Tensor] | None, **record: Any) -> None:
    """Saves the model, what its encoder is familiar with, and how it came to be. state: the model's, where scattered."""
    encoder = rebuilt(model.spec.encoder, model.state_dict() if state is None else state)
    folder = run.folder / MODEL
    encoder.to(run.place.device)
    model.save(folder, state, familiarity_of(encoder, run.train, run.recipe.data))
    record["seconds"] = round(record["seconds"], 1)
    record |= {"device": str(run.place.device), "pretrain_dtype": str(run.place.dtype).removeprefix("torch.")}
    origin = {"hardware": hardware(), "versions": versions(), "command": command()}
    write_json(folder / TRAINING, {"recipe": asdict(run.recipe), **record, **origin})


def familiarity_of(encoder: EcgEncoder, train: EcgSet, data: tuple[str, ...]) -> Familiarity:
    """train: what the encoder was trained on. data: prepared folders, whose validation fold says how far is too far."""
    config = encoder.config
    try:
        validation = recordings_for(config, data, SPLITS["validation"])
        others = _features(encoder, validation, MOST_HELD_OUT)
    except NoRecordings:
        others = torch.empty(0, 2 * config.width)
    return fit_familiarity(encoder, _features(encoder, train, MOST_KEPT), others)


def rebuilt(config: EncoderConfig, state: dict[str, Tensor]) -> EcgEncoder:
    """The encoder out of a whole model's state, whose weights may have been scattered over several processes; without
    what features do not depend on: further members, and what takes measurements into account."""
    encoder = EcgEncoder(config)
    own = {key: state[f"ensemble.encoder.{key}"] for key in encoder.state_dict()}
    encoder.load_state_dict({key: value.float() if value.is_floating_point() else value for key, value in own.items()})
    return encoder.eval()


def _features(encoder: EcgEncoder, data: EcgSet, most: int) -> Tensor:
    chosen = np.sort(np.random.default_rng(0).permutation(len(data))[:most])
    return encode_all(encoder, data, chosen).features
