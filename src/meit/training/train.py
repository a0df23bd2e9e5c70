"""`meit train`: encoder on codes, adapter on text alone, adapter on ECGs; one run folder, resumable at each step."""

import json
import math
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from meit.data.batches import load_set
from meit.data.shards import read_all_reports
from meit.data.splits import SPLITS
from meit.errors import ModelError
from meit.files import atomic_path, write_json
from meit.model import backbones
from meit.model.encoder import EncoderConfig
from meit.model.prompt import answer_ids, collate, prompt_ids
from meit.model.report_model import ModelConfig, ReportModel, lora_backbone
from meit.training.features import as_if_recorded, encode_all, trained_encoder
from meit.training.pretrain import finding_names, finding_targets
from meit.training.recipe import Recipe

STATE, MODEL, LOG = "state.pt", "model", "log"


def train(recipe: Recipe) -> Path:
    """Runs a recipe, or goes on where it stopped. Returns the folder of the finished model."""
    out = Path(recipe.out)
    out.mkdir(parents=True, exist_ok=True)
    _claim(out, recipe)
    torch.manual_seed(recipe.seed)
    base = EncoderConfig(findings=(), n_tokens=recipe.encoder_tokens)
    ecgs = load_set(recipe.data, SPLITS["train"], base.rate, base.seconds)
    encoder_config = EncoderConfig(findings=finding_names(list(ecgs.reports)), n_tokens=recipe.encoder_tokens)
    encoder, held_out = trained_encoder(recipe, encoder_config, ecgs, out)
    backbone, tokenizer = backbones.load(recipe.backbone, torch.float32)
    config = ModelConfig(
        name=recipe.name,
        version="1",
        encoder=encoder_config,
        hidden=backbone.config.hidden_size,
        finding_tokens=recipe.finding_tokens,
        lora_rank=recipe.lora_rank,
        lora_alpha=recipe.lora_alpha,
        backbone=recipe.backbone,
        backbone_sha256=backbones.fingerprint(backbone),
    )
    lora = lora_backbone(backbone, recipe.lora_rank, recipe.lora_alpha, recipe.lora_dropout)
    model = ReportModel(config, lora, tokenizer)
    model.encoder.load_state_dict(encoder.state_dict())
    model.encoder.requires_grad_(False)
    _, tokens, _ = encode_all(model.encoder, ecgs.ecgs, ecgs.masks)
    batches = _text_batches(recipe, config, ecgs, held_out, tokenizer)
    batches += _ecg_batches(recipe, ecgs, held_out, tokens, tokenizer)
    _run(recipe, model, batches, out)
    model.save(out / MODEL)
    return out / MODEL


def _claim(out: Path, recipe: Recipe) -> None:
    """A run folder belongs to one recipe: resuming another one's checkpoint would mix two runs."""
    path, mine = out / "recipe.json", json.loads(json.dumps(asdict(recipe)))
    if path.exists() and json.loads(path.read_text()) != mine:
        raise ModelError(f"{out} holds a run of another recipe: name another folder with out=..., or remove it")
    write_json(path, mine)


def _text_batches(recipe: Recipe, config: ModelConfig, ecgs, held_out: np.ndarray, tokenizer) -> list[tuple]:
    """text_steps batches of reports of the training folds; their codes stand for the ECG, the signal is hidden."""
    if not recipe.text_steps:
        return []
    names = config.encoder.findings
    reports = read_all_reports(recipe.data, SPLITS["train"])
    rng = np.random.default_rng(recipe.seed)
    # drawn as often as they occur: decoding follows the commonest wording, so it must be the true one
    drawn = rng.permutation(len(reports))[: recipe.text_steps * recipe.batch_size]
    answers = {i: answer_ids(tokenizer, reports[i].text, recipe.max_answer_tokens) for i in drawn}
    targets = np.stack([finding_targets(reports[i], names) for i in drawn])
    known = np.stack([finding_targets(report, names) for report in ecgs.reports])
    probabilities = dict(zip(drawn, as_if_recorded(targets, known, held_out, rng), strict=True))
    batches = []
    for chosen in _by_length(list(drawn), lambda i: len(answers[i]), recipe.batch_size, rng):
        hidden = torch.zeros(len(chosen), config.encoder.n_tokens, config.encoder.width)
        shown = torch.zeros(len(chosen), dtype=torch.bool)
        given = torch.from_numpy(np.stack([probabilities[i] for i in chosen]))
        batches.append(([answers[i] for i in chosen], given, hidden, shown))
    return batches


