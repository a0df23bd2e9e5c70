"""Every command, and every path in its command line, with every kind of wrong path: one line that names it, exit code 2 (or 1,
where it is one recording of many), and nothing that is left half-written.

The commands and their paths are found in the parser: a new command fails here until command_lines.py says how it runs.
"""

import argparse
import io
import os
import re
import shutil
import subprocess
import sys
import warnings
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path

import pytest
from command_lines import LINES, make_world
from denied import denied, full_disk

from meit.cli import main, parser

PROGRESS = re.compile(r"^.*(it/s|ECG/s|draft/s|\?ECG|\d%\|).*$")


def commands(tree: argparse.ArgumentParser, words: tuple[str, ...] = ()):
    """(its words, its parser) of every command."""
    below = [action for action in tree._actions if isinstance(action, argparse._SubParsersAction)]
    if not below:
        yield " ".join(words), tree
    for action in below:
        for name, child in action.choices.items():
            yield from commands(child, (*words, name))


COMMANDS = dict(commands(parser()))


def role(action: argparse.Action) -> str | None:
    """Of a path: input_file, output_folder, ...; None of what is no path."""
    name = getattr(action.type, "__name__", "")
    return name if re.fullmatch(r"(input|output)_\w+|key_file|Path", name) else None


def paths_in(command: str, line: list) -> dict[int, str]:
    """Place in the line -> role."""
    args = parser().parse_args([*command.split(), *map(str, line)])
    roles = {}
    for action in COMMANDS[command]._actions:
        if role(action):
            values = getattr(args, action.dest)
            for value in values if isinstance(values, list | tuple) else [values]:
                places = [place for place, part in enumerate(line) if isinstance(part, Path) and part == value]
                roles |= {place: role(action) for place in places if place not in roles}
    return roles


# kind of wrong path -> what makes it of a path in the world (and gives what is to be denied)
def _missing(path: Path) -> None:
    _remove(path)


