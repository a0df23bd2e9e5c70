"""The command `meit`: a function a subcommand in the modules of this package, no logic of their own."""

import argparse
import logging
import os
from collections.abc import Sequence

from meit import __version__
from meit.cli import benchmark_commands as benchmark
from meit.cli import data_commands as data
from meit.cli import drafting_commands as report
from meit.cli import station_commands as serve
from meit.cli import training_commands as training
from meit.cli.arguments import Parser
from meit.cli.exit_codes import exit_code


def parser() -> argparse.ArgumentParser:
    top = Parser(prog="meit", description="Reads 12-lead ECGs and drafts their clinical reports.")
    top.add_argument("--version", action="version", version=f"meit {__version__}")
    commands = top.add_subparsers(required=True, metavar="COMMAND")
    for module in (report, serve, data, training, benchmark):
        module.add(commands)
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command line, by default this process's; its exit code: 0, 1 where some of many recordings failed, 2 where
    the input is wrong, 70 where meit is."""
    # a progress bar of the weights' loading says nothing to a user; nor do its advisory notes, nor bitsandbytes' that it
    # lacks a kernel (it goes on with another)
    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")

    def run() -> int:
        args = parser().parse_args(arguments)
        return args.run(args)

    return exit_code(run)
