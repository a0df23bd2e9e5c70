"""Tokens a second of fused writing, full and quantised, against the same backbone's text-only `generate` in float32.

    python benchmarks/decoding.py [TOKENS] [ROUNDS]

One process, alternating order, medians; what counts are the ratios. The limit is what reading every weight once a token
allows: bytes of the weights over the memory bandwidth measured here.
"""

import statistics
import sys
import time

import torch

from meit.model import default_model
from meit.model.language import loading
from meit.model.language.architectures import input_embeddings
from meit.model.language.quantise import QUANTISED
from meit.model.prompt import for_drafting, prompt_ids
from meit.model.report_model import load_model

BATCHES = (1, 8, 32)


def bandwidth() -> float:
    """Bytes a second of a sum over 400 MB, the best of ten."""
    block = torch.ones(100_000_000)
    times = []
    for _ in range(10):
        start = time.perf_counter()
        block.sum()
        times.append(time.perf_counter() - start)
    return block.numel() * block.element_size() / min(times)


def weight_bytes(backbone) -> int:
    """Bytes that one token reads: of all but the embeddings, which are looked up (tied ones are the output layer)."""
    tensors = {**dict(backbone.named_parameters()), **dict(backbone.named_buffers())}
    embeddings, head = backbone.get_input_embeddings().weight, backbone.get_output_embeddings().weight
    read = {value.data_ptr(): value for value in tensors.values() if value is not embeddings or embeddings is head}
    return sum(value.numel() * value.element_size() for value in read.values())


@torch.inference_mode()
def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 40
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    folder = default_model()
    ours = {kind or "float32": load_model(folder, kind) for kind in (None, *QUANTISED)}
    any_model = ours["float32"]
    text_only, _ = loading.load(any_model.spec.backbone, "float32")
    exactly = {"min_new_tokens": count, "max_new_tokens": count, "do_sample": False}

    def plain(batch: int) -> None:
        text = for_drafting(text_only, [prompt_ids(any_model.tokenizer)] * batch)
        text_only.generate(input_ids=text.ids, attention_mask=text.mask, **exactly)

    def fused(model):
        def write(batch: int) -> None:
            spec = model.spec
            text = for_drafting(model.backbone, [prompt_ids(model.tokenizer)] * batch)
            probabilities = torch.rand(batch, len(spec.encoder.findings))
            ecg = model.projector(probabilities, torch.rand(batch, spec.encoder.n_tokens, spec.encoder.width))
            ecg = ecg.to(input_embeddings(model.backbone))
            model.fusion.generate(model.backbone, text, ecg, text.mask.new_ones(ecg.shape[:2]), **exactly)

        return write

    ways = {"text only, transformers, float32": plain}
    ways |= {f"fused, {kind}": fused(model) for kind, model in ours.items()}
    backbones = dict(zip(ways, [text_only, *(model.backbone for model in ours.values())], strict=True))
    speed = bandwidth()
    print(f"memory bandwidth {speed / 1e9:.1f} GB/s; {count} tokens, median of {rounds} rounds\n")
    print("| batch | way | tokens/s | ratio | share of the limit |\n|---|---|---|---|---|")
    for batch in BATCHES:
        times: dict[str, list[float]] = {name: [] for name in ways}
        for turn in range(rounds + 1):
            for name in list(ways) if turn % 2 else list(ways)[::-1]:
                start = time.perf_counter()
                ways[name](batch)
                times[name].append(time.perf_counter() - start)
        rates = {name: batch * count / statistics.median(taken[1:]) for name, taken in times.items()}
        first = next(iter(rates.values()))
        for name, rate in rates.items():
            limit = batch * speed / weight_bytes(backbones[name])
            print(f"| {batch} | {name} | {rate:.1f} | {rate / first:.2f} | {rate / limit:.2f} |")


if __name__ == "__main__":
    main()
