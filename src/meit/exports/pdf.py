"""A report as PDF: A4 landscape, the ECG true to scale, the text below it; what does not fit goes to further pages.

All stands within 265 x 198 mm in the middle of the page, so that it can also be printed on US Letter at actual size.
"""

from io import BytesIO
from itertools import repeat

from meit.drafting.checks.grounding import CONTRADICTED, MEASURED, UNCHECKED
from meit.ecg.paper import Grid, draw_leads, drawing, sheet
from meit.exports.document import AMENDED, DRAFT, FINAL, Document
from meit.exports.page import LEGEND, SURE, PrintedPage, printed_page
from meit.exports.typeset import Style, TextLine, columns, in_font, paragraph, width_mm

WIDTH, HEIGHT = 297.0, 210.0  # A4
LEFT, RIGHT, BOTTOM, TOP = 16.0, 281.0, 8.0, 202.0
PDF_GRID = Grid(left=LEFT, bottom=86.0, width=RIGHT - LEFT, row_height=25.0)
_FLOOR = BOTTOM + 8.0  # of the columns; the footer is below
_CEILING = PDF_GRID.bottom - 9.0, TOP - 17.0  # of the columns, below the grid and without it
_COLUMN = (RIGHT - LEFT - 12.0) / 3  # mm wide, 6 mm apart

_INK, _GREY, _RULE = "#1c1c24", "#6b6470", "#d9d4d2"
_SUPPORT = {MEASURED: "#2f6b4f", CONTRADICTED: "#a03a2c", UNCHECKED: _GREY}
_STATUS = {DRAFT: "#a03a2c", FINAL: "#2f6b4f", AMENDED: "#8a5a00"}
_HEADING = Style(7.5, 4.6, _GREY, before=2.4, bold=True, sticks=True)
_REPORT = Style(10.0, 5.0, _INK)
_BODY = Style(8.0, 3.8, _INK, before=0.7)
_SMALL = Style(7.0, 3.4, _GREY, before=0.7)


def write_pdf(document: Document) -> bytes:
    """PDF 1.4 with its fonts; text can be selected and searched. The same document gives the same bytes."""
    from matplotlib.backends.backend_pdf import PdfPages

    said = printed_page(document)
    sheets = _sheets(said)
    about = {"Title": f"ECG report {said.title} ({said.banner})", "Creator": "meit", "CreationDate": None}
    target = BytesIO()
    with drawing(), PdfPages(target, metadata=about) as pages:
        for number, parts in enumerate(sheets):
            pages.savefig(_sheet(document, said, number, len(sheets), parts))
    return target.getvalue()


def _sheets(said: PrintedPage) -> list[tuple[list[TextLine], ...]]:
    """The lines of each page's columns. On the first each column has its own; what is left over goes on, one after the
    other, through the columns of further pages."""
    first, over = [], []
    for heading, lines in _columns(said):
        fits = next(columns(lines, [_CEILING[0] - _FLOOR]), [])
        first.append(fits)
        if len(fits) < len(lines):
            over += [*paragraph(f"{heading}, CONTINUED", _HEADING, _COLUMN), *lines[len(fits) :]]
    rest = list(columns(over, repeat(_CEILING[1] - _FLOOR)))
    return [tuple(first), *(tuple(rest[place : place + 3]) for place in range(0, len(rest), 3))]


def _sheet(document: Document, said: PrintedPage, number: int, count: int, parts):
    figure, axes = sheet(WIDTH, HEIGHT)
    _head(axes, said)
    if number == 0:
        cut = draw_leads(axes, document.recording, document.quality, PDF_GRID)
        tall = f"   taller than the grid and cut: {', '.join(cut)}" if cut else ""
        _write(axes, LEFT, PDF_GRID.bottom - 4.0, said.scale + tall, 7.0, _GREY)
        _write(axes, RIGHT, PDF_GRID.bottom - 4.0, said.shown, 7.0, _GREY, ha="right")
    for column, lines in enumerate(parts):
        left, y = LEFT + column * (_COLUMN + 6.0), _CEILING[min(number, 1)]
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
            WIDTH / 2,
            HEIGHT / 2,
            "DRAFT",
            fontsize=150,
            fontweight="bold",
            color="#c9c2c0",
            alpha=0.22,
            rotation=25,
            ha="center",
            va="center",
            zorder=2.5,
        )
    return figure


def _head(axes, said: PrintedPage) -> None:
    _write(axes, LEFT, TOP - 6.0, said.title, 13.0, _INK, bold=True)
    _write(axes, LEFT, TOP - 11.5, said.patient, 9.0, _INK)
    _write(axes, RIGHT, TOP - 6.0, said.banner, 11.0, _STATUS[said.status], bold=True, ha="right")
    _write(axes, RIGHT, TOP - 11.5, said.recorded, 9.0, _INK, ha="right")


def _columns(said: PrintedPage) -> tuple[tuple[str, list[TextLine]], ...]:
    """The report and who signed it; its findings and what was measured; what to check. Each with its heading."""
    first = paragraph("REPORT", _HEADING, _COLUMN)
    for sentence in said.report:
        first += paragraph(sentence, _REPORT, _COLUMN)
    if said.status != DRAFT:
        first += paragraph("SIGNATURE", _HEADING, _COLUMN)
        for line in said.closing:
            first += paragraph(line, _BODY, _COLUMN)
    heading = said.remarks_heading.upper()
    third = paragraph(heading, _HEADING, _COLUMN) if said.remarks else []
    for remark in said.remarks:
        third += paragraph(remark, _BODY, _COLUMN, hang=3.0, marks=[(0.0, "–", _GREY)])
    return ("REPORT", first), ("FINDINGS", _findings(said) + _measured(said)), (heading, third)


def _findings(said: PrintedPage) -> list[TextLine]:
    if not said.findings:
        return []
    lines = paragraph("FINDINGS", _HEADING, _COLUMN)
    for one in said.findings:
        right = 12.5 - width_mm(one.confidence, _BODY.size)
        marks = [(0.0, one.mark, _SUPPORT[one.support]), (right, one.confidence, _GREY)]
        lines += paragraph(one.text, _BODY, _COLUMN, hang=15.0, marks=[mark for mark in marks if mark[1]])
    legend = [f"{mark} {LEGEND[support]}" for support, mark in said.marks.items()]
    legend += [f"% {SURE}"] if any(one.confidence for one in said.findings) else []
    return lines + paragraph("  ·  ".join(legend), _SMALL, _COLUMN)


def _measured(said: PrintedPage) -> list[TextLine]:
    if not said.measured:
        return []
    lines = paragraph("MEASURED", _HEADING, _COLUMN)
    for row in range(0, len(said.measured), 2):
        pieces = []
        for place, (name, value) in enumerate(said.measured[row : row + 2]):
            pieces += [(place * _COLUMN / 2, name, _GREY), (place * _COLUMN / 2 + 11.0, value, _INK)]
        lines.append(TextLine(tuple(pieces), _BODY, _BODY.before))
    return lines


def _write(
    axes, x: float, y: float, words: str, size: float, colour: str, bold: bool = False, ha: str = "left"
) -> None:
    weight = "bold" if bold else "normal"
    axes.text(x, y, in_font(words), fontsize=size, fontweight=weight, color=colour, ha=ha, parse_math=False, zorder=5)
