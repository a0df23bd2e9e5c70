"""`meit ...` as typed, each in a process of its own: forked from one that has imported what commands import, so that a
command costs what it does and not the seconds of its imports. tests/test_cli.py starts the program itself too."""

import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback
from functools import cache
from pathlib import Path

_PRELOADED = ("torch", "transformers", "peft", "meit.cli", "meit.drafting.draft", "meit.training.trainer")
_GRACE = 30  # seconds that processes have to end after one of them failed


def run_meit(*arguments, folder=None) -> subprocess.CompletedProcess:
    """Exit code, stdout and stderr of one command line; folder: where it runs, else here. Its reports may be as long as
    those that this process drafts."""
    return _asked(arguments, [{}], folder=str(folder or Path.cwd()))


def run_script(script, *arguments) -> subprocess.CompletedProcess:
    """The same of a Python file, as `python SCRIPT ...` runs it."""
    return _asked(arguments, [{}], script=str(script))


def run_ranks(*arguments, processes=2, script=None) -> subprocess.CompletedProcess:
    """The same of processes that share one command line's work, told of each other as torchrun tells them; the exit code
    is the first one that is not 0. script: a Python file that runs instead, with these arguments."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        shared = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free.getsockname()[1]), "CUDA_VISIBLE_DEVICES": ""}
    shared |= dict.fromkeys(("WORLD_SIZE", "LOCAL_WORLD_SIZE"), str(processes)) | {"OMP_NUM_THREADS": "1"}
    ranks = [shared | dict.fromkeys(("RANK", "LOCAL_RANK"), str(rank)) for rank in range(processes)]
    return _asked(arguments, ranks, script=script and str(script))


def _asked(arguments, environments, folder=None, script=None) -> subprocess.CompletedProcess:
    with tempfile.TemporaryDirectory() as files:
        out, errors = Path(files) / "stdout", Path(files) / "stderr"
        order = {
            "arguments": [str(argument) for argument in arguments],
            "folder": folder or str(Path.cwd()),
            "environments": [{**os.environ, **more} for more in environments],
            "script": script,
            "words": getattr(sys.modules.get("meit.drafting.report_writing"), "MAX_NEW_TOKENS", None),
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
        order, children = json.loads(line), []
        for environment in order["environments"]:
            children.append(os.fork())
            if children[-1] == 0:
                _run(order, environment)
        print(_status(children), file=answers, flush=True)


def _status(children: list[int]) -> int:
    """Waits for all. Where one fails, the others are asked to end and then made to, as torchrun does."""
    first, running, deadline = 0, set(children), float("inf")
    while running:
        child, status = os.waitpid(-1, os.WNOHANG if first else 0)
        if child == 0:
            if time.monotonic() > deadline:
                _signalled(running, signal.SIGKILL)
            time.sleep(0.02)
            continue
        running.discard(child)
        code = os.waitstatus_to_exitcode(status)
        if code and not first:
            first, deadline = code, time.monotonic() + _GRACE
            _signalled(running, signal.SIGTERM)
    return first


def _signalled(children: set[int], number: signal.Signals) -> None:
    for child in children:
        os.kill(child, number)


def _run(order: dict, environment: dict) -> None:
    """In the child; never returns."""
    for number, path in ((1, order["out"]), (2, order["errors"])):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND), number)
    os.chdir(order["folder"])
    os.environ.clear()
    os.environ.update(environment)
    from meit.cli import main
    from meit.drafting import report_writing

    try:
        if order["script"]:
            sys.argv = [order["script"], *order["arguments"]]
            sys.path.insert(0, os.path.dirname(order["script"]))
            runpy.run_path(order["script"], run_name="__main__")
            status = 0
        else:
            report_writing.MAX_NEW_TOKENS = order["words"] or report_writing.MAX_NEW_TOKENS
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
