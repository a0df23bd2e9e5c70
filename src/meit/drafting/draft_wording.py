"""How a draft is worded for a person: its sentences, its statements with their marks, what was measured."""

from meit.drafting.grounding import CONTRADICTED, MEASURED, UNCHECKED, Grounded
from meit.ecg.measure import Measurements

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
    return f"{MARKS[grounded.support]} {sure}  {grounded.evidence or in_words(grounded)}"


def in_words(grounded: Grounded) -> str:
    """ "infarction (possible, inferior, old)": a statement's words are its finding's alone."""
    statement = grounded.statement
    certainty = "" if statement.certainty == "definite" else statement.certainty
    qualifiers = (certainty, statement.territory, statement.age)
    more = [word for word in qualifiers if word and word not in statement.text]
    return statement.text + (f" ({', '.join(more)})" if more else "")


def sentences(report: str) -> list[str]:
    """The report's sentences, one by one."""
    parts = [part.strip() for part in report.replace(". ", ".\n").splitlines()]
    return [part for part in parts if part] or ["(no sentence)"]
