"""`meit train RECIPE --plan`: what a run will take, told before it runs: steps, tokens, parameters, memory, hours."""

import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import ConcatDataset, Subset
from transformers import TrainerCallback

from meit.data.batches import EcgSet
from meit.machine import cores, memory_bytes
from meit.model.devices import training_place
from meit.model.encoders.encoder import EncoderConfig
from meit.model.encoders.encoding import loaded, workers
from meit.model.encoders.findings import Ensemble
from meit.model.report_model import ReportModel
from meit.training.cross_fits import Trained
from meit.training.examples import Collator, Example, Examples, RecordedView, View
from meit.training.memory import Memory, activation_bytes, check_fits, outline, weights_memory
from meit.training.pretraining import pretrain
from meit.training.recipe import Recipe
from meit.training.reinforcement.reward_examples import RewardExamples
from meit.training.run import Run, build, prepare, tuning_examples
from meit.training.trainer import trainer_for

WARM_UP, STEPS, SECONDS = 2, 10, 180  # steps that are not counted, that are, and how long all may take together


def plan(recipe: Recipe, device: str = "auto", dtype: str = "auto") -> str:
    """What the run will take on this machine; nothing is kept of it. Under torchrun, what each of the processes takes.

    Raises MeitError for a run that cannot start, or does not fit.
    """
    run = prepare(recipe, training_place(device, dtype))
    trained = Trained(Ensemble(run.config).eval(), np.zeros(run.targets.shape, np.float32))
    model = outline(recipe, run.config)
    examples = tuning_examples(run, trained, model, unseen(run))
    processes = run.processes.num_processes
    together = recipe.reward_samples if recipe.reward_steps else 1
    batch = longest_batch(run, model, examples, together * recipe.batch_size // (processes * recipe.accumulate))
    memory = replace(
        weights_memory(model, recipe, processes), activations=activation_bytes(model, recipe, batch, run.place.device)
    )
    check_fits(memory, run.place.device)
    rows = _sizes(run, model, examples) | _memory(memory, run.place.device)
    encoder = _encoder_hours(run)
    rows |= {"hours, encoder": encoder} | _tuning_hours(run, build(run, trained), examples)
    return "\n".join(f"{name:<22}{value}" for name, value in rows.items())


def unseen(run: Run) -> Callable[[int], View]:
    """What an example shows of its recording: itself, where the encoder is tuned along; else nothing, in its shape."""
    if run.recipe.tune_encoder:
        return RecordedView(run.train, run.config)
    config = run.config
    empty = View(torch.zeros(len(config.findings)), torch.zeros(config.n_tokens, config.token_width))
    return lambda index: empty


def longest_batch(run: Run, model: ReportModel, examples: ConcatDataset, size: int) -> dict[str, Tensor]:
    """A batch of the longest prompt and the longest answers, which is what memory has to bear."""
    parts = [part for part in examples.datasets if isinstance(part, Examples)]
    prompt = max((prompt for part in parts for prompt in part.prompts), key=len)
    lengths = np.sort(np.concatenate([part.answers.lengths for part in parts]))[-size:]
    view = unseen(run)(0)
    return Collator(model.backbone)([Example(prompt, [0] * int(length), view, True) for length in lengths])


def _sizes(run: Run, model: ReportModel, examples: ConcatDataset) -> dict[str, str]:
    recipe = run.recipe
    parts = [part for part in examples.datasets if isinstance(part, Examples)]
    steps = [len(part) // recipe.batch_size for part in parts]
    answers = sum(int(part.answers.lengths[part.order].sum()) for part in parts)
    prompts = sum(int(np.array([*map(len, part.prompts)])[part.prompt].sum()) for part in parts)
    ecg = model.spec.n_tokens * len(examples)
    tuned = {"adapter": 0, "projector": 0, "encoder": 0, "fusion": 0}
    named = {"ensemble": "encoder", "projector": "projector", "fusion": "fusion"}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            tuned[named.get(name.split(".")[0], "adapter")] += parameter.numel()
    frozen = sum(parameter.numel() for parameter in model.parameters() if not parameter.requires_grad)
    shown = ", ".join(f"{name} {count / 1e6:.2f} M" for name, count in tuned.items() if count)
    rewarded = len(parts[-1]) // recipe.batch_size if isinstance(parts[-1], RewardExamples) else 0
    split = f" ({steps[0]} of text, {steps[1]} of ECGs)" if len(steps) - bool(rewarded) > 1 else ""
    split += f", {rewarded} of them rewarded" * bool(rewarded)
    return {
        "recordings": f"{len(run.train):,}",
        "steps": f"{sum(steps):,} of {recipe.batch_size} examples{split}",
        "tokens": f"{(answers + prompts + ecg) / 1e6:.2f} M: answers {answers / 1e6:.2f} M, prompts {prompts / 1e6:.2f} M, "
        f"ECG {ecg / 1e6:.2f} M",
        "trainable parameters": shown,
        "frozen parameters": f"{frozen / 1e6:.2f} M, {recipe.weights}",
    }


def _memory(memory: Memory, device: torch.device) -> dict[str, str]:
    return {
        "memory a process": f"{memory.total / 1e9:.2f} GB: {memory.parts()}",
        f"memory of {device}": f"{memory_bytes(device) / 1e9:.2f} GB",
    }


@dataclass
class _Clock(TrainerCallback):
    """Seconds of each step; ends the run when they are too many together."""

    began: float = 0.0

    def __post_init__(self):
        self.taken: list[float] = []

    def on_step_begin(self, args, state, control, **_):
        self.began = time.perf_counter()

    def on_step_end(self, args, state, control, **_):
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        self.taken.append(time.perf_counter() - self.began)
        control.should_training_stop |= sum(self.taken) > SECONDS


def _tuning_hours(run: Run, model: ReportModel, examples: ConcatDataset) -> dict[str, str]:
    """Of the stages that tune, and of the one that rewards, whose drafts an untuned model writes until it must stop."""
    kinds = {
        "hours, tuning": (replace(run.recipe, reward_steps=0), False, ""),
        "hours, reward": (run.recipe, True, " at most"),
    }
    rows = {}
    for name, (recipe, rewarded, most) in kinds.items():
        parts = [part for part in examples.datasets if isinstance(part, RewardExamples) == rewarded]
        if parts:
            stage: ConcatDataset = ConcatDataset(parts)
            taken = step_seconds(replace(run, recipe=recipe), model, stage)
            seconds, steps = statistics.median(taken), len(stage) // recipe.batch_size
            measured = f"{seconds:.2f} s a step, median of {len(taken)}"
            rows[name] = f"{seconds * steps / 3600:.2f}{most} ({measured})"
    return rows


def step_seconds(run: Run, model: ReportModel, examples: ConcatDataset) -> list[float]:
    """Seconds of up to STEPS whole steps, spread over the run, tuned on a model that is thrown away afterwards."""
    recipe, clock = run.recipe, _Clock()
    count = len(examples) // recipe.batch_size
    chosen = np.linspace(0, count - 1, min(count, WARM_UP + STEPS)).astype(int)
    rows = [row for step in chosen for row in range(step * recipe.batch_size, (step + 1) * recipe.batch_size)]
    with tempfile.TemporaryDirectory() as folder:
        trainer = trainer_for(
            replace(recipe, out=folder, evaluate_every=0, patience=0),
            model,
            ConcatDataset([Subset(examples, rows)]),
            None,
            log=Path(folder) / "log",
            processes=run.processes.num_processes,
            device=run.place.device,
            workers=workers(run.train) if recipe.tune_encoder else 0,
        )
        trainer.args.save_strategy = "no"
        trainer.add_callback(clock)
        trainer.train()
    return clock.taken[WARM_UP:] or clock.taken


def _encoder_hours(run: Run) -> str:
    """Of the encoder and those that leave a part out, which together see the recordings as often as cross_fits says."""
    recipe = run.recipe
    if not recipe.pretrain_epochs:
        return "none: it starts untrained"
    size = recipe.pretrain_batch_size
    few, more = (_pretraining_seconds(run, batches * size) for batches in (WARM_UP, WARM_UP + STEPS))
    batches = len(run.train) * recipe.pretrain_epochs * recipe.cross_fits / size
    hours = (more - few) / STEPS * batches / 3600
    text = f"{(more - few) / STEPS:.3f} s a batch of {size}, mean of {STEPS}"
    if run.config.measures:
        seconds = _measuring_seconds(run.train, run.config)
        hours += seconds * len(run.train) / 3600
        text += f"; {1 / seconds:.1f} recordings measured a second"
    return f"{hours:.2f} ({text})"


def _pretraining_seconds(run: Run, count: int) -> float:
    recipe = run.recipe
    chosen = np.arange(count) % len(run.train)
    start = time.perf_counter()
    pretrain(
        run.config,
        run.train,
        chosen,
        run.targets[chosen],
        epochs=1,
        batch_size=recipe.pretrain_batch_size,
        learning_rate=recipe.pretrain_learning_rate,
        seed=recipe.seed,
        place=run.place,
        label="measuring encoder steps",
    )
    return time.perf_counter() - start


def _measuring_seconds(data: EcgSet, config: EncoderConfig) -> float:
    """Seconds a recording, all processors measuring."""
    batches = np.array_split(np.arange(min(len(data), 16 * cores())), cores())
    start = time.perf_counter()
    measured = sum(len(ecgs) for ecgs, _, _ in loaded(data, batches, config))
    return (time.perf_counter() - start) / measured
