"""Which of many files belong together: those of one recording, from an upload or a watched folder."""

from collections.abc import Iterable
from pathlib import Path

FILE_COMPANIONS = {  # a file with the first suffix has those beside it that have its name and one of these
    ".hea": (".dat", ".mat", ".atr"),
    ".npy": (".json",),
    ".csv": (".json",),
}
HALVES = {".hea": (".dat", ".mat"), ".dat": (".hea",), ".mat": (".hea",)}


def grouped(names: Iterable[str]) -> list[list[str]]:
    """File names, sorted into those of one recording each; what belongs to no other is alone."""
    left = dict.fromkeys(sorted(names))
    groups = []
    for suffix, others in FILE_COMPANIONS.items():
        for name in [one for one in left if Path(one).suffix.lower() == suffix]:
            stem = name[: -len(suffix)]
            with_it = [
                one for one in left if one[: -len(Path(one).suffix)] == stem and Path(one).suffix.lower() in others
            ]
            groups.append([name, *with_it])
            for one in groups[-1]:
                del left[one]
    return sorted(groups + [[name] for name in left])


def is_half(names: Iterable[str]) -> bool:
    """Whether the other half of a recording, header or signal, is still to come."""
    suffixes = {Path(name).suffix.lower() for name in names}
    return any(suffix in HALVES and not suffixes & set(HALVES[suffix]) for suffix in suffixes)