def _empty_file(path: Path) -> None:
    _remove(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()


def _empty_folder(path: Path) -> None:
    _remove(path)
    path.mkdir(parents=True)


OF_A_RUN = re.compile(r"/(\.meit/|manifest\.json$)")


def _binary(path: Path) -> None:
    """The file, or each file of the folder, is noise."""
    for file in [path] if not path.is_dir() else [file for file in path.rglob("*") if file.is_file()]:
        file.write_bytes(b"\x00\xff\xfe\x80\x9d" * 200)


def _emptied(path: Path) -> None:
    for file in path.rglob("*"):
        if file.is_file():
            file.write_bytes(b"")


def _below_a_file(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    _remove(path.parent)
    path.parent.write_text("a file")


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _unchanged(path: Path) -> None:
    pass


def _denied_parent(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)


WRONG = {
    "input_file": {
        "missing": _missing,
        "a folder": _empty_folder,
        "empty": _empty_file,
        "binary": _binary,
        "denied": _unchanged,
    },
    "input_folder": {
        "missing": _missing,
        "a file": _empty_file,
        "empty": _empty_folder,
        "binary": _binary,
        "emptied": _emptied,
        "denied": _unchanged,
    },
    "input_path": {
        "missing": _missing,
        "empty": _empty_file,
        "empty folder": _empty_folder,
        "binary": _binary,
        "denied": _unchanged,
    },
    "output_file": {"a folder": _empty_folder, "below a file": _below_a_file, "denied": _denied_parent},
    "output_picture": {"a folder": _empty_folder, "below a file": _below_a_file, "denied": _denied_parent},
    "output_folder": {"a file": _empty_file, "below a file": _below_a_file, "denied": _denied_parent},
    "key_file": {"a folder": _empty_folder, "empty": _empty_file, "binary": _binary, "denied": _unchanged},
}


NO_FAULT = {  # what a path may well be: command, path -> kinds
    ("serve", "ecgs"): {"empty", "binary", "emptied"},  # recordings arrive later; --check reads none
    ("prepare ptb-xl", "challenge"): {"empty", "binary", "emptied"},  # read only for what the source lacks
}
SAYS_NOTHING_OF_DISKS = {  # command -> why a full disk is not tried
    "models": "writes nothing",
    "data check": "writes nothing",
    "download": "needs a server",
    "study judge": "needs a judge",
}
MADE_EMPTY = {"results/out.db"}  # SQLite's file, made with its rights before anything is in it
ONE_LINE_A_RECORDING = ("prepare ptb-xl", "prepare mimic-iv-ecg", "prepare folder")  # of those that cannot be read


def is_told(command: str, code: int, said: list[str]) -> bool:
    """Whether stderr has what it should: one line, or where recordings fail one for each."""
    many = code == 1 or command in ONE_LINE_A_RECORDING
    return code in (1, 2) and len(said) >= 1 and (many or len(said) == 1) and all(line[:6] == "meit: " for line in said)


def cells():
    for command, lines in LINES.items():
        for number, line in enumerate(lines):
            for place, part in enumerate(line):
                if isinstance(part, Path):
                    yield pytest.param(command, number, place, id=f"{command} {part}".replace(" ", "-"))


@pytest.fixture(scope="module")
def world(tmp_path_factory, build, tiny_folder, simulated):
    folder = tmp_path_factory.mktemp("world")
    make_world(folder, build("llama"), tiny_folder("llama"), simulated)
    return folder


@pytest.fixture
def here(world, tmp_path, monkeypatch):
    """A copy of the world that a test may spoil, and the place where commands run. Drafts are cut short: what they say
    does not matter here."""
    monkeypatch.setattr("meit.drafting.report_writing.MAX_NEW_TOKENS", 2)
    folder = tmp_path / "here"
    shutil.copytree(world, folder)
    monkeypatch.chdir(folder)
    return folder


def run(*line) -> tuple[int, list[str], str]:
    """Exit code, lines of stderr but for progress bars and warnings, stdout."""
    out, err = (io.TextIOWrapper(io.BytesIO(), write_through=True) for _ in range(2))
    with redirect_stdout(out), redirect_stderr(err), warnings.catch_warnings(record=True) as warned:
        try:
            code = main([str(part) for part in line])
        except SystemExit as ended:
            code = ended.code
    said = err.buffer.getvalue().decode()
    lines = [line for line in re.split(r"[\r\n]+", said) if line.strip() and not PROGRESS.match(line)]
    shown = [str(warning.message) for warning in warned if "site-packages" not in warning.filename]
    return code, lines + shown, out.buffer.getvalue().decode(errors="replace")


def files_of(folder: Path) -> dict[str, int]:
    return {str(path.relative_to(folder)): path.stat().st_size for path in sorted(folder.rglob("*")) if path.is_file()}


@contextmanager
def standing_in_the_way(kind: str, path: Path, output: bool):
    with ExitStack() as stack:
        if kind == "denied":
            stack.enter_context(denied(path.parent if output else path))
        yield


def test_every_command_and_every_path_of_it_is_tried(here):
    assert set(LINES) == set(COMMANDS), "command_lines.py has to say how each command runs"
    for command, tree in COMMANDS.items():
        paths = {action.dest for action in tree._actions if role(action)}
        tried = set()
        for line in LINES[command]:
            args = parser().parse_args([*command.split(), *map(str, line)])
            given = {str(part) for part in line if isinstance(part, Path)}
            values = {name: value if isinstance(value, list) else [value] for name, value in vars(args).items()}
            tried |= {name for name in paths if given & set(map(str, values[name]))}
        assert paths == tried, command
        assert not [action.dest for action in tree._actions if action.type is Path], (
            f"{command}: say what the path is for"
        )


@pytest.mark.parametrize(("command", "number", "place"), cells())
def test_a_wrong_path(command, number, place, here):
    line = LINES[command][number]
    path = line[place]
    kind_of = paths_in(command, line)[place]
    failures = []
    for kind, spoil in WRONG[kind_of].items():
        if kind in NO_FAULT.get((command, str(path)), ()):
            continue
        kept = here.parent / "kept"
        shutil.copytree(here, kept)
        spoil(path)
        before = files_of(here)
        with standing_in_the_way(kind, path, kind_of.startswith("output")):
            code, said, _ = run(*command.split(), *line)
        if not is_told(command, code, said):
            failures.append((kind, code, said))
        elif not any(path.stem in text or str(path.parent) in text for text in said):
            failures.append((kind, "does not name it", said))
        elif changed := {
            one
            for one in set(files_of(here).items()) ^ set(before.items())
            # a run whose recordings all failed says so there (docs of `meit report --out`)
            if not (command.startswith("report") and kind == "binary" and OF_A_RUN.search(str(one[0])))
        }:
            failures.append((kind, "leaves", changed))
        os.chdir(here.parent)
        shutil.rmtree(here)
        kept.rename(here)
        os.chdir(here)
    assert not failures


@pytest.mark.parametrize("command", sorted(LINES.keys() - SAYS_NOTHING_OF_DISKS.keys()))
def test_a_full_disk(command, here):
    line, before = LINES[command][0], files_of(here)
    with full_disk():
        code, said, _ = run(*command.split(), *line)
    left = {name: size for name, size in files_of(here).items() if name not in before and name not in MADE_EMPTY}
    assert is_told(command, code, said) and not left, (code, said, left)


def test_the_first_lines_that_gave_tracebacks(here):
    """Each of these ended in a traceback once."""
    (here / "binary.yaml").write_bytes(b"\x00\xff\xfe" * 50)
    (here / "self.yaml").write_text("base: self.yaml\n")
    (here / "number.yaml").write_text("base: 5\n")
    (here / "key.yaml").write_text("5: 6\n")
    (here / "file").write_text("a file\n")
    told = {
        ("report", "ecgs/00195_hr", "--model", "file"): "file: Not a directory; name a folder",
        ("report", "ecgs/00195_hr", "--out", "file"): "file: is a file; name a folder",
        ("train", "ecgs"): "ecgs: is a folder; name a file",
        ("train", "binary.yaml"): "binary.yaml is no text file",
        ("train", "self.yaml"): "self.yaml is its own base",
        ("train", "number.yaml"): "number.yaml",
        ("train", "key.yaml"): "key.yaml must hold lines",
        ("data", "stats", "file"): "file: Not a directory; name a folder",
        ("evaluate", "model", "file", "--out", "results/out"): "file: Not a directory; name a folder",
        ("data", "stats", "data", "--plot", "nodir/x.png"): "there is no folder nodir; make it first",
        ("data", "stats", "data", "--plot", "x.xyz"): "x.xyz: a picture is one of .png, .svg",
        ("train", "recipe.yaml", "out=file"): "file",
    }
    before = files_of(here)
    for line, words in told.items():
        code, said, out = run(*line)
        assert (code, len(said), out) == (2, 1, "") and words in said[0], (line, code, said)
    assert files_of(here) == before


def numbers():
    for command, tree in COMMANDS.items():
        for action in tree._actions:
            if getattr(action.type, "__name__", "") in ("int", "float"):
                yield pytest.param(command, action.option_strings[0], id=f"{command}-{action.dest}".replace(" ", "-"))


@pytest.mark.parametrize(("command", "option"), numbers())
@pytest.mark.parametrize("value", ["-1", "nan", "inf", "1e999", "many", ""])
def test_a_wrong_number(command, option, value, world, monkeypatch):
    monkeypatch.chdir(world)
    code, said, _ = run(*command.split(), *LINES[command][0], f"{option}={value}")
    assert code == 2 and len(said) == 1 and option in said[0], said


def test_a_table_has_to_be_one_of_those_that_there_are():
    from meit.benchmark.task_table import TABLES

    action = next(action for action in COMMANDS["table"]._actions if action.dest == "table")
    assert tuple(action.choices) == tuple(TABLES)
    code, said, _ = run("table", "colours", "results")
    assert code == 2 and len(said) == 1 and all(name in said[0] for name in TABLES)


def test_a_bug_is_told_apart_and_shows_its_traceback_when_asked(monkeypatch, caplog):
    def broken(_args):
        raise KeyError("a\nkey")

    monkeypatch.setattr("meit.cli.training_commands.models", broken)
    code, said, _ = run("models")
    assert code == 70 and len(said) == 1 and "bug of meit (KeyError: " in said[0] and "MEIT_DEBUG=1" in said[0]
    monkeypatch.setenv("MEIT_DEBUG", "1")
    assert run("models")[0] == 70 and "broken" in caplog.text and "Traceback" in caplog.text


def test_what_is_not_installed_is_named(monkeypatch):
    def absent(_args):
        import a_package_that_is_not_there  # noqa: F401

    monkeypatch.setattr("meit.cli.training_commands.models", absent)
    code, said, _ = run("models")
    assert code == 2 and "a_package_that_is_not_there is not installed: pip install" in said[0]


SAYING = "import sys; from meit.cli.exit_codes import exit_code; sys.exit(exit_code(lambda: print('a draft') or 0))"


def test_output_that_nobody_reads_or_that_cannot_be_written():
    command = [sys.executable, "-c", SAYING]
    with open("/dev/full", "w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 2 and done.stderr.splitlines() == [
        "meit: the output: No space left on device; make room there, then start the same command again"
    ]
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 141 and done.stderr == ""
