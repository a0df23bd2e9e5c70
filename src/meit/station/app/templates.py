"""Pages: Jinja2 templates, escaped throughout."""

from importlib.resources import files
from pathlib import Path

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from meit import __version__
from meit.station.app.access import Visit
from meit.station.store import Role

PAGES = Path(str(files("meit.station").joinpath("pages")))
STATIC = Path(str(files("meit.station").joinpath("static")))
_environment = Environment(
    loader=FileSystemLoader(PAGES), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)
_environment.filters["minute"] = lambda moment: f"{moment:%Y-%m-%d %H:%M} UTC"
_environment.globals |= {"version": __version__, "Role": Role}


def render_page(
    request: Request, name: str, visit: Visit | None = None, status: int = 200, **values: object
) -> HTMLResponse:
    """A page of pages/, with who is logged in."""
    person, csrf = (visit.person, visit.csrf) if visit else (None, "")
    text = _environment.get_template(name).render(person=person, csrf=csrf, path=request.url.path, **values)
    return HTMLResponse(text, status)
