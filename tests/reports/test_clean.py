"""Cleaning of real PTB-XL report texts (PTB-XL, CC BY 4.0)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meit.reports.clean import clean_report, non_report_reason

CASES = [
    (
        "sinusrhythmus lagetyp normal normales ekg 4.46                          unbestÄtigter bericht",
        "sinusrhythmus lagetyp normal normales ekg",
    ),
    (
        "sinusrhythmus lagetyp normal qrs(t) abnorm    inferiorer infarkt     alter unbest. 4.46                          unbestÄtigter beri",
        "sinusrhythmus lagetyp normal qrst abnorm inferiorer infarkt alter unbest.",
    ),
    ("sinusrhythmus linkstyp 4.46                          unbestÄ", "sinusrhythmus linkstyp"),
    ("sinusrhythmus linkstyp 4.4", "sinusrhythmus linkstyp"),
    ("sinus rhythm. normal ecg. edit: norm 100, (norm 100)", "sinus rhythm. normal ecg."),
    (
        "sinusrhythmus lagetyp normal amplitudenkriterien f#r linkshypertrophie",
        "sinusrhythmus lagetyp normal amplitudenkriterien für linkshypertrophie",
    ),
    (
        "supraventrikulÄr(a) extrasystoli(er) sinusrytm eljest normalt ekg",
        "supraventrikulära extrasystolier sinusrytm eljest normalt ekg",
    ),
]


@pytest.mark.parametrize(("raw", "expected"), CASES)
def test_real_reports(raw: str, expected: str) -> None:
    assert clean_report(raw) == expected


@pytest.mark.parametrize(
    "raw", ["trace only requested.", "Trace only.", "ekg", "", "  ", "4.46   unbestÄtigter bericht", "!"]
)
def test_non_reports(raw: str) -> None:
    assert clean_report(raw) is None


def test_reason_is_given() -> None:
    assert non_report_reason("trace only requested.") == "no report was asked for"
    assert non_report_reason("sinus rhythm") is None


_PIECES = st.sampled_from([raw for raw, _ in CASES] + ["4.46", "edit:", "trace only", "ó", "(n)", " "])


@given(st.one_of(st.text(max_size=80), st.lists(_PIECES, max_size=4).map(" ".join)))
def test_never_raises_and_is_idempotent(raw: str) -> None:
    cleaned = clean_report(raw)
    if cleaned is not None:
        assert clean_report(cleaned) == cleaned
