"""Texts that people or files give, fit to be stored: whole, bounded, without what no report has."""

import unicodedata

from meit.errors import StationError

LONGEST_REPORT = 20_000  # characters
LONGEST_FIELD = 200


def report_text(text: str) -> str:
    """Line ends as "\\n", composed characters (NFC). Raises StationError for control characters and excessive length."""
    text = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))
    _check(text, "the text", LONGEST_REPORT, allowed="\n\t")
    return text


def field_text(text: str, label: str) -> str:
    """One line, not empty, its blanks single."""
    text = unicodedata.normalize("NFC", " ".join(text.split()))
    if not text:
        raise StationError(f"{label} is missing")
    _check(text, label, LONGEST_FIELD)
    return text


def storable(text: str) -> str:
    """What a file or a failure says: bounded, one line, whatever is in it."""
    return "".join(one if one.isprintable() else "?" for one in " ".join(text[:1000].split()))


def folded(*parts: str | None) -> str:
    """Parts as they are searched: case and accents do not count."""
    text = unicodedata.normalize("NFKD", " ".join(part for part in parts if part).casefold())
    return " ".join("".join(one for one in text if not unicodedata.combining(one)).split())


def _check(text: str, label: str, longest: int, allowed: str = "") -> None:
    if len(text) > longest:
        raise StationError(f"{label} has more than {longest} characters")
    if any(unicodedata.category(one) in ("Cc", "Cs") and one not in allowed for one in text):
        raise StationError(f"{label} holds control characters; remove them")
