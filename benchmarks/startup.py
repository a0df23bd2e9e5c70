"""`meit report` of one recording against a bare script that loads the same backbone and generates as many tokens.

    python benchmarks/startup.py [ROUNDS]

Whole processes, alternating, medians; what counts is the ratio.
"""

import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

from transformers import AutoTokenizer

from meit.model import default_model
from meit.model.configuration import read_config
from meit.model.language import loading

EXAMPLE = Path(__file__).parents[1] / "examples" / "ptb-xl" / "00195_hr"
BARE = """
import sys, torch
from transformers import AutoModelForCausalLM, AutoTokenizer
tokenizer = AutoTokenizer.from_pretrained(sys.argv[1])
model = AutoModelForCausalLM.from_pretrained(sys.argv[1], dtype=torch.float32)
ids = tokenizer("<|user|>Write the report of this ECG.<|assistant|>", return_tensors="pt")
count = int(sys.argv[2])
model.generate(**ids, min_new_tokens=count, max_new_tokens=count, do_sample=False, pad_token_id=2)
"""


def seconds(command: list[str]) -> tuple[float, str]:
    start = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return time.perf_counter() - start, done.stdout


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    place = loading.locate(read_config(default_model()).backbone)
    ours = [sys.executable, "-m", "meit.cli", "report", str(EXAMPLE), "--format", "json"]
    draft = json.loads(seconds(ours)[1])["report"]
    count = len(AutoTokenizer.from_pretrained(place)(draft)["input_ids"]) + 1
    bare = [sys.executable, "-c", BARE, place, str(count)]
    times = [(seconds(ours)[0], seconds(bare)[0]) for _ in range(rounds)]
    mine, theirs = (statistics.median(column) for column in zip(*times, strict=True))
    print("| tokens | meit report (s) | bare script (s) | ratio |\n|---|---|---|---|")
    print(f"| {count} | {mine:.2f} | {theirs:.2f} | {mine / theirs:.2f} |")


if __name__ == "__main__":
    main()
