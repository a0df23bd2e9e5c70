"""What a GPU brings, in one command of under eight minutes on an H100: parity with the CPU, decoding, tuning, pre-training, folders.

    python benchmarks/gpu.py [--device cuda] [--only SECTION ...] [--recordings FOLDER]
    python benchmarks/gpu.py --device cpu --small        # every section, tiny: that it works before it meets a GPU

Prints one Markdown table a section as it is done. Large language models have random weights: speed does not ask which.
Timings are medians of alternating rounds; a first round warms up. MFU: model FLOPs (of the forward pass and of the gradients
of activations and adapters; what checkpointing computes again does not count) over the card's peak in bf16.
"""

import argparse
import gc
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from gpu_measures import (
    DECODED,
    PEAK,
    Setting,
    around,
    bandwidth,
    decoded,
    device_name,
    model_flops,
    random_backbone,
    table,
)
from torch import nn

from meit.drafting.draft import draft_reports
from meit.drafting.draft_files import draft_paths
from meit.ecg.files.formats import find_recordings, read_ecg
from meit.ecg.recording import LEADS, Recording
from meit.model import default_model
from meit.model.devices import chosen_device, training_place
from meit.model.encoders.encoder import EncoderConfig
from meit.model.fusion import Text
from meit.model.language import loading
from meit.model.language.architectures import body, head
from meit.model.language.backbones import BACKBONES, DEFAULT
from meit.model.report_model import load_model
from meit.training.pretraining import pretrain

