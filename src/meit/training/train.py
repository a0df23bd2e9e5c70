"""`meit train`: encoder on codes, adapter on text alone, adapter on ECGs; one run folder, resumed where it stopped.

Under `torchrun --nproc-per-node N -m meit.cli train RECIPE` the last two stages run on N processes.
"""

import json
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import Dataset

from meit.atomic import write_json
from meit.data.batches import EcgSet
from meit.data.splits import SPLITS
from meit.errors import ModelError
from meit.model import loading
from meit.model.architectures import decoder_layers
from meit.model.encoder import EncoderConfig
from meit.model.measured import measure_names
from meit.model.prompt import prompt_ids
from meit.model.report_model import TRAINING, ModelConfig, ReportModel, lora_backbone
from meit.provenance import command, hardware, versions
from meit.training.examples import (
    INSTRUCTIONS,
    Collator,
    EncodedView,
    RecordedView,
    all_prompts,
    ecg_examples,
    joined,
    plans,
    text_examples,
)
from meit.training.familiar import familiarity_of, rebuilt
from meit.training.features import best_threshold, encode_all, trained_encoder
from meit.training.loader import workers
from meit.training.memory import keep_freed_memory
from meit.training.precision import has_bf16
from meit.training.recipe import Recipe
from meit.training.targets import MIN_CASES, TARGETS, finding_names, targets_of

MODEL, LOG = "model", "log"
ENGINES = {  # several processes: what each holds
    "ddp": {},  # everything
    "fsdp": {"fsdp": True},  # its share of all weights (FSDP2)
    "zero2": {"zero_optimization": {"stage": 2}},  # its share of gradients and optimizer states (DeepSpeed)
    "zero3": {"zero_optimization": {"stage": 3, "stage3_gather_16bit_weights_on_model_save": True}},  # of weights too
}
SHARDED = ("fsdp", "zero3")


def train(recipe: Recipe) -> Path:
    """Runs a recipe, or goes on where it stopped. Returns the folder of the finished model."""
    from accelerate import PartialState

    if recipe.engine not in ENGINES:
        raise ModelError(f"engine {recipe.engine!r} is not known; known are {', '.join(ENGINES)}")
    for name, known in (("instructions", INSTRUCTIONS), ("targets", TARGETS)):
        if getattr(recipe, name) not in known:
            raise ModelError(f"{name} {getattr(recipe, name)!r} are not known; known are {', '.join(known)}")
    for name in ("measured", "plan", "bagged"):
        if getattr(recipe, name) and (recipe.tune_encoder or not recipe.pretrain_epochs):
            raise ModelError(
                f"{name} needs a pre-trained encoder that is not tuned along: set tune_encoder=false and pretrain_epochs"
            )
    # the first process pre-trains the encoder while the others wait, which may take longer than the usual half hour
    processes = PartialState(cpu=not torch.cuda.is_available(), timeout=timedelta(days=1))
    if not torch.cuda.is_available():
        keep_freed_memory()
    out = Path(recipe.out)
    with processes.main_process_first():
        out.mkdir(parents=True, exist_ok=True)
        _claim(out, recipe)
    torch.manual_seed(recipe.seed)
    base = EncoderConfig(findings=(), n_tokens=recipe.encoder_tokens)
    ecgs = EcgSet(recipe.data, SPLITS["train"], base.rate, base.seconds, recipe.share)
    findings = finding_names(ecgs.reports, recipe.targets)
    if recipe.pretrain_epochs and not findings:
        raise ModelError(
            f"no finding stands in {MIN_CASES} reports of the training folds: set targets, or pretrain_epochs=0"
        )
    config = EncoderConfig(
        findings=findings,
        targets=recipe.targets,
        n_tokens=recipe.encoder_tokens,
        measures=measure_names() if recipe.measured else (),
        members=1 + recipe.cross_fits if recipe.bagged else 1,
    )
    with processes.main_process_first():
        encoder, held_out = trained_encoder(recipe, config, ecgs, out)
    shown, threshold = held_out, 0.0
    if recipe.plan:
        wanted = targets_of(ecgs.reports, config)
        shown, threshold = plans(wanted), best_threshold(held_out, wanted)
    model = _build(recipe, config, threshold)
    model.encoder.load_state_dict(encoder.state_dict())
    model.encoder.requires_grad_(recipe.tune_encoder)

    def view(some: EcgSet, probabilities: np.ndarray | None = None):
        if recipe.tune_encoder:
            return RecordedView(some, config)
        found, tokens, _ = encode_all(encoder, some, by_signal=probabilities is not None)
        return EncodedView(found if probabilities is None else torch.from_numpy(probabilities), tokens)

    tokenizer, prompts = model.tokenizer, all_prompts(recipe, model.tokenizer)
    text = text_examples(recipe, config, ecgs, held_out, tokenizer, prompts)
    tune = (recipe.tune_epochs, recipe.hide_signal)
    examples = joined([text, ecg_examples(recipe, ecgs, view(ecgs, shown), tokenizer, prompts, *tune)])
    validation = None
    if recipe.evaluate_every:
        others = EcgSet(recipe.data, SPLITS["validation"], base.rate, base.seconds)
        asked = [prompt_ids(tokenizer, model.spec.instruction, recipe.prompt)]  # the one that drafts are asked for with
        validation = ecg_examples(recipe, others, view(others), tokenizer, asked, 1, 0.0)
    ahead = workers(ecgs) if recipe.tune_encoder else 0
    trainer = _trainer(recipe, model, examples, validation, out, ahead)
    from meit.training.trainer import last_checkpoint, remove_unfinished

    with processes.main_process_first():
        if processes.is_main_process:
            remove_unfinished(out)
    done = trainer.train(resume_from_checkpoint=last_checkpoint(out))
    state = trainer.accelerator.get_state_dict(trainer.model_wrapped) if recipe.engine in SHARDED else None
    if processes.is_main_process:
        finished = rebuilt(config, model.state_dict() if state is None else state)
        model.familiarity = familiarity_of(finished, ecgs, recipe.data)
        model.save(out / MODEL, state)
        record = {
            "recipe": asdict(recipe),
            "steps": done.global_step,
            "seconds": round(done.metrics["train_runtime"], 1),
        }
        record["bf16"] = trainer.args.bf16
        write_json(
            out / MODEL / TRAINING, record | {"hardware": hardware(), "versions": versions(), "command": command()}
        )
    processes.wait_for_everyone()
    return out / MODEL


