"""`torchrun -m meit.cli evaluate`: two processes draft a test set's recordings together, with the results of one."""

import json
import os
import subprocess
import sys

import pytest
from forked_meit import run_ranks
from support import write_prepared

from meit.cli import main
from meit.data.shards import read_examples
from meit.drafting import report_writing

TASKS = {  # options -> the files that must not differ
    "quality": ((), ("predictions.jsonl", "table.md")),
    "grounding": (("--task", "grounding"), ("predictions.jsonl", "table.md")),
    "tokens": (("--task", "tokens"), ("predictions.jsonl", "table.md")),
    "noise": (("--task", "noise", "--noises", "missing lead=V1"), ("predictions.jsonl", "table.md")),
}
WORDS = 8  # few will do
ALL_TASKS = f"""
import sys
from meit.cli import main
from meit.drafting import report_writing
report_writing.MAX_NEW_TOKENS = {WORDS}
for line in sys.argv[1:]:
    assert main(line.split("|")) == 0, line
"""
SECOND_DIES = """
import os, signal, sys
from meit.cli import main
import meit.drafting.set_drafts as drafts
if os.environ["RANK"] == "1":
    drafts.encode_all = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
sys.exit(main(sys.argv[1].split("|")))
"""


def launched(*arguments):
    """By torchrun, in two processes."""
    launcher = ["-m", "torch.distributed.run", "--nproc-per-node", "2", "--rdzv-backend", "c10d"]
    command = [sys.executable, *launcher, "--rdzv-endpoint", "localhost:0", *map(str, arguments)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=150)


@pytest.fixture(scope="module")
def model(build, tmp_path_factory):
    folder = tmp_path_factory.mktemp("model") / "model"
    build("llama").save(folder)
    return folder


@pytest.fixture(scope="module")
def eleven(simulated, tmp_path_factory):
    """Of every fold, in shares of unequal size."""
    chosen = [each for each in read_examples(simulated) if int(each.report.record_id) % 3 == 0]
    last = [each for each in read_examples(simulated) if each.report.record_id == "29"]
    return write_prepared(tmp_path_factory.mktemp("eleven") / "data", chosen + last)


def test_two_processes_write_what_one_writes(model, eleven, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(report_writing, "MAX_NEW_TOKENS", WORDS)
    (tmp_path / "all.py").write_text(ALL_TASKS)
    commands = {
        count: [
            ("evaluate", model, eleven, "--split", "all", "--out", tmp_path / count / name, *options)
            for name, (options, _) in TASKS.items()
        ]
        for count in ("1", "2")
    }
    for command in commands["1"]:
        assert main([str(part) for part in command]) == 0
    told = capsys.readouterr().out
    done = run_ranks(*("|".join(map(str, command)) for command in commands["2"]), script=tmp_path / "all.py")
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout == told and told.count("n = 11 recordings") == len(TASKS)
    for name, (_, files) in TASKS.items():
        one, two = tmp_path / "1" / name, tmp_path / "2" / name
        for file in files:
            assert (two / file).read_text() == (one / file).read_text(), (name, file)
        results, others = (json.loads((folder / "results.json").read_text()) for folder in (one, two))
        assert without_times(results) == without_times(others)


def without_times(value):
    """Without what a run says of when, how and where it was made."""
    drop = ("created", "command", "seconds", "versions", "hardware")
    return {key: one for key, one in value.items() if key not in drop}


def test_the_command_as_typed_and_too_few_recordings(model, simulated, tmp_path):
    one = tmp_path / "one"
    write_prepared(one, [each for each in read_examples(simulated) if each.report.record_id in ("0", "29")])
    command = ("-m", "meit.cli", "evaluate", model, one, "--split", "test", "--out", tmp_path)
    done = launched(*command)
    assert done.returncode != 0 and "2 processes are too many for a set of 1" in done.stderr
    assert not (tmp_path / "results.json").exists()


def test_a_process_that_dies_ends_all_with_a_line(model, simulated, tmp_path):
    (tmp_path / "dies.py").write_text(SECOND_DIES)
    line = "|".join(map(str, ("evaluate", model, simulated, "--split", "all", "--out", tmp_path / "out")))
    done = run_ranks(line, script=tmp_path / "dies.py")
    assert done.returncode != 0 and not (tmp_path / "out" / "results.json").exists()
    said = "meit: process 1 of 2 gives up, since another one ended before its share was done"
    assert done.stderr.count(said) == done.stderr.count("meit: ") == 1, done.stderr[-3000:]
