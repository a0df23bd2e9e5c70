"""Short forms and misspelt words become the words that the other tables know; where they stood is kept."""

import re
from functools import cache
from typing import NamedTuple

from meit.reports.statements.patterns import compiled
from meit.reports.statements.spelling import mended
from meit.tables import rows_of

_LONG_WORD = re.compile(r"[^\W\d_]{4,}")


class Spelled(NamedTuple):
    """text: a sentence with its words in full. pieces: of each replaced piece (start, end) here and in the original,
    in reading order."""

    text: str
    pieces: tuple[tuple[int, int, int, int], ...]

    def original(self, start: int, end: int) -> tuple[int, int]:
        """The part of the original that text[start:end] came from; a replaced piece is never cut."""
        return self._place(start, 0), self._place(end, 1)

    def _place(self, position: int, side: int) -> int:
        shift = 0
        for here, here_end, there, there_end in self.pieces:
            if position < here or (side and position == here):
                break
            if position < here_end or (side and position == here_end):
                return (there, there_end)[side]
            shift = there_end - here_end
        return position + shift


def spelled_out(sentence: str) -> Spelled:
    """A sentence with abbreviations in words and misspelt words mended."""
    pieces = []
    parts = []
    done = length = 0
    replacements = [(*match.span(), _words(match)) for match in _short_forms().finditer(sentence) if match.group()]
    covered = {position for start, end, _ in replacements for position in range(start, end)}
    replacements += [
        (*match.span(), word)
        for match in _LONG_WORD.finditer(sentence)
        if match.start() not in covered and (word := mended(match.group())) != match.group()
    ]
    for start, end, words in sorted(replacements):
        words += " " if sentence[end : end + 1].isalnum() else ""  # "w/RVR"
        parts += [sentence[done:start], words]
        length += start - done
        pieces.append((length, length + len(words), start, end))
        length += len(words)
        done = end
    return Spelled("".join([*parts, sentence[done:]]), tuple(pieces))


def _words(match: re.Match[str]) -> str:
    return _table()[int((match.lastgroup or "a0")[1:])][1]


@cache
def _short_forms() -> re.Pattern[str]:
    rows = "|".join(f"(?P<a{number}>{pattern})" for number, (pattern, _) in enumerate(_table()))
    return compiled(rf"(?<![\w'])(?:{rows})(?:(?<=/)|(?![\w']))")


@cache
def _table() -> list[tuple[str, str]]:
    return [(row[0], row[1]) for row in rows_of("meit.reports", "statement_abbreviations.tsv")]
