"""transformers' Trainer for a ReportModel: what it saves, in which order it reads, and how it fails.

It brings the loop, mixed precision, accumulation, several processes (DDP, FSDP2, DeepSpeed) and resuming.
"""

import math
import shutil
from pathlib import Path

import torch
from safetensors import SafetensorError
from torch.utils.data import SequentialSampler
from tqdm import tqdm
from transformers import Trainer, TrainerCallback

from meit.errors import ModelError

WHOLE = "whole"  # the file that says that a checkpoint was written to its end


class ReportTrainer(Trainer):
    """Reads its examples in the given order, saves only what is tuned, and marks a checkpoint when it is whole."""

    projector_rate = 1.0  # the projector's learning rate, in multiples of the others'

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

    def training_step(self, *arguments, **named):
        loss = super().training_step(*arguments, **named)
        if not math.isfinite(loss.item()):
            raise ModelError(
                f"the loss is {loss.item()} at step {self.state.global_step + 1}: lower learning_rate; "
                f"{last_checkpoint(self.args.output_dir) or 'no checkpoint'} is what is kept"
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
        folder = Path(self.args.output_dir) / f"checkpoint-{self.state.global_step}"
        try:
            super()._save_checkpoint(model, trial)
            self.accelerator.wait_for_everyone()
            if self.args.should_save:
                (folder / WHOLE).touch()
        except (OSError, RuntimeError, SafetensorError) as error:
            shutil.rmtree(folder, ignore_errors=True)
            raise ModelError(
                f"{folder} could not be written ({str(error).splitlines()[0]}): make room and start the same command "
                f"again; {last_checkpoint(self.args.output_dir) or 'no checkpoint'} is what is kept"
            ) from None


def tuned_names(model) -> set[str]:
    """Names of what a checkpoint must hold: parameters that are tuned, and the encoder's running statistics."""
    tuned = {name for name, parameter in model.named_parameters() if parameter.requires_grad}
    return tuned | {name for name, _ in model.named_buffers() if name.startswith("encoder.")}


def last_checkpoint(folder: str | Path) -> str | None:
    """The latest checkpoint that was written to its end, or None."""
    found = [path.parent for path in Path(folder).glob(f"checkpoint-*/{WHOLE}")]
    return str(max(found, key=lambda path: int(path.name.rpartition("-")[2]))) if found else None


def remove_unfinished(folder: str | Path) -> None:
    """Checkpoints that a kill or a full disk cut short."""
    for path in Path(folder).glob("checkpoint-*"):
        if not (path / WHOLE).exists():
            shutil.rmtree(path, ignore_errors=True)


class Bar(TrainerCallback):
    """A progress bar with the loss, and the same numbers for TensorBoard; on the first process only."""

    def __init__(self, log_folder: Path):
        self.log_folder, self.bar, self.writer = log_folder, None, None

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
        shown = {name: value for name, value in (logs or {}).items() if name in ("loss", "learning_rate", "eval_loss")}
        for name, value in shown.items():
            self.writer.add_scalar(name, value, state.global_step)
        self.bar.set_postfix({n: f"{v:.3f}" for n, v in shown.items() if n != "learning_rate"})

    def on_train_end(self, args, state, control, **_):
        if self.bar is not None:
            self.bar.close()
            self.writer.close()
