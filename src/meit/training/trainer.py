"""transformers' Trainer for a ReportModel: its settings, what it saves, in which order it reads, and how it fails.

It brings the loop, mixed precision, accumulation, several processes (DDP, FSDP2, DeepSpeed) and resuming.
"""

import math
import shutil
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from torch.utils.data import ConcatDataset, Dataset, SequentialSampler
from tqdm import tqdm
from transformers import EarlyStoppingCallback, ProgressCallback, Trainer, TrainerCallback, TrainingArguments
from transformers.trainer_callback import PrinterCallback

from meit.errors import ModelError
from meit.machine import has_bf16
from meit.model.language.architectures import decoder_layers
from meit.model.report_model import ReportModel
from meit.training.recipe import ENGINES, Recipe
from meit.training.reinforcement.reward_examples import REPORTS, RewardCollator
from meit.training.reinforcement.schedule import two_slopes
from meit.training.reinforcement.self_critical import LOGGED, SelfCritical

WHOLE = "whole"  # the file that says that a checkpoint was written to its end; not empty once drafts were rewarded
PLOTTED = ("loss", "learning_rate", "eval_loss", *LOGGED)  # what is drawn


class ReportTrainer(Trainer):
    """Reads its examples in the given order, saves only what is tuned, and marks a checkpoint when it is whole."""

    projector_rate = 1.0  # the projector's learning rate, in multiples of the others'
    recipe: Recipe
    critic: SelfCritical
    model: ReportModel
    train_dataset: ConcatDataset

    @property
    def folder(self) -> Path:
        return Path(str(self.args.output_dir))

    def _get_train_sampler(self, train_dataset=None):
        return SequentialSampler(self.train_dataset if train_dataset is None else train_dataset)

    def create_optimizer(self, model=None):
        if self.optimizer is None:
            tuned = {n: p for n, p in (model or self.model).named_parameters() if p.requires_grad}
            rate = self.args.learning_rate
            new = [p for n, p in tuned.items() if "projector" in n]
            rest = [p for n, p in tuned.items() if "projector" not in n]
            groups = [{"params": new, "lr": rate * self.projector_rate}, {"params": rest, "lr": rate}]
            self.optimizer = torch.optim.AdamW(groups, weight_decay=0.0)
        return self.optimizer

    @property
    def tuned_steps(self) -> int:
        """After which the drafts are rewarded."""
        return self.state.max_steps - self.recipe.reward_steps

    def create_scheduler(self, num_training_steps, optimizer=None):
        if self.lr_scheduler is None:
            self.lr_scheduler = two_slopes(optimizer or self.create_optimizer(), self.recipe, num_training_steps)
        return self.lr_scheduler

    def compute_loss(self, model, inputs, return_outputs=False, num_items_in_batch=None):
        if REPORTS in inputs:
            with self.accelerator.autocast():
                inputs = self.critic.batch(self.model, inputs)
            if num_items_in_batch is not None:  # tokens of the reports, of which there is one for several drafts
                num_items_in_batch = num_items_in_batch * self.recipe.reward_samples
        return super().compute_loss(model, inputs, return_outputs, num_items_in_batch)

    def log(self, logs, *arguments, **named):
        rewarded = self.recipe.reward_steps and "loss" in logs
        super().log(logs | self.critic.curves(self.accelerator) if rewarded else logs, *arguments, **named)

    def _begin_rewards(self) -> None:
        """Forgets the averages of another loss's gradients, of another size; a finished run's rate has come to nothing."""
        assert self.optimizer is not None and self.lr_scheduler is not None  # made before the first step
        self.optimizer.state.clear()
        slopes = zip(self.lr_scheduler.base_lrs, self.lr_scheduler.lr_lambdas, strict=True)
        for group, (rate, factor) in zip(self.optimizer.param_groups, slopes, strict=True):
            group["lr"] = rate * factor(self.state.global_step)

    def training_step(self, *arguments, **named):
        if self.recipe.reward_steps and self.state.global_step == self.tuned_steps:
            self._begin_rewards()
        loss = super().training_step(*arguments, **named)
        if not math.isfinite(loss.item()):
            raise ModelError(
                f"the loss is {loss.item()} at step {self.state.global_step + 1}: lower learning_rate; "
                f"{last_checkpoint(self.folder) or 'no checkpoint'} is what is kept"
            )
        return loss

    def _save(self, output_dir=None, state_dict=None):
        state = self.model.state_dict() if state_dict is None else state_dict
        kept = tuned_names(self.model)
        super()._save(output_dir, {name: value.contiguous() for name, value in state.items() if name in kept})

    def _issue_warnings_after_load(self, load_result):
        """A checkpoint lacks the frozen weights on purpose; what it lacks besides them would be an error."""
        lost = tuned_names(self.model).intersection(load_result.missing_keys)
        if lost or load_result.unexpected_keys:
            raise ModelError(f"the checkpoint does not fit the model: {sorted(lost) + load_result.unexpected_keys}")

    def _save_checkpoint(self, model, trial):
        folder = self.folder / f"checkpoint-{self.state.global_step}"
        try:
            super()._save_checkpoint(model, trial)
            self.accelerator.wait_for_everyone()
            if self.args.should_save:
                (folder / WHOLE).write_text("rewarded" if self.state.global_step > self.tuned_steps else "")
        except (OSError, RuntimeError, SafetensorError) as error:
            shutil.rmtree(folder, ignore_errors=True)
            raise ModelError(
                f"{folder} could not be written ({str(error).splitlines()[0]}): make room and start the same command "
                f"again; {last_checkpoint(self.folder) or 'no checkpoint'} is what is kept"
            ) from None


