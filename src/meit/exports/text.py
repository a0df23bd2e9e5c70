"""A report as plain text."""

from meit.exports.document import Document


def write(document: Document) -> bytes:
    """UTF-8; of a draft what `meit report` prints, of a signed report the same with its signature."""
    return (document.current.to_text(document.closing) + "\n").encode("utf-8", "replace")
