"""A report as plain text, and as JSON."""

import json

from meit.exports.document import Document


def export_text(document: Document) -> bytes:
    """UTF-8; of a draft what `meit report` prints, of a signed report the same with its signature."""
    return (document.current.to_text(document.closing) + "\n").encode("utf-8", "replace")


def export_json(document: Document) -> bytes:
    """Of a draft meit.drafting.draft_types.Draft; of a signed report the same, with who signed it and what had been
    drafted."""
    content = document.current.to_dict()
    if document.signature is not None:
        signature = document.signature
        content |= {
            "note": " ".join(document.closing),
            "status": document.status,
            "version": document.version,
            "identifier": document.identifier or None,
            "signed": {"name": signature.name, "role": signature.role, "time": signature.time.isoformat()},
            "amendment_reason": document.reason or None,
            "drafted": document.draft.report if document.draft is not None else None,
        }
    return (json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode("utf-8", "replace")
