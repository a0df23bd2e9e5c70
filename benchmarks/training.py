"""A training step with the ECG, the encoder included and tuned along, against text-only LoRA tuning of the same texts.

    python benchmarks/training.py [ROUNDS]

One process, float32, alternating order, medians; what counts is the ratio of samples a second. Freed memory is kept, as
`meit train` does, for both.
"""

import statistics
import sys
import time

import torch

from meit.model import loading
from meit.model.architectures import body, head
from meit.model.backbones import DEFAULT, PAPER_RANK
from meit.model.encoder import EncoderConfig
from meit.model.fusion import Text
from meit.model.report_model import ModelConfig, ReportModel, lora_backbone
from meit.training.memory import keep_freed_memory

BATCH, LENGTH, ANSWER = 4, 128, 64


def build(tokens: int) -> ReportModel:
    """The paper's setting: S encoder tokens, no finding tokens, rank 64 on all linear layers."""
    backbone, tokenizer = loading.load(DEFAULT, "float32")
    config = ModelConfig(
        name="benchmark", version="0", encoder=EncoderConfig(findings=("NORM",), n_tokens=tokens),
        hidden=backbone.config.hidden_size, finding_tokens=0, lora_rank=PAPER_RANK, lora_alpha=2 * PAPER_RANK,
        backbone=DEFAULT, backbone_sha256="",
    )  # fmt: skip
    return ReportModel(config, lora_backbone(backbone, PAPER_RANK, 2 * PAPER_RANK, 0.0), tokenizer).train()


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    keep_freed_memory()
    torch.manual_seed(0)
    ids = torch.randint(3, 40_000, (BATCH, LENGTH))
    text, labels = Text(ids, torch.ones_like(ids)), ids.clone()
    labels[:, : LENGTH - ANSWER] = -100
    ecg, ecg_mask, shown = torch.randn(BATCH, 1000, 12), torch.ones(BATCH, 1000), torch.ones(BATCH, dtype=torch.bool)
    models = {tokens: build(tokens) for tokens in (1, 32)}

    def text_only() -> torch.Tensor:
        backbone = models[1].backbone
        hidden = body(backbone)(input_ids=ids, attention_mask=text.mask, use_cache=False).last_hidden_state
        wanted = labels[:, 1:]
        counted = wanted != -100
        return torch.nn.functional.cross_entropy(head(backbone, hidden[:, :-1][counted]), wanted[counted])

    def with_ecg(model: ReportModel):
        return lambda: model.loss(text, labels, *model.encode(ecg, ecg_mask), shown)

    ways = {"text only": text_only} | {f"fused, S = {tokens}": with_ecg(model) for tokens, model in models.items()}
    times: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(rounds + 1):
        for name in list(ways) if turn % 2 else list(ways)[::-1]:
            for model in models.values():
                model.zero_grad()
            start = time.perf_counter()
            ways[name]().backward()
            times[name].append(time.perf_counter() - start)
    medians = {name: statistics.median(taken[1:]) for name, taken in times.items()}
    print(f"batch {BATCH}, {LENGTH} tokens, {ANSWER} of them answer; median of {rounds}\n")
    print("| step | samples/s | ratio |\n|---|---|---|")
    for name, taken in medians.items():
        print(f"| {name} | {BATCH / taken:.2f} | {medians['text only'] / taken:.2f} |")


if __name__ == "__main__":
    main()
