"""A training step with the ECG, the encoder included and tuned along, against text-only LoRA tuning of the same texts.

    python benchmarks/training_speed.py [ROUNDS]

One process, float32, alternating order, medians; what counts is the ratio of samples a second. Freed memory is kept, as
`meit train` does, for both.
"""

import statistics
import sys
import time

import torch

from meit.machine import keep_freed_memory
from meit.model.configuration import ModelConfig
from meit.model.encoders.encoder import EncoderConfig
from meit.model.fusion import Text
from meit.model.language import loading
from meit.model.language.adapter import lora_backbone
from meit.model.language.architectures import body, head
from meit.model.language.backbones import DEFAULT, PAPER_RANK
from meit.model.report_model import ReportModel

BATCH, LENGTH, ANSWER = 4, 128, 64


def build(tokens: int) -> ReportModel:
    """The paper's setting: S encoder tokens, no finding tokens, rank 64 on all linear layers."""
    backbone, tokenizer = loading.load(DEFAULT, "float32")
    config = ModelConfig(
        name="benchmark",
        version="0",
        encoder=EncoderConfig(findings=("NORM",), n_tokens=tokens),
        hidden=backbone.config.hidden_size,
        finding_tokens=0,
        lora_rank=PAPER_RANK,
        lora_alpha=2 * PAPER_RANK,
        backbone=DEFAULT,
        backbone_sha256="",
    )
    return ReportModel(config, lora_backbone(backbone, PAPER_RANK, 2 * PAPER_RANK, 0.0), tokenizer).train()


def batch_of_texts():
    """Text and labels of one batch."""
    ids = torch.randint(3, 40_000, (BATCH, LENGTH))
    labels = ids.clone()
    labels[:, : LENGTH - ANSWER] = -100
    return Text(ids, torch.ones_like(ids)), labels


def steps(models: dict[int, ReportModel], text: Text, labels: torch.Tensor) -> dict:
    """Name -> one step of tuning, forward and backward; text only, and with each of the models."""
    ecg, ecg_mask, shown = torch.randn(BATCH, 1000, 12), torch.ones(BATCH, 1000), torch.ones(BATCH, dtype=torch.bool)
    backbone = next(iter(models.values())).backbone

    def text_only() -> None:
        hidden = body(backbone)(input_ids=text.ids, attention_mask=text.mask, use_cache=False).last_hidden_state
        wanted = labels[:, 1:]
        counted = wanted != -100
        torch.nn.functional.cross_entropy(head(backbone, hidden[:, :-1][counted]), wanted[counted]).backward()

    def with_ecg(model: ReportModel):
        return lambda: model.loss(text, labels, *model.encode(ecg, ecg_mask), shown).backward()

    return {"text only": text_only} | {f"fused, S = {tokens}": with_ecg(model) for tokens, model in models.items()}


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    keep_freed_memory()
    torch.manual_seed(0)
    models = {tokens: build(tokens) for tokens in (1, 32)}
    ways = steps(models, *batch_of_texts())
    times: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(rounds + 1):
        for name in list(ways) if turn % 2 else list(ways)[::-1]:
            for model in models.values():
                model.zero_grad()
            start = time.perf_counter()
            ways[name]()
            times[name].append(time.perf_counter() - start)
    medians = {name: statistics.median(taken[1:]) for name, taken in times.items()}
    print(f"batch {BATCH}, {LENGTH} tokens, {ANSWER} of them answer; median of {rounds}\n")
    print("| step | samples/s | ratio |\n|---|---|---|")
    for name, taken in medians.items():
        print(f"| {name} | {BATCH / taken:.2f} | {medians['text only'] / taken:.2f} |")


if __name__ == "__main__":
    main()
