"""A normal report over a recording that the encoder finds abnormal is doubted."""

import pytest

from meit.drafting.doubts import doubts
from meit.reports.tables import scp_codes

FINDINGS = ("NORM", "SR", "CRBBB", "IRBBB", "axis:LAD")


def test_the_doubt_names_its_reasons_likeliest_first():
    (line,) = doubts("Sinus rhythm. Normal ECG.", FINDINGS, [0.19, 0.98, 0.28, 0.54, 0.6])
    assert line == (
        "the draft says normal, but the encoder's probability of a normal ECG is 19% "
        "(incomplete right bundle branch block 54%, complete right bundle branch block 28%)"
    )


def test_without_a_likely_finding_it_says_so():
    assert "no single finding stands out" in doubts("No definite pathology.", FINDINGS, [0.3, 0.9, 0.1, 0.1, 0.9])[0]


@pytest.mark.parametrize("report, normal", [
    ("Sinus rhythm. Normal ECG.", 0.8), ("Sinus rhythm. Right bundle branch block.", 0.1),
    ("Sinus rhythm. Left axis. Otherwise normal ECG.", 0.1), ("", 0.1),
])  # fmt: skip
def test_else_nothing_is_doubted(report, normal):
    assert doubts(report, FINDINGS, [normal, 0.9, 0.9, 0.1, 0.1]) == []


def test_an_encoder_that_knows_no_normal_doubts_nothing():
    assert doubts("Normal ECG.", ("AFIB",), [0.9]) == []


def test_the_codes_are_worded_as_the_reports_are():
    codes = scp_codes()
    assert len(codes) == 71 and codes["AFIB"] == "atrial fibrillation"


def test_every_code_of_the_official_table_is_there(shared):
    import pandas as pd

    assert set(scp_codes()) == set(pd.read_csv(shared / "ptb-xl" / "scp_statements.csv", index_col=0).index)
