"""What several commands share: how they are parsed, exit codes, kinds of paths, options, progress."""

import argparse
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NoReturn, TypeAlias, TypeVar

from meit.errors import MeitError
from meit.model.devices import DEVICES, DTYPES, device_name
from meit.model.operating_points import BALANCED, OPERATING_POINTS

BAD_INPUT, SOME_FAILED = 2, 1
_Item = TypeVar("_Item")


class Parser(argparse.ArgumentParser):
    """Says in one line what is wrong, as all of meit does; the usage is one --help away."""

    def error(self, message: str) -> NoReturn:
        self.exit(BAD_INPUT, f"meit: {message}; '{self.prog} --help' says more\n")


Subparsers: TypeAlias = "argparse._SubParsersAction[Parser]"  # what a module adds its commands to


# What a path is for says its type: so a wrong one is noticed before any work, with the same words everywhere.


def input_path(text: str) -> Path:
    """A recording, which may be named without its suffix, or a folder; what reads it says what is wrong with it."""
    return Path(text)


def input_file(text: str) -> Path:
    path = Path(text)
    if path.is_dir():
        raise MeitError(f"{path}: is a folder; name a file")
    if path.is_file():  # pipes are read once only
        path.open("rb").close()
    else:
        path.stat()
    return path


def input_folder(text: str) -> Path:
    path = Path(text)
    os.scandir(path).close()
    return path


def output_file(text: str) -> Path:
    """Its folder has to be there."""
    path = Path(text)
    if path.is_dir():
        raise MeitError(f"{path}: is a folder; name a file")
    if not path.parent.exists():
        raise MeitError(f"{path}: there is no folder {path.parent}; make it first")
    _check_writable(path.parent)
    return path


def output_folder(text: str) -> Path:
    """It is made, with the folders above it, where it is not there."""
    path = Path(text)
    _check_writable(next(place for place in (path, *path.absolute().parents) if place.exists()))
    return path


def key_file(text: str) -> Path:
    """It is read, or made where it is not there."""
    return input_file(text) if Path(text).exists() else output_file(text)


def picture(*suffixes: str) -> Callable[[str], Path]:
    """A file to be written whose suffix is one of those that can be drawn."""

    def output_picture(text: str) -> Path:
        if Path(text).suffix.lower() not in suffixes:
            raise MeitError(f"{text}: a picture is one of {', '.join(suffixes)}")
        return output_file(text)

    return output_picture


def _check_writable(folder: Path) -> None:
    if not folder.is_dir():
        raise MeitError(f"{folder}: is a file; name a folder")
    if not os.access(folder, os.W_OK | os.X_OK, effective_ids=os.access in os.supports_effective_ids):
        raise MeitError(f"{folder}: may not be written to; get the right to it, or name another folder")


def number(kind: type, least: float, most: float = float("inf")) -> Callable[[str], float]:
    """A number of a kind, between two limits and finite."""

    def limited(text: str) -> float:
        value = kind(text)
        if not least <= value <= most or value == float("inf"):
            limits = f"at least {least:g}" if most == float("inf") else f"from {least:g} to {most:g}"
            raise argparse.ArgumentTypeError(f"must be {limits}, not {text}")
        return value

    limited.__name__ = kind.__name__  # by which argparse names it in its own errors
    return limited


def add_quantize(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--quantize",
        choices=("int8", "int4", "nf4"),
        help="write with 8- or 4-bit weights: int8 and int4 on the CPU, where they are faster; int8 and nf4 on a GPU "
        "(docs/devices.md)",
    )


def add_device(command: argparse.ArgumentParser) -> None:
    """--device and --dtype, which meit.model.devices understands."""
    command.add_argument(
        "--device", type=device_name, default="auto", help=f"{DEVICES} (default: auto, a GPU where there is one)"
    )
    command.add_argument(
        "--dtype", choices=DTYPES, default="auto", help="precision (default: bfloat16 on a GPU, float32 on the CPU)"
    )


def add_operating_point(command: argparse.ArgumentParser, default: str | None = BALANCED) -> None:
    """default: None where the command chooses."""
    command.add_argument(
        "--operating-point",
        choices=OPERATING_POINTS,
        default=default,
        help="sensitive: call more ECGs abnormal, rightly and wrongly; its numbers stand in the model's card "
        f"(default: {default or 'sensitive, where the model has that'})",
    )


def progress(items: Iterable[_Item], count: int, label: str) -> Iterable[_Item]:
    if count == 1:
        return items
    from tqdm import tqdm

    return tqdm(items, desc=label, unit="ECG", total=count)