def _ecg_batches(recipe: Recipe, ecgs, held_out: np.ndarray, tokens: torch.Tensor, tokenizer) -> list[tuple]:
    """tune_epochs passes over the training recordings."""
    rng = np.random.default_rng(recipe.seed + 1)
    answers = [answer_ids(tokenizer, text, recipe.max_answer_tokens) for text in ecgs.texts]
    probabilities = torch.from_numpy(held_out)
    batches = []
    for _ in range(math.ceil(recipe.tune_epochs)):
        for chosen in _by_length(list(range(len(answers))), lambda i: len(answers[i]), recipe.batch_size, rng):
            shown = torch.from_numpy(rng.random(len(chosen)) >= recipe.hide_signal)
            batches.append(([answers[i] for i in chosen], probabilities[chosen], tokens[chosen], shown))
    per_epoch = math.ceil(len(answers) / recipe.batch_size)
    return batches[: round(recipe.tune_epochs * per_epoch)]


def _by_length(items: list, length, batch_size: int, rng) -> list[list]:
    """Batches of like length in random order, so that little is padding."""
    order = sorted(items, key=lambda item: (length(item), rng.random()))
    batches = [order[start : start + batch_size] for start in range(0, len(order), batch_size)]
    rng.shuffle(batches)
    return batches


def _run(recipe: Recipe, model: ReportModel, batches: list[tuple], out: Path) -> None:
    """AdamW, linear schedule with warm-up, gradient norm 1; state saved every checkpoint_every steps."""
    from torch.utils.tensorboard import SummaryWriter
    from transformers import get_linear_schedule_with_warmup

    trained = {name: value for name, value in model.named_parameters() if value.requires_grad}
    # the projector starts from nothing, the adapter from a model that can write: ten times the step for the former
    groups = [
        {"params": [p for n, p in trained.items() if "projector" in n], "lr": recipe.learning_rate * 5},
        {"params": [p for n, p in trained.items() if "projector" not in n], "lr": recipe.learning_rate},
    ]
    optimiser = torch.optim.AdamW(groups, weight_decay=0.0)
    steps = len(batches)
    schedule = get_linear_schedule_with_warmup(optimiser, round(recipe.warmup * steps), steps)
    first = 0
    if (out / STATE).exists():
        state = torch.load(out / STATE, weights_only=True)
        model.load_state_dict(state["model"], strict=False)
        optimiser.load_state_dict(state["optimiser"])
        schedule.load_state_dict(state["schedule"])
        torch.set_rng_state(state["random"])
        first = state["step"]

    def save(step: int) -> None:
        state = {
            "model": {name: value.detach() for name, value in trained.items()},
            "optimiser": optimiser.state_dict(),
            "schedule": schedule.state_dict(),
            "random": torch.get_rng_state(),
            "step": step,
        }
        with atomic_path(out / STATE) as temporary:
            torch.save(state, temporary)

    prompt, pad = prompt_ids(model.tokenizer, model.config.instruction), model.tokenizer.eos_token_id
    model.train()
    model.encoder.eval()
    smooth = None
    with SummaryWriter(out / LOG, purge_step=first) as log:
        bar = tqdm(range(first, steps), desc="tuning", unit="step", initial=first, total=steps)
        for step in bar:
            answers, probabilities, tokens, shown = batches[step]
            with torch.autocast(model.backbone.device.type, torch.bfloat16, enabled=recipe.bf16):
                loss = model.loss(*collate(prompt, answers, pad), probabilities, tokens, shown)
            if not math.isfinite(loss.item()):
                raise ModelError(f"the loss is {loss.item()} at step {step}: lower learning_rate; {out / STATE} is intact")
            optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(list(trained.values()), 1.0)
            optimiser.step()
            schedule.step()
            smooth = loss.item() if smooth is None else 0.95 * smooth + 0.05 * loss.item()
            log.add_scalar("loss", loss.item(), step)
            log.add_scalar("learning_rate", schedule.get_last_lr()[-1], step)
            bar.set_postfix(loss=f"{smooth:.3f}")
            if (step + 1) % recipe.checkpoint_every == 0 or step + 1 == steps:
                save(step + 1)
    model.eval()
