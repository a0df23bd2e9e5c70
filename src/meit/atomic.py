"""Files that appear whole under their final name, or not at all."""

import json
import os
import shutil
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def atomic_path(path: str | os.PathLike, within: Path | None = None) -> Iterator[Path]:
    """A temporary path to write a file to; renamed to `path` on success and removed on failure.

    It keeps the suffix of `path`, by which some writers choose the format. It lies in `within`, a folder of the same file
    system, or beside `path`. The folder must exist.
    """
    path = Path(path)
    temporary = (within or path.parent) / f".{path.stem}-{uuid.uuid4().hex}{path.suffix}"
    try:
        yield temporary
        os.replace(temporary, path)
    except BaseException as error:  # Ctrl-C too leaves nothing behind
        temporary.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno and error.filename in (None, str(temporary)):
            error.filename, error.filename2 = str(path), None  # a full disk does not say which file it was
        raise


@contextmanager
def atomic_folder(path: str | os.PathLike) -> Iterator[Path]:
    """The same for a folder, which must not exist yet."""
    path = Path(path)
    temporary = path.with_name(f".{path.name}-{uuid.uuid4().hex}")
    temporary.mkdir()
    try:
        yield temporary
        temporary.rename(path)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise


def write_text(path: str | os.PathLike, text: str) -> None:
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: str | os.PathLike, value: object) -> None:
    """NaN and infinity, which are no JSON, raise ValueError."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def write_jsonl(path: str | os.PathLike, values: Iterable[object]) -> None:
    """One JSON value a line, written as they come: `values` may be a generator."""
    with atomic_path(path) as temporary, temporary.open("w", encoding="utf-8") as lines:
        for value in values:
            lines.write(json.dumps(value, ensure_ascii=False, allow_nan=False) + "\n")