def tuned_names(model) -> set[str]:
    """Names of what a checkpoint must hold: parameters that are tuned, and running statistics besides the backbone's."""
    tuned = {name for name, parameter in model.named_parameters() if parameter.requires_grad}
    return tuned | {name for name, _ in model.named_buffers() if name.startswith(("ensemble.", "projector."))}


def last_checkpoint(folder: str | Path) -> str | None:
    """The latest checkpoint that was written to its end, or None."""
    whole = [path.parent for path in Path(folder).glob(f"checkpoint-*/{WHOLE}")]
    return str(max(whole, key=lambda path: int(path.name.rpartition("-")[2]))) if whole else None


def remove_unfinished(folder: str | Path) -> None:
    """Checkpoints that a kill or a full disk cut short."""
    for path in Path(folder).glob("checkpoint-*"):
        if not (path / WHOLE).exists():
            shutil.rmtree(path, ignore_errors=True)


class KeepTuned(TrainerCallback):
    """A checkpoint where the reward stage begins: that can be tried in more than one way."""

    def __init__(self, reward_steps: int):
        self.reward_steps = reward_steps

    def on_step_end(self, args, state, control, **_):
        control.should_save |= state.global_step == state.max_steps - self.reward_steps


class Bar(TrainerCallback):
    """A progress bar with the loss, and the same numbers for TensorBoard; on the first process only."""

    def __init__(self, log_folder: Path):
        self.log_folder = log_folder
        self.bar: Any = None  # tqdm's and TensorBoard's, between the first step and the last
        self.writer: Any = None

    def on_train_begin(self, args, state, control, **_):
        if state.is_world_process_zero:
            from torch.utils.tensorboard import SummaryWriter

            self.bar = tqdm(desc="tuning", unit="step", initial=state.global_step, total=state.max_steps)
            self.writer = SummaryWriter(self.log_folder, purge_step=state.global_step)

    def on_step_end(self, args, state, control, **_):
        if self.bar is not None:
            self.bar.update(state.global_step - self.bar.n)

    def on_log(self, args, state, control, logs=None, **_):
        if self.writer is None:
            return
        curves = {name: value for name, value in (logs or {}).items() if name in PLOTTED}
        for name, value in curves.items():
            self.writer.add_scalar(name, value, state.global_step)
        self.bar.set_postfix({n: f"{v:.3f}" for n, v in curves.items() if n != "learning_rate"})

    def on_train_end(self, args, state, control, **_):
        if self.bar is not None:
            self.bar.close()
            self.writer.close()


