"""Which of many files belong together: those of one recording, from an upload or a watched folder."""

from collections.abc import Callable, Iterable
from pathlib import Path

from meit.ecg.files.wfdb_names import HEADER_SUFFIX, names_below

FILE_COMPANIONS = {  # a file with the first suffix has those beside it that have its name and one of these
    HEADER_SUFFIX: (".dat", ".mat", ".atr"),
    ".npy": (".json",),
    ".csv": (".json",),
}
SIGNALS = (".dat", ".mat")  # what waits for a header
ReadBytes = Callable[[str], bytes]


def _unread(name: str) -> bytes:
    return b""


def grouped(names: Iterable[str], read: ReadBytes = _unread) -> list[list[str]]:
    """File names, sorted into those of one recording each; what belongs to no other is alone.

    read: the name of a WFDB header -> its bytes: the files that it names are its own, whatever they are called, and so
    are those of the segments that it names. Without it names alone decide.
    """
    names = sorted(names)
    headers = [name for name in names if name.lower().endswith(HEADER_SUFFIX)]
    named = {header: names_below(header, names, read)[0] for header in headers}
    segments = {name for below in named.values() for name in below if name in named}
    left = dict.fromkeys(names)
    groups = []
    for suffix, others in FILE_COMPANIONS.items():
        for name in [one for one in left if Path(one).suffix.lower() == suffix and one not in segments]:
            stem = name[: -len(suffix)]
            with_it = [one for one in left if one != name and _is_beside(one, stem, others)]
            below = [
                one for one in named.get(name, []) if one not in with_it
            ]  # another may have taken it: it is of both
            groups.append([name, *with_it, *below])
            for one in groups[-1]:
                left.pop(one, None)
    return sorted(groups + [[name] for name in left])


def _is_beside(name: str, stem: str, suffixes: tuple[str, ...]) -> bool:
    suffix = Path(name).suffix
    return name[: len(name) - len(suffix)] == stem and suffix.lower() in suffixes


def is_half(names: Iterable[str], read: ReadBytes = _unread) -> bool:
    """Whether a part of a recording is still to come: a header, or a file that a header names."""
    names = list(names)
    headers = [name for name in names if name.lower().endswith(HEADER_SUFFIX)]
    signals = any(Path(name).suffix.lower() in SIGNALS for name in names)
    if not headers:
        return signals
    named = [names_below(header, names, read) for header in headers]
    if any(found or absent for found, absent in named):
        return any(absent for _, absent in named)
    return not signals