def _claim(out: Path, recipe: Recipe) -> None:
    """A run folder belongs to one recipe: resuming another one's checkpoint would mix two runs."""
    path, mine = out / "recipe.json", json.loads(json.dumps(asdict(recipe)))
    if path.exists() and json.loads(path.read_text()) != mine:
        raise ModelError(f"{out} holds a run of another recipe: name another folder with out=..., or remove it")
    write_json(path, mine)


def _build(recipe: Recipe, encoder: EncoderConfig, plan: float) -> ReportModel:
    """The untuned model, its backbone frozen and wrapped with LoRA; the same whether or not anything was resumed."""
    torch.manual_seed(recipe.seed)
    backbone, tokenizer = loading.load(recipe.backbone, recipe.weights)
    config = ModelConfig(
        name=recipe.name,
        version=recipe.version,
        encoder=encoder,
        hidden=backbone.config.hidden_size,
        finding_tokens=recipe.finding_tokens,
        lora_rank=recipe.lora_rank,
        lora_alpha=recipe.lora_alpha,
        backbone=recipe.backbone,
        backbone_sha256=loading.fingerprint(backbone),
        fusion=recipe.fusion,
        fusion_layers=recipe.fusion_layers,
        prompt=recipe.prompt,
        plan=plan,
        missing_chest_leads=recipe.missing_chest_leads,
        num_beams=recipe.num_beams,
    )
    lora = lora_backbone(backbone, recipe.lora_rank, recipe.lora_alpha, recipe.lora_dropout)
    model = ReportModel(config, lora, tokenizer)
    if recipe.checkpoint_gradients:
        model.checkpoint_gradients()
    if recipe.engine in SHARDED:
        model.fusion.without_cache()  # a layer's weights are there only during that layer's own call
    return model


def _trainer(recipe: Recipe, model: ReportModel, examples: Dataset, validation: Dataset | None, out: Path, ahead: int):
    from accelerate import PartialState
    from transformers import EarlyStoppingCallback, ProgressCallback, TrainingArguments
    from transformers.trainer_callback import PrinterCallback

    from meit.training.trainer import Bar, ReportTrainer

    parts = PartialState().num_processes * recipe.accumulate
    if recipe.batch_size % parts:
        raise ModelError(f"batch_size {recipe.batch_size} cannot be divided among {parts} (processes x accumulate)")
    steps = len(examples) // recipe.batch_size
    engine = dict(ENGINES[recipe.engine])
    if "zero_optimization" in engine:
        auto = {
            "train_micro_batch_size_per_gpu": "auto",
            "gradient_accumulation_steps": "auto",
            "bf16": {"enabled": "auto"},
        }
        engine = {"deepspeed": engine | auto | {"gradient_clipping": "auto", "zero_allow_untested_optimizer": True}}
    elif "fsdp" in engine:
        layer = type(decoder_layers(model.backbone)[0]).__name__
        engine["fsdp_config"] = {"transformer_layer_cls_to_wrap": [layer], "state_dict_type": "FULL_STATE_DICT"}
    every = {"eval_strategy": "no"}
    if validation is not None:
        every = {
            "eval_strategy": "steps",
            "eval_steps": recipe.evaluate_every,
            "load_best_model_at_end": True,
            "metric_for_best_model": "eval_loss",
            "greater_is_better": False,
            "prediction_loss_only": True,
            "per_device_eval_batch_size": recipe.batch_size // parts,
        }
    arguments = TrainingArguments(
        output_dir=str(out),
        max_steps=steps,
        per_device_train_batch_size=recipe.batch_size // parts,
        gradient_accumulation_steps=recipe.accumulate,
        learning_rate=recipe.learning_rate,
        lr_scheduler_type="linear",
        warmup_steps=round(recipe.warmup * steps),
        max_grad_norm=1.0,
        bf16=recipe.bf16 and (has_bf16() or recipe.weights != "float32"),  # other weights need it, quick or not
        use_cpu=not torch.cuda.is_available(),
        seed=recipe.seed,
        save_strategy="steps",
        save_steps=recipe.evaluate_every or recipe.checkpoint_every,
        save_total_limit=2,
        logging_steps=1,
        logging_nan_inf_filter=False,
        report_to="none",
        remove_unused_columns=False,
        ddp_find_unused_parameters=recipe.tune_encoder,
        dataloader_num_workers=ahead,
        dataloader_pin_memory=torch.cuda.is_available(),
        **every,
        **engine,
    )
    callbacks = [Bar(out / LOG)]
    if validation is not None and recipe.patience:
        callbacks.append(EarlyStoppingCallback(recipe.patience))
    trainer = ReportTrainer(model, arguments, Collator(model.backbone), examples, validation, callbacks=callbacks)
    trainer.projector_rate = recipe.projector_rate
    trainer.remove_callback(ProgressCallback)
    trainer.remove_callback(PrinterCallback)
    return trainer
