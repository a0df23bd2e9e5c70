"""`meit ...` as typed, each in a process of its own: forked from one that has imported what commands import, so that a
command costs what it does and not the seconds of its imports. tests/test_cli.py starts the program itself too."""

import json
import os
import subprocess
import sys
import tempfile
import traceback
from functools import cache
from pathlib import Path

_PRELOADED = ("torch", "transformers", "peft", "meit.cli", "meit.drafting.draft", "meit.training.run")


def run_meit(*arguments, folder=None) -> subprocess.CompletedProcess:
    """Exit code, stdout and stderr of one command line; folder: where it runs, else here."""
    with tempfile.TemporaryDirectory() as files:
        out, errors = Path(files) / "stdout", Path(files) / "stderr"
        order = {
            "arguments": [str(argument) for argument in arguments],
            "folder": str(folder or Path.cwd()),
            "environment": dict(os.environ),
            "out": str(out),
            "errors": str(errors),
        }
        server = _server()
        server.stdin.write(json.dumps(order) + "\n")
        server.stdin.flush()
        status = int(server.stdout.readline())
        return subprocess.CompletedProcess(order["arguments"], status, out.read_text(), errors.read_text())


@cache
def _server() -> subprocess.Popen:
    """It ends with the test process, whose end closes its stdin."""
    return subprocess.Popen([sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def _serve() -> None:
    sys.path.pop(0)  # the folder of this file
    orders = os.fdopen(os.dup(0))
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what an import prints is no answer
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for name in _PRELOADED:
        __import__(name)
    for line in iter(orders.readline, ""):
        child = os.fork()
        if child == 0:
            _run(json.loads(line))
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), file=answers, flush=True)


def _run(order: dict) -> None:
    """In the child; never returns."""
    for number, path in ((1, order["out"]), (2, order["errors"])):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT), number)
    os.chdir(order["folder"])
    os.environ.clear()
    os.environ.update(order["environment"])
    from meit.cli import main

    try:
        status = main(order["arguments"])
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else ended.code is not None
    except BaseException:
        traceback.print_exc()
        status = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


if __name__ == "__main__":
    _serve()
