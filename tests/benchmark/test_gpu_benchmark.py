"""benchmarks/gpu.py as it runs before it meets a GPU: every section, tiny, on the CPU."""

import os
import subprocess
import sys

from conftest import REPOSITORY


def test_every_section_prints_its_table():
    command = [sys.executable, "benchmarks/gpu.py", "--device", "cpu", "--small"]
    run = subprocess.run(
        command, cwd=REPOSITORY, capture_output=True, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"}
    )
    assert run.returncode == 0, run.stderr[-3000:]
    sections = dict(part.split("\n", 1) for part in run.stdout.split("### ")[1:])
    assert list(sections) == ["parity", "decoding", "tuning", "pretraining", "folders", "nf4"]
    assert all("|---|" in text for text in sections.values())
    assert "| cpu float32 | 3 of 3 |" in sections["parity"]
    assert sections["decoding"].count("| fused |") == 4
