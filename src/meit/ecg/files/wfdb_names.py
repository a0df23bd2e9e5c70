"""The files that a WFDB header names: its signals, whatever their suffix, or the segments of a record, and theirs."""

from collections.abc import Callable, Iterable
from pathlib import Path

from meit.ecg.files.wfdb_headers import looks_like_header, named_beside, text_lines

HEADER_SUFFIX = ".hea"
MOST_NAMED_FILES = 400


def named_files(raw: bytes) -> list[str]:
    """Of the bytes of one header, without repeats; nothing of what is no header. Never raises."""
    if not looks_like_header(raw):
        return []
    first, *rest = [line.split() for line in text_lines(raw) if not line.startswith("#")]
    names = [fields[0] for fields in rest if fields and fields[0] != "~"]
    if "/" in first[0]:
        names = [name + HEADER_SUFFIX for name in names]
    plain = [name for name in dict.fromkeys(names) if Path(name).name == name]
    return plain[:MOST_NAMED_FILES]


def names_below(header: str, names: Iterable[str], read: Callable[[str], bytes]) -> tuple[list[str], list[str]]:
    """What a header names among `names`, in any case of letters, and what its segments name; and what is not there.

    read: a header's name -> its bytes.
    """
    by_letters = {name.lower(): name for name in names}
    found, absent, ahead = [header], [], [header]
    while ahead:
        for name in named_files(read(ahead.pop())):
            there = by_letters.get(name.lower())
            if there is None:
                absent.append(name)
            elif there not in found:
                found.append(there)
                ahead += [there] if there.lower().endswith(HEADER_SUFFIX) else []
    return found[1:], absent


def named_beside_headers(headers: Iterable[Path]) -> set[Path]:
    """The files that headers name, beside them: signals, and headers of segments, which are no recordings by themselves."""
    named: set[Path] = set()
    for header in headers:
        try:
            with header.open("rb") as file:
                raw = file.read(65_536)
        except OSError:
            continue
        named |= {named_beside(header, name) for name in named_files(raw)} - {header}
    return named
