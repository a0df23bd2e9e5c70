"""Reports, drafted or signed, in the formats that others read: one table of them. What writes a format is loaded when it
is asked for."""

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple, cast

if TYPE_CHECKING:
    from meit.exports.document import Document


class ExportFormat(NamedTuple):
    """suffix: of a file. writer: module of meit.exports and its function. binary: is nothing for a terminal."""

    suffix: str
    media_type: str
    writer: str
    binary: bool = False

    @property
    def write(self) -> "Callable[[Document], bytes]":
        """Document -> bytes, the same bytes for the same document. Raises MeitError where a library is not installed."""
        module, _, function = self.writer.partition(":")
        return cast("Callable[[Document], bytes]", getattr(import_module(f"meit.exports.{module}"), function))


EXPORT_FORMATS = {
    "text": ExportFormat(".txt", "text/plain; charset=utf-8", "plain:export_text"),
    "json": ExportFormat(".json", "application/json", "plain:export_json"),
    "fhir": ExportFormat(".fhir.json", "application/fhir+json; fhirVersion=4.3", "fhir:write_fhir"),
    "pdf": ExportFormat(".pdf", "application/pdf", "pdf:write_pdf", binary=True),
    "html": ExportFormat(".html", "text/html; charset=utf-8", "html:write_html"),
}
