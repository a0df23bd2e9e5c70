"""Text in columns: lines broken to a width in mm, as a page's columns take them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache, lru_cache

FONT = "DejaVu Sans"
_MM = 25.4 / 72  # a point


@dataclass(frozen=True)
class Style:
    """size in points, leading (from line to line) and space before in mm. sticks: is never the last line of a column."""

    size: float
    leading: float
    colour: str
    before: float = 0.0
    bold: bool = False
    sticks: bool = False


@dataclass(frozen=True)
class TextLine:
    """pieces: (mm from the column's left edge, words, colour)."""

    pieces: tuple[tuple[float, str, str], ...]
    style: Style
    before: float


def paragraph(text: str, style: Style, width: float, hang: float = 0.0, marks: Iterable[tuple] = ()) -> list[TextLine]:
    """A paragraph's lines, `hang` mm from the left edge. marks: pieces that stand before its first line."""
    broken = wrapped(in_font(text), width - hang, style.size, style.bold)
    lines = [TextLine(((hang, words, style.colour),), style, 0.0) for words in broken]
    return [TextLine((*marks, *lines[0].pieces), style, style.before), *lines[1:]]


def wrapped(text: str, width: float, size: float, bold: bool = False) -> list[str]:
    """The lines of a text in a column `width` mm wide; a word that is too long for one is broken."""
    lines = [""]
    for word in _pieces(text.split(), width, size, bold):
        longer = f"{lines[-1]} {word}".lstrip()
        if lines[-1] and width_mm(longer, size, bold) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def _pieces(words: Iterable[str], width: float, size: float, bold: bool) -> Iterator[str]:
    for word in words:
        while len(word) > 1 and width_mm(word, size, bold) > width:
            fits = next(n for n in range(len(word) - 1, 0, -1) if n == 1 or width_mm(word[:n], size, bold) <= width)
            yield word[:fits]
            word = word[fits:]
        yield word


def columns(lines: list[TextLine], heights: Iterable[float]) -> Iterator[list[TextLine]]:
    """What of the lines goes into one column after another, of these heights in mm; stops when all are placed. A column
    takes at least a line."""
    rest = list(lines)
    for height in heights:
        if not rest:
            return
        used, taken = 0.0, 0
        for line in rest:
            used += line.style.leading + (line.before if taken else 0.0)
            if used > height:
                break
            taken += 1
        while 1 < taken < len(rest) and rest[taken - 1].style.sticks:
            taken -= 1
        taken = max(taken, 1)
        yield rest[:taken]
        rest = rest[taken:]


def in_font(text: str) -> str:
    """With a box for each character that the font lacks, such as those of Chinese."""
    return "".join(character if ord(character) in _characters() else "□" for character in text)


@cache
def _characters() -> frozenset[int]:
    from matplotlib.font_manager import findfont, get_font

    return frozenset(get_font(findfont(FONT)).get_charmap())


@lru_cache(maxsize=4096)
def width_mm(text: str, size: float, bold: bool = False) -> float:
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    font = FontProperties(family=FONT, size=size, weight="bold" if bold else "normal")
    return text_to_path.get_text_width_height_descent(text, font, ismath=False)[0] * _MM
