"""Cleaning of PTB-XL's report text before translation.

PTB-XL (Wagner et al., Sci Data 2020, doi:10.1038/s41597-020-0495-6) kept the texts as its ECG machines and cardiologists
left them: machine trailers, editor's remarks with SCP codes, umlauts in the wrong case, and texts cut off at the
export's length limit.
"""

import re
import unicodedata
from functools import cache

from meit.reports.word_tables import rules

NON_REPORT: dict[str, str] = {
    r"": "empty",
    r"(ekg|ecg)": "names the recording only",
    r"trace only( requested)?": "no report was asked for",
}


@cache
def _clean_rules() -> list[tuple[re.Pattern[str], str]]:
    return rules("clean")


def _once(text: str) -> str:
    text = re.sub(r"\s+", " ", text).strip()
    for pattern, replacement in _clean_rules():
        text = pattern.sub(replacement, text)
    # Opening noise such as a stray bracket carries no finding.
    return re.sub(r"\s+", " ", text).strip(" ;|_/")


def non_report_reason(text: str) -> str | None:
    """Why a cleaned text is no report, or None where it is one."""
    core = re.sub(r"[\W_]+", " ", text).strip()
    if not re.search(r"[^\W\d_]", core):
        return NON_REPORT[""]
    for pattern, reason in NON_REPORT.items():
        if re.fullmatch(pattern, core):
            return reason
    return None


def clean_report(text: str) -> str | None:
    """The report's own words in lower case on one line; None for a non-report.

    Machine trailers, version numbers and "Edit:" remarks are dropped by the rules in rules.tsv. Line breaks (runs of
    spaces in PTB-XL) become single spaces: the machines wrapped lines inside phrases, so they mark nothing.
    """
    text = unicodedata.normalize("NFC", text.lower())
    # A rule can expose the match of an earlier one; cleaning is repeated to its fixpoint.
    for _ in range(5):
        cleaned = _once(text)
        if cleaned == text:
            break
        text = cleaned
    return None if non_report_reason(text) else text
