"""What loading a model takes of main memory: the peak over the size of its backbone's weights.

    python benchmarks/loading_memory.py [--gb 2] [--dtype bfloat16] [--quantize int8|int4|nf4]

A backbone of random weights (LLaMA's architecture, bf16, sharded safetensors) is made in a temporary folder, and a meit
model with an adapter around it; a child process loads it. Anonymous memory is what the process has taken for itself;
the total counts the pages of the mapped weight files too, which the kernel takes back where memory is short. Both are the
greatest of readings of /proc/self/status every 2 ms, less what the process had before loading, packages imported. Linux
alone.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

CHILD = """
import sys, threading, time
import torch, transformers, accelerate
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaForCausalLM
from meit.model.report_model import load_model

def now():
    text = open("/proc/self/status").read()
    kinds = {line.split(":")[0]: int(line.split()[1]) for line in text.splitlines() if line.startswith(("Rss", "VmRSS"))}
    return kinds["RssAnon"], kinds["VmRSS"]

before, peak, done = now(), [0, 0], threading.Event()
def watch():
    while not done.is_set():
        peak[:] = map(max, peak, now())
        time.sleep(0.002)
thread = threading.Thread(target=watch); thread.start()
started = time.time()
model = load_model(sys.argv[1], sys.argv[3] or None, device="cpu", dtype=sys.argv[2])
seconds = time.time() - started
done.set(); thread.join()
kept = now()
print(*((high - low) * 1024 for high, low in zip(peak, before)), (kept[0] - before[0]) * 1024, seconds)
"""


def make_model(folder: Path, gigabytes: float) -> int:
    """A meit model in folder/model; returns the bytes of its backbone's weights."""
    import torch
    from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

    from meit.model.configuration import ModelConfig
    from meit.model.encoders.encoder import EncoderConfig
    from meit.model.language import loading
    from meit.model.language.adapter import lora_backbone
    from meit.model.language.backbones import DEFAULT
    from meit.model.report_model import ReportModel

    tokenizer = AutoTokenizer.from_pretrained(loading.locate(DEFAULT))
    shape = {"hidden_size": 2048, "intermediate_size": 5504, "num_attention_heads": 16, "vocab_size": len(tokenizer)}
    each = 2 * (4 * 2048**2 + 3 * 2048 * 5504)
    config = LlamaConfig(**shape, num_hidden_layers=max(1, round(gigabytes * 1e9 / each)), tie_word_embeddings=True)
    torch.set_default_dtype(torch.bfloat16)
    backbone = LlamaForCausalLM(config).to(torch.bfloat16)
    torch.set_default_dtype(torch.float32)
    backbone.save_pretrained(folder / "backbone", max_shard_size="500MB")
    tokenizer.save_pretrained(folder / "backbone")
    size = sum(path.stat().st_size for path in (folder / "backbone").glob("*.safetensors"))
    spec = ModelConfig(
        name="random",
        version="0",
        encoder=EncoderConfig(findings=("NORM", "AFIB")),
        hidden=2048,
        finding_tokens=2,
        lora_rank=16,
        lora_alpha=32,
        backbone=str(folder / "backbone"),
        backbone_sha256=loading.fingerprint(backbone),
        backbone_matrices_sha256=loading.matrices_sha256(backbone),
    )
    lora = lora_backbone(backbone, 16, 32, 0.0)
    ReportModel(spec, lora, tokenizer).save(folder / "model")
    return size


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--gb", type=float, default=2.0)
    parser.add_argument("--dtype", default="bfloat16")
    parser.add_argument("--quantize", default="")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        size = make_model(Path(folder), args.gb)
        order = [sys.executable, "-c", CHILD, f"{folder}/model", "auto" if args.quantize else args.dtype, args.quantize]
        anonymous, total, kept, seconds = map(float, subprocess.check_output(order, text=True).split()[-4:])
    print(
        f"weights in the files    {size / 1e9:.2f} GB, bfloat16; loaded as {args.quantize or args.dtype}, {seconds:.0f} s"
    )
    print(f"peak, anonymous memory  {anonymous / 1e9:.2f} GB, {anonymous / size:.2f} times the files")
    print(f"peak, total             {total / 1e9:.2f} GB, {total / size:.2f} times the files")
    print(f"kept, anonymous memory  {kept / 1e9:.2f} GB, {kept / size:.2f} times the files")


if __name__ == "__main__":
    main()
