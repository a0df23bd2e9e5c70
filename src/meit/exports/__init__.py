"""Reports, drafted or signed, in the formats that others read: one table of them. What writes a format is loaded when it
is asked for."""

from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple, cast

from meit.errors import MeitError

if TYPE_CHECKING:
    from meit.exports.document import Document


def _written(writer: "Callable[[Document], bytes]", suffix: str, document: "Document") -> bytes:
    try:
        return writer(document)
    except MeitError:
        raise
    except Exception as error:  # libraries refuse what they do not know; their words may hold a patient's data
        label = document.recording.source or document.recording.name
        raise MeitError(
            f"{label}: its report cannot be written as {suffix} ({type(error).__name__}); take another format"
        ) from error


class ExportFormat(NamedTuple):
    """suffix: of a file. writer: module of meit.exports and its function. binary: is nothing for a terminal."""

    suffix: str
    media_type: str
    writer: str
    binary: bool = False

    @property
    def write(self) -> "Callable[[Document], bytes]":
        """Document -> bytes, the same bytes for the same document. Raises MeitError where a library is not installed; and
        so does what it gives, for a document that cannot be written: one never stops the others."""
        module, _, function = self.writer.partition(":")
        writer = cast("Callable[[Document], bytes]", getattr(import_module(f"meit.exports.{module}"), function))
        return partial(_written, writer, self.suffix)


EXPORT_FORMATS = {
    "text": ExportFormat(".txt", "text/plain; charset=utf-8", "plain:export_text"),
    "json": ExportFormat(".json", "application/json", "plain:export_json"),
    "fhir": ExportFormat(".fhir.json", "application/fhir+json; fhirVersion=4.3", "fhir:write_fhir"),
    "pdf": ExportFormat(".pdf", "application/pdf", "pdf:write_pdf", binary=True),
    "html": ExportFormat(".html", "text/html; charset=utf-8", "html:write_html"),
}