class Arguments(TrainingArguments):
    """Of one process on one device: left alone, transformers takes the first GPU, and splits a single process's batch
    over all that it sees."""

    _own: torch.device | None = None

    def place(self, device: torch.device) -> None:
        self._own = device
        if device.type == "cuda":
            torch.cuda.set_device(device)

    @property
    def device(self) -> torch.device:
        found = super().device
        return self._own or found

    @property
    def n_gpu(self) -> int:
        return min(super().n_gpu, 1)


def uses_bf16(recipe: Recipe, device: torch.device) -> bool:
    """Whether tuning computes in bf16; weights other than float32 need it, quick or not."""
    return recipe.bf16 and (has_bf16(device.type) or recipe.weights != "float32")


def trainer_for(
    recipe: Recipe,
    model: ReportModel,
    examples: ConcatDataset,
    validation: Dataset | None,
    log: Path,
    processes: int,
    device: torch.device,
    workers: int,
) -> ReportTrainer:
    """The trainer of a recipe. device: this process's. workers: processes that make examples ahead."""
    steps = len(examples) // recipe.batch_size
    share = recipe.batch_size // (processes * recipe.accumulate)
    every: dict[str, Any] = {"eval_strategy": "no"}
    if validation is not None:
        every = {
            "eval_strategy": "steps",
            "eval_steps": recipe.evaluate_every,
            "load_best_model_at_end": True,
            "metric_for_best_model": "eval_loss",
            "greater_is_better": False,
            "prediction_loss_only": True,
            "per_device_eval_batch_size": share,
        }
    arguments = Arguments(
        output_dir=str(recipe.folder),
        max_steps=steps,
        per_device_train_batch_size=share,
        gradient_accumulation_steps=recipe.accumulate,
        learning_rate=recipe.learning_rate,
        max_grad_norm=1.0,
        bf16=uses_bf16(recipe, device),
        use_cpu=device.type == "cpu",
        seed=recipe.seed,
        save_strategy="steps",
        save_steps=recipe.evaluate_every or recipe.checkpoint_every,
        save_total_limit=2,
        logging_steps=1,
        logging_nan_inf_filter=False,
        report_to="none",
        remove_unused_columns=False,
        ddp_find_unused_parameters=recipe.tune_encoder,
        dataloader_num_workers=workers,
        dataloader_pin_memory=device.type == "cuda",
        **every,
        **_engine(recipe.engine, model),
    )
    arguments.place(device)
    callbacks: list[TrainerCallback] = [Bar(log)]
    if recipe.reward_steps:
        callbacks.append(KeepTuned(recipe.reward_steps))
    if recipe.patience:
        callbacks.append(EarlyStoppingCallback(recipe.patience))
    collator = RewardCollator(model.backbone)
    trainer = ReportTrainer(model, arguments, collator, examples, validation, callbacks=callbacks)
    trainer.projector_rate = recipe.projector_rate
    trainer.recipe, trainer.critic = recipe, SelfCritical(recipe)
    trainer.remove_callback(ProgressCallback)
    trainer.remove_callback(PrinterCallback)
    return trainer


def _engine(name: str, model: ReportModel) -> dict[str, Any]:
    """What TrainingArguments takes of a row of ENGINES."""
    engine = dict(ENGINES[name])
    if "zero_optimization" in engine:
        auto = {
            "train_micro_batch_size_per_gpu": "auto",
            "gradient_accumulation_steps": "auto",
            "bf16": {"enabled": "auto"},
        }
        return {"deepspeed": engine | auto | {"gradient_clipping": "auto", "zero_allow_untested_optimizer": True}}
    if "fsdp" in engine:
        layer = type(decoder_layers(model.backbone)[0]).__name__
        engine["fsdp_config"] = {"transformer_layer_cls_to_wrap": [layer], "state_dict_type": "FULL_STATE_DICT"}
    return engine
