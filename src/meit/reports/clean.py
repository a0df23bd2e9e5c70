"""Rules for what is no finding: machine trailers, editors' remarks, texts that are no report."""

import re

TRAILER = re.compile(r"\s*\b4\.\d*\s*(unbe\S*.*|)$")  # software version and "unconfirmed report", cut or whole
EDIT = re.compile(r"\s*\bedit\s*:.*$")  # a later editor's remark with codes
UNCONFIRMED = re.compile(r"\s*\b(unbestaet|unbestät|obekräft|obekraeft)\S*.*$")
NON_REPORTS = re.compile(r"^\W*(trace only( requested)?|no report|)\W*$")


def clean_report(text: str) -> str | None:
    """Lower-case report without trailers, line breaks (runs of three spaces or more) kept; None for a non-report."""
    text = text.lower().strip()
    for rule in (EDIT, TRAILER, UNCONFIRMED):
        text = rule.sub("", text)
    text = re.sub(r"[ \t]{3,}", "   ", text.replace("\n", "   ")).strip()
    return None if NON_REPORTS.match(text) else text
