"""How a draft is worded for a person: its sentences, its statements with their marks, what was measured."""

import re
from itertools import pairwise

from meit.drafting.checks.grounding import CONTRADICTED, MEASURED, UNCHECKED, Grounded
from meit.ecg.measure import Measurements
from meit.reports.statements import read_sentences

NO_REPORT = "No report was drafted: the recording is unusable."
REVIEW = "Draft for a clinician's review, not a diagnosis."
MARKS = {MEASURED: "+", CONTRADICTED: "!", UNCHECKED: "?"}
SHOWN = {  # of the measurements, in the text
    "heart_rate_bpm": "rate {:.0f}/min",
    "pr_ms": "PR {:.0f} ms",
    "qrs_ms": "QRS {:.0f} ms",
    "qt_ms": "QT {:.0f} ms",
    "qtc_ms": "QTc {:.0f} ms",
    "axis_deg": "axis {:.0f} degrees",
}
UNSURE = 0.5  # reliability below which a measurement is shown with a doubt
_ABBREVIATED = re.compile(r"\b(?:approx|ca|resp|incl|vs|e\.g|i\.e)$", re.IGNORECASE)


def measured_words(measurements: Measurements | None) -> list[str]:
    """What SHOWN names and what was measured, "PR 160 ms"; what is not reliable says so."""
    words = []
    for name, wording in SHOWN.items():
        measure = measurements[name] if measurements is not None else None
        if measure is not None and measure.value is not None:
            words.append(wording.format(measure.value) + (" (unsure)" if measure.reliability < UNSURE else ""))
    return words


def finding_line(grounded: Grounded) -> str:
    """ "+ 96%  rate 48/min: sinus bradycardia"."""
    sure = "    " if grounded.confidence is None else f"{grounded.confidence:4.0%}"
    return f"{MARKS[grounded.support]} {sure}  {evidence_words(grounded)}"


def evidence_words(grounded: Grounded) -> str:
    """What a statement rests on, else its own words, and how often such statements were right, where that was counted."""
    worth = f" ({grounded.worth})" if grounded.worth else ""
    return (grounded.evidence or statement_words(grounded)) + worth


def statement_words(grounded: Grounded) -> str:
    """ "infarction (possible, inferior, old)": a statement's words are its finding's alone."""
    statement = grounded.statement
    certainty = "" if statement.certainty == "definite" else statement.certainty
    qualifiers = (certainty, statement.territory, statement.age)
    more = [word for word in qualifiers if word and word not in statement.text]
    return statement.text + (f" ({', '.join(more)})" if more else "")


def sentences(report: str) -> list[str]:
    """The report's sentences as they are read (meit.reports.statements), each with its stop, to be shown line by line. A
    semicolon begins no new line, and an abbreviation ends none."""
    starts = [0]
    for sentence, following in pairwise(read_sentences(report)):
        between = report[sentence.end : following.start]
        goes_on = between.strip() == ";" or not between[-1:].isspace() or _ABBREVIATED.search(sentence.text)
        if not goes_on:
            starts.append(following.start)
    lines = [report[start:end].strip() for start, end in pairwise([*starts, len(report)])]
    return [line for line in lines if line] or ["(no sentence)"]
