"""A draft in words: sentences line by line, statements with what qualifies them, measurements with their doubts."""

import pytest

from meit.drafting.checks.grounding import CONTRADICTED, Grounded
from meit.drafting.draft_wording import finding_line, measured_words, sentences, statement_words
from meit.ecg.measure.measurements import Measure, Measurements
from meit.reports.statements import read_statements


@pytest.mark.parametrize(
    ("report", "lines"),
    [
        ("Sinus rhythm. Normal ECG.", ["Sinus rhythm.", "Normal ECG."]),
        ("Sinus rhythm. Rate approx. 70. Normal ECG", ["Sinus rhythm.", "Rate approx. 70.", "Normal ECG"]),
        ("ST elevation of 0.2 mV in V1. Sinus rhythm!", ["ST elevation of 0.2 mV in V1.", "Sinus rhythm!"]),
        ("Sinus rhythm; normal ECG.\nLeft axis.", ["Sinus rhythm; normal ECG.", "Left axis."]),
        ("sinus rhythm. left axis.", ["sinus rhythm.", "left axis."]),
        ("...", ["..."]),
        ("", ["(no sentence)"]),
    ],
)
def test_a_sentence_a_line(report, lines):
    assert sentences(report) == lines


def test_a_statement_with_what_qualifies_it():
    (infarction,) = read_statements("Possible old inferior infarction.")
    assert statement_words(Grounded(infarction)) == "infarction (possible, inferior, old)"
    assert finding_line(Grounded(infarction, confidence=0.42)) == "?  42%  infarction (possible, inferior, old)"
    line = finding_line(Grounded(infarction, CONTRADICTED, "'infarction' but no Q wave"))
    assert line == "!       'infarction' but no Q wave"


def test_measurements_in_words():
    found = {"heart_rate_bpm": Measure(71.6, 0.9), "qt_ms": Measure(400.0, 0.4), "pr_ms": Measure(None, 0.0, "no P")}
    assert measured_words(Measurements(found)) == ["rate 72/min", "QT 400 ms (unsure)"]
    assert measured_words(None) == []
