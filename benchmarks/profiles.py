"""Where the time goes in a tuning step and in writing at batch 1: shares of PyTorch's operations, under its profiler.

    python benchmarks/profiles.py

What no operation accounts for is Python: transformers' layers, caches and `generate`. The profiler itself costs a little
at each operation, so shares of many small ones are somewhat too large.
"""

import time

import torch
from torch.profiler import ProfilerActivity, profile
from training_speed import batch_of_texts, build, steps

from meit.machine import keep_freed_memory
from meit.model import default_model
from meit.model.language.architectures import input_embeddings
from meit.model.prompt import for_drafting, prompt_ids
from meit.model.report_model import load_model

KINDS = {  # parts of the operations' names
    "matrix products": ("mm", "addmm", "bmm", "linear", "weight_int8pack"),
    "attention": ("scaled_dot_product",),
    "convolutions": ("convolution",),
    "copies and memory": ("copy_", "cat", "clone", "fill_", "empty", "zero_", "contiguous", "index"),
}
TOKENS = 30


def shares(run) -> dict[str, float]:
    """Kind of operation -> its share of the wall time of run(), which is run once before."""
    run()
    start = time.perf_counter()
    with profile(activities=[ProfilerActivity.CPU]) as found:
        run()
        wall = time.perf_counter() - start
    spent = dict.fromkeys([*KINDS, "other operations"], 0.0)
    for event in found.key_averages():
        if event.key.startswith("aten::"):
            kind = next(
                (k for k, parts in KINDS.items() if any(part in event.key for part in parts)), "other operations"
            )
            spent[kind] += event.self_cpu_time_total / 1e6
    spent["Python"] = max(0.0, wall - sum(spent.values()))
    return {kind: seconds / wall for kind, seconds in spent.items()}


def writing(kind: str | None):
    """Writing TOKENS tokens at batch 1."""
    model = load_model(default_model(), kind)
    text = for_drafting(model.backbone, [prompt_ids(model.tokenizer)])
    spec = model.spec

    @torch.inference_mode()
    def run() -> None:
        signal = torch.rand(1, spec.encoder.n_tokens, spec.encoder.width)
        ecg = model.projector(torch.rand(1, len(spec.encoder.findings)), signal).to(input_embeddings(model.backbone))
        exactly = {"min_new_tokens": TOKENS, "max_new_tokens": TOKENS, "do_sample": False}
        model.fusion.generate(model.backbone, text, ecg, text.mask.new_ones(ecg.shape[:2]), **exactly)

    return run


def main() -> None:
    keep_freed_memory()
    torch.manual_seed(0)
    runs = {f"tuning, {name}": step for name, step in steps({1: build(1)}, *batch_of_texts()).items()}
    runs |= {f"writing, {kind or 'float32'}": writing(kind) for kind in (None, "int8")}
    found = {name: shares(run) for name, run in runs.items()}
    kinds = list(next(iter(found.values())))
    print(f"| | {' | '.join(kinds)} |\n|---|{'---|' * len(kinds)}")
    for name, part in found.items():
        print(f"| {name} | {' | '.join(f'{part[kind]:.0%}' for kind in kinds)} |")


if __name__ == "__main__":
    main()