ROOT = Path(__file__).parents[1]
SEVEN_B = BACKBONES["llama-2-7b-instruct"].shape
TINY = {**SEVEN_B, "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2, "num_attention_heads": 4}
TINY |= {"num_key_value_heads": 4, "vocab_size": 50_000}
PROMPT, ANSWER = 64, 64  # tokens of a tuning example


def varied(found: list[Recording], count: int) -> list[Recording]:
    """`count` recordings: the given ones, then the same shifted in time, with another gain and a little noise."""
    rng = np.random.default_rng(0)
    made = []
    for number in range(count):
        one = found[number % len(found)]
        signal = one.signal
        if number >= len(found):
            shifted = np.roll(signal, rng.integers(len(signal)), axis=0)
            signal = (shifted * rng.uniform(0.7, 1.4) + rng.normal(0, 0.02, signal.shape)).astype(np.float32)
        made.append(replace(one, name=f"{one.name}-{number}", signal=signal))
    return made


def parity(setting: Setting) -> str:
    """Drafts of the shipped model on this device against those on the CPU in float32."""
    recordings = varied(setting.recordings, setting.parity)
    ours = [draft.report for draft in draft_reports(load_model(default_model(), device="cpu"), recordings)]
    rows = []
    for dtype in ("float32", "bfloat16"):
        model = load_model(default_model(), device=str(setting.device), dtype=dtype)
        theirs = [draft.report for draft in draft_reports(model, recordings)]
        same = sum(one == other for one, other in zip(ours, theirs, strict=True))
        rows.append(f"| {setting.device} {dtype} | {same} of {len(ours)} |")
    return table("| against the CPU in float32 | the same to the letter |", rows)


@torch.inference_mode()
def decoding(setting: Setting) -> str:
    """The shipped model and the large one, batch by batch."""
    speed, dtype = bandwidth(setting), "float32" if setting.device.type == "cpu" else "bfloat16"
    small = load_model(default_model(), device=str(setting.device), dtype=dtype)
    rows = list(decoded(setting, "SmolLM2-135M", small, speed))
    del small
    large = around(random_backbone(setting.shape, setting.device), EncoderConfig(findings=())).eval()
    rows += decoded(setting, "LLaMA-2-7B shape, bf16", large, speed)
    return f"A copy moves {speed / 1e9:,.0f} GB/s.\n\n" + table(DECODED, rows)


@torch.inference_mode()
def nf4(setting: Setting) -> str:
    """The large one in 4 bit, read from a folder as `load_model` reads it."""
    with tempfile.TemporaryDirectory() as folder:
        random_backbone(setting.shape, setting.device).save_pretrained(folder)
        loading.locate_parts(DEFAULT)[2].save_pretrained(folder)
        start = setting.now()
        backbone, _ = loading.load(folder, "nf4", setting.device)
        taken = setting.now() - start
    model = around(backbone, EncoderConfig(findings=())).eval()
    rows = list(
        decoded(replace(setting, batches=setting.batches[:2]), "LLaMA-2-7B shape, nf4", model, bandwidth(setting))
    )
    size = sum(value.nbytes for value in backbone.state_dict().values())
    return f"{size / 1e9:.1f} GB, read and quantised in {taken:.0f} s.\n\n" + table(DECODED, rows)


def tuning(setting: Setting) -> str:
    """A step of the paper's recipe (LoRA of rank 64, checkpointed, its ResNet-50 tuned along) against text alone."""
    batch, length = setting.tuned_batch, PROMPT + ANSWER
    backbone = random_backbone(setting.shape, setting.device)
    ids = torch.randint(3, 30_000, (batch, length), device=setting.device)
    text, labels = Text(ids, torch.ones_like(ids)), ids.clone()
    labels[:, :PROMPT] = -100
    encoder = EncoderConfig(findings=(), shape="resnet50", rate=500.0, normalisation="min-max")
    ecg = torch.rand(batch, 5000, 12, device=setting.device)
    recorded = torch.ones(batch, 5000, device=setting.device)
    shown = torch.ones(batch, dtype=torch.bool, device=setting.device)
    model, rows, alone = None, [], 0.0
    for name, tokens in (("text only", 1), ("fused, S = 1", 1), ("fused, S = 32", 32)):
        if model is None or tokens != model.spec.encoder.n_tokens:
            if model is not None:
                backbone = model.backbone.unload()
            model = around(backbone, replace(encoder, n_tokens=tokens), "paper", lora=True).train()
            model.checkpoint_gradients()
        tuned = [p for n, p in model.named_parameters() if p.requires_grad and (name != "text only" or "lora_" in n)]
        optimiser = torch.optim.AdamW(tuned, lr=1e-5, fused=setting.device.type == "cuda")

        def step(model=model, optimiser=optimiser, name=name):
            with torch.autocast(setting.device.type, torch.bfloat16):
                if name == "text only":
                    hidden = body(model.backbone)(input_ids=ids, attention_mask=text.mask, use_cache=False)[0]
                    logits = head(model.backbone, hidden[:, PROMPT - 1 : -1].flatten(0, 1)).float()
                    loss = nn.functional.cross_entropy(logits, labels[:, PROMPT:].flatten())
                else:
                    probabilities, seen, _ = model.encode(ecg, recorded)
                    loss = model.loss(text, labels, probabilities, seen, shown)
            loss.backward()
            optimiser.step()
            optimiser.zero_grad()

        if setting.device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(setting.device)
        seconds = setting.seconds({name: step})[name]
        alone = alone or seconds
        memory = torch.cuda.max_memory_allocated(setting.device) if setting.device.type == "cuda" else 0
        used = model_flops(model, batch, length + (0 if name == "text only" else tokens)) / seconds
        peak = next((value for card, value in PEAK.items() if card in device_name(setting.device)), 0.0)
        rows.append(
            f"| {name} | {batch / seconds:.2f} | {alone / seconds:.2f} | "
            f"{f'{memory / 1e9:.1f}' if memory else ''} | {f'{used / peak:.2f}' if peak else ''} |"
        )
    return f"Batch {batch}, {length} tokens, {ANSWER} of them answer.\n\n" + table(
        "| step | samples/s | ratio | GB | MFU |", rows
    )


class Noise:
    """A set of recordings for an encoder (meit.model.encoders.encoding.EncoderInputs) that are kept in memory, and are noise."""

    rate, keeps_inputs = 100.0, True

    def __init__(self, count: int):
        self.ecgs = np.random.default_rng(0).normal(size=(count, 1000, 12)).astype(np.float32)

    def __len__(self) -> int:
        return len(self.ecgs)

    def inputs(self, indices):
        return self.ecgs[indices], np.ones((len(indices), 1000), bool)


def pretraining(setting: Setting) -> str:
    """Recordings a second of the shipped encoder's training, one epoch, in float32 and in bf16."""
    data = Noise(setting.encoder_recordings)
    targets = (np.random.default_rng(1).random((len(data), 70)) < 0.1).astype(np.float32)
    config = EncoderConfig(findings=tuple(f"F{number}" for number in range(70)))
    rows = []
    for dtype in ("float32", "bfloat16"):

        def epoch(dtype=dtype):
            pretrain(
                config, data, np.arange(len(data)), targets, epochs=1, batch_size=32, learning_rate=1e-3, seed=0,
                place=training_place(str(setting.device), dtype),
            )  # fmt: skip

        rows.append(f"| {dtype} | {len(data) / setting.seconds({dtype: epoch})[dtype]:,.0f} |")
    return table("| encoder pre-training | recordings/s |", rows)


def folders(setting: Setting) -> str:
    """Reports a second of a folder of WFDB records, from the files to the drafts, with the shipped model."""
    import wfdb

    with tempfile.TemporaryDirectory() as folder:
        for one in varied(setting.recordings, setting.folder):
            wfdb.wrsamp(
                one.name, one.rate, ["mV"] * 12, list(LEADS), p_signal=one.signal.astype(float), fmt=["16"] * 12,
                write_dir=folder,
            )  # fmt: skip
        paths, rows = find_recordings(Path(folder)), []
        for dtype in ("float32", "bfloat16"):
            model = load_model(default_model(), device=str(setting.device), dtype=dtype)
            start = setting.now()
            files = list(draft_paths(model, paths))
            seconds = setting.now() - start
            failed = [file.error for file in files if file.draft is None]
            if failed:
                raise RuntimeError(f"{len(failed)} of {len(files)} were not drafted: {failed[0]}")
            rows.append(f"| {dtype} | {len(files)} | {len(files) / seconds:.1f} |")
    return table("| folder | recordings | reports/s |", rows)


SECTIONS: dict[str, Callable[[Setting], str]] = {
    one.__name__: one for one in (parity, decoding, tuning, pretraining, folders, nf4)
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--small", action="store_true", help="tiny sizes: that everything works")
    parser.add_argument("--only", nargs="+", choices=tuple(SECTIONS), default=tuple(SECTIONS))
    parser.add_argument("--recordings", type=Path, default=ROOT / "examples" / "ptb-xl")
    args = parser.parse_args()
    device = chosen_device(args.device)
    recordings = [read_ecg(path) for path in find_recordings(args.recordings)]
    if args.small:
        setting = Setting(device, recordings, TINY, 1, 3, (1, 2), 3, 2, 32, 3)
    else:
        setting = Setting(device, recordings, SEVEN_B, 3, 60, (1, 8, 32, 128), 48, 16, 8192, 1024)
    print(f"{device_name(device)}, PyTorch {torch.__version__}\n")
    began, failed = time.perf_counter(), 0
    for name in args.only:
        start = time.perf_counter()
        try:
            print(f"### {name}\n\n{SECTIONS[name](setting)}\n")
        except Exception:  # the other sections' minutes on a card are not to be lost
            traceback.print_exc()
            failed += 1
        gc.collect()  # modules and their hooks hold each other
        if device.type == "cuda":
            torch.cuda.empty_cache()
        print(f"({time.perf_counter() - start:.0f} s)\n", flush=True)
    print(f"{time.perf_counter() - began:.0f} s in all")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
