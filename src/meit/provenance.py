"""What made a number: machine, versions and command."""

import os
import platform
import shlex
import sys
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version

from meit.machine import cores

PACKAGES = ("meit", "torch", "transformers", "peft", "numpy", "sacrebleu", "rouge-score", "pycocoevalcap")


def hardware() -> str:
    """Processor cores that this process may use, and the graphics card if there is one."""
    import torch

    cards = [torch.cuda.get_device_name(number) for number in range(torch.cuda.device_count())]
    return ", ".join([f"{cores()} {platform.machine()} cores", *cards])


def versions() -> dict[str, str]:
    """Of Python and of the packages that decide the numbers; those that are absent are left out."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


def command() -> str:
    """The command line, as it can be given again; the program without its place."""
    return shlex.join([os.path.basename(sys.argv[0]), *sys.argv[1:]])
