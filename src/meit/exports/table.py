"""The formats of a report. Each is a module whose function `write` makes the bytes; it is loaded when it is asked for."""

from collections.abc import Callable
from importlib import import_module
from typing import NamedTuple


class Format(NamedTuple):
    """suffix: of a file. binary: is nothing for a terminal."""

    suffix: str
    media_type: str
    module: str
    binary: bool = False

    @property
    def write(self) -> Callable[..., bytes]:
        """Document -> bytes, the same bytes for the same document. Raises MeitError where a library is not installed."""
        return import_module(f"meit.exports.{self.module}").write


FORMATS = {
    "text": Format(".txt", "text/plain; charset=utf-8", "text"),
    "json": Format(".json", "application/json", "json"),
    "fhir": Format(".fhir.json", "application/fhir+json; fhirVersion=4.3", "fhir"),
    "pdf": Format(".pdf", "application/pdf", "pdf", binary=True),
    "html": Format(".html", "text/html; charset=utf-8", "html"),
}
