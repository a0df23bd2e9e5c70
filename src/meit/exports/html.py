"""A report as one HTML page that needs nothing else: no script, no address; the ECG as SVG, true to scale in print."""

import re
from functools import cache
from importlib.resources import files
from io import BytesIO

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup

from meit.ecg.paper import Grid, draw_leads, drawing, sheet
from meit.ecg.quality import Quality
from meit.ecg.recording import Recording
from meit.exports.document import Document
from meit.exports.page import LEGEND, SURE, printed_page

HTML_GRID = Grid()
# what the page asks of a browser: no more than to show itself; for a server's header too
CONTENT_SECURITY_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def write_html(document: Document) -> bytes:
    """UTF-8. Everything that a file or a reader says is escaped. The same document gives the same bytes."""
    said = printed_page(document)
    svg, cut = drawn(document.recording, document.quality)
    sure = SURE if any(one.confidence for one in said.findings) else ""
    legend = [(support, mark, LEGEND[support]) for support, mark in said.marks.items()]
    return (
        _template()
        .render(said=said, svg=svg, cut=cut, legend=legend, sure=sure, grid=HTML_GRID, policy=CONTENT_SECURITY_POLICY)
        .encode()
    )


def drawn(recording: Recording, quality: Quality) -> tuple[Markup, tuple[str, ...]]:
    """Ten seconds of the 12 leads as an <svg> element, HTML_GRID's size in mm, and the leads that are cut."""
    target = BytesIO()
    with drawing():
        figure, axes = sheet(HTML_GRID.width, HTML_GRID.height)
        cut = draw_leads(axes, recording, quality, HTML_GRID)
        figure.savefig(target, format="svg", metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))
    svg = target.getvalue().decode()
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg[svg.index("<svg ") :], flags=re.DOTALL)
    size = f'width="{HTML_GRID.width:g}mm" height="{HTML_GRID.height:g}mm" role="img" aria-label="ECG, 12 leads"'
    return Markup(re.sub(r'width="[^"]*" height="[^"]*"', size, svg, count=1)), cut


@cache
def _template() -> Template:
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(files("meit.exports").joinpath("page.html").read_text(encoding="utf-8"))
