"""A report as PDF: A4 landscape, the ECG true to scale, the text below it; what does not fit goes to further pages.

All stands within 265 x 198 mm in the middle of the page, so that it can also be printed on US Letter at actual size.
"""

import warnings
from io import BytesIO
from itertools import chain, repeat, zip_longest

from meit.drafting.grounding import CONTRADICTED, MEASURED, UNCHECKED
from meit.ecg.paper import STYLE, Grid, draw_leads, sheet
from meit.ecg.quality import inspect
from meit.station.exports.document import AMENDED, DRAFT, FINAL, Document
from meit.station.exports.page import LEGEND, Page, page
from meit.station.exports.typeset import Line, Style, columns, paragraph, width_mm

WIDTH, HEIGHT = 297.0, 210.0  # A4
LEFT, RIGHT, BOTTOM, TOP = 16.0, 281.0, 8.0, 202.0
GRID = Grid(left=LEFT, bottom=86.0, width=RIGHT - LEFT, row_height=25.0)
_FLOOR = BOTTOM + 8.0  # of the columns; the footer is below
_CEILING = GRID.bottom - 9.0, TOP - 17.0  # of the columns, below the grid and without it
_COLUMNS = ((LEFT, 80.0), (LEFT + 86.0, 91.0), (LEFT + 183.0, 82.0))  # left edge and width, mm

_INK, _GREY, _RULE = "#1c1c24", "#6b6470", "#d9d4d2"
_SUPPORT = {MEASURED: "#2f6b4f", CONTRADICTED: "#a03a2c", UNCHECKED: _GREY}
_STATUS = {DRAFT: "#a03a2c", FINAL: "#2f6b4f", AMENDED: "#8a5a00"}
_HEADING = Style(7.5, 4.6, _GREY, before=2.4, bold=True, sticks=True)
_REPORT = Style(10.0, 5.0, _INK)
_BODY = Style(8.0, 3.8, _INK, before=0.7)
_SMALL = Style(7.0, 3.4, _GREY, before=0.7)


def write(document: Document) -> bytes:
    """PDF 1.4 with its fonts; text can be selected and searched. The same document gives the same bytes."""
    import matplotlib
    from matplotlib.backends.backend_pdf import PdfPages

    said = page(document)
    heights = [_CEILING[0] - _FLOOR], repeat(_CEILING[1] - _FLOOR)
    parts = [list(columns(lines, chain(*heights))) for lines in _lines(said)]
    sheets = list(zip_longest(*parts, fillvalue=[])) or [([], [], [])]
    about = {"Title": f"ECG report {said.title} ({said.banner})", "Creator": "meit", "CreationDate": None}
    target = BytesIO()
    with matplotlib.rc_context(STYLE), warnings.catch_warnings(), PdfPages(target, metadata=about) as pages:
        warnings.filterwarnings("ignore", message="Glyph .* missing")  # shown as a box
        for number, parts in enumerate(sheets):
            pages.savefig(_sheet(document, said, number, len(sheets), parts))
    return target.getvalue()


def _sheet(document: Document, said: Page, number: int, count: int, parts):
    figure, axes = sheet(WIDTH, HEIGHT)
    _head(axes, said)
    if number == 0:
        cut = draw_leads(axes, document.recording, inspect(document.recording), GRID)
        tall = f"   taller than the grid and cut: {', '.join(cut)}" if cut else ""
        _write(axes, LEFT, GRID.bottom - 4.0, said.scale + tall, 7.0, _GREY)
        _write(axes, RIGHT, GRID.bottom - 4.0, said.shown, 7.0, _GREY, ha="right")
    for (left, _), lines in zip(_COLUMNS, parts, strict=True):
        y = _CEILING[min(number, 1)]
        for place, line in enumerate(lines):
            y -= line.style.leading + (line.before if place else 0.0)
            for offset, words, colour in line.pieces:
                _write(axes, left + offset, y, words, line.style.size, colour, line.style.bold)
    axes.plot([LEFT, RIGHT], [BOTTOM + 5.0, BOTTOM + 5.0], color=_RULE, linewidth=0.5)
    _write(axes, LEFT, BOTTOM + 1.2, "   ".join(said.closing) if not document.signed else said.closing[0], 7.0, _GREY)
    end = f"page {number + 1} of {count}   " if count > 1 else ""
    _write(axes, RIGHT, BOTTOM + 1.2, f"{end}true to scale when printed at actual size", 7.0, _GREY, ha="right")
    if not document.signed:
        axes.text(
            WIDTH / 2, HEIGHT / 2, "DRAFT", fontsize=150, fontweight="bold", color="#c9c2c0", alpha=0.22, rotation=25,
            ha="center", va="center", zorder=2.5,
        )  # fmt: skip
    return figure


def _head(axes, said: Page) -> None:
    _write(axes, LEFT, TOP - 6.0, said.title, 13.0, _INK, bold=True)
    _write(axes, LEFT, TOP - 11.5, said.patient, 9.0, _INK)
    _write(axes, RIGHT, TOP - 6.0, said.banner, 11.0, _STATUS[said.status], bold=True, ha="right")
    _write(axes, RIGHT, TOP - 11.5, said.recorded, 9.0, _INK, ha="right")


def _lines(said: Page) -> tuple[list[Line], ...]:
    """Of each column: the report and who signed it, its findings and what was measured, what to check."""
    wide = [width for _, width in _COLUMNS]
    first = paragraph("REPORT", _HEADING, wide[0])
    for sentence in said.report:
        first += paragraph(sentence, _REPORT, wide[0])
    if said.status != DRAFT:
        first += paragraph("SIGNATURE", _HEADING, wide[0])
        for line in said.closing:
            first += paragraph(line, _BODY, wide[0])
    second = _findings(said, wide[1]) + _measured(said, wide[1])
    third = paragraph(said.remarks_heading.upper(), _HEADING, wide[2]) if said.remarks else []
    for remark in said.remarks:
        third += paragraph(remark, _BODY, wide[2], hang=3.0, marks=[(0.0, "–", _GREY)])
    return first, second, third


def _findings(said: Page, width: float) -> list[Line]:
    if not said.findings:
        return []
    lines = paragraph("FINDINGS, CONFIDENCE OF THE DRAFT", _HEADING, width)
    for one in said.findings:
        colour = _SUPPORT[one.support]
        right = 12.5 - width_mm(one.confidence, _BODY.size)
        marks = [(0.0, one.mark, colour), (right, one.confidence, _GREY)]
        lines += paragraph(one.text, _BODY, width, hang=15.0, marks=[mark for mark in marks if mark[1]])
    marks = {one.support: one.mark for one in said.findings}
    return lines + paragraph("  ·  ".join(f"{mark} {LEGEND[name]}" for name, mark in marks.items()), _SMALL, width)


def _measured(said: Page, width: float) -> list[Line]:
    if not said.measured:
        return []
    lines = paragraph("MEASURED", _HEADING, width)
    for row in range(0, len(said.measured), 2):
        pieces = []
        for place, (name, value) in enumerate(said.measured[row : row + 2]):
            pieces += [(place * width / 2, name, _GREY), (place * width / 2 + 11.0, value, _INK)]
        lines.append(Line(tuple(pieces), _BODY, _BODY.before))
    return lines


def _write(axes, x: float, y: float, words: str, size: float, colour: str, bold: bool = False, ha: str = "left") -> None:
    weight = "bold" if bold else "normal"
    axes.text(x, y, words, fontsize=size, fontweight=weight, color=colour, ha=ha, parse_math=False, zorder=5)
