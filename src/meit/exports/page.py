"""What stands on the printed page of a report, whatever it is printed as: PDF and HTML say the same."""

from dataclasses import dataclass

from meit.drafting.checks.grounding import CONTRADICTED, MEASURED, UNCHECKED, Grounded
from meit.drafting.draft_wording import MARKS, NO_REPORT, evidence_words, sentences
from meit.ecg.paper import MM_PER_MILLIVOLT, MM_PER_SECOND, SHEET_SECONDS, about_patient
from meit.ecg.stated import moment_words
from meit.exports.document import AMENDED, DRAFT, FINAL, Document

BANNERS = {DRAFT: "DRAFT – not signed", FINAL: "Final report", AMENDED: "Amended report, version {}"}
LEGEND = {MEASURED: "measured", UNCHECKED: "nothing measured can check it", CONTRADICTED: "contradicted"}
SURE = "the model's confidence"
CHECK, NOTED, WHY = "To be checked", "Noted by the software", "Why"


@dataclass(frozen=True)
class Finding:
    """A statement: its mark, the confidence of the draft ("" where there is none), and what it rests on."""

    mark: str
    support: str
    confidence: str
    text: str


@dataclass(frozen=True)
class PrintedPage:
    """All in words that can be printed: no control characters. remarks: what to check, under a heading."""

    title: str
    patient: str
    recorded: str
    shown: str
    scale: str
    status: str
    banner: str
    report: tuple[str, ...]
    findings: tuple[Finding, ...]
    measured: tuple[tuple[str, str], ...]
    remarks_heading: str
    remarks: tuple[str, ...]
    closing: tuple[str, ...]

    @property
    def marks(self) -> dict[str, str]:
        """The marks of its findings, by support, to be explained."""
        return {one.support: one.mark for one in self.findings}


def printed_page(document: Document) -> PrintedPage:
    recording, now = document.recording, document.current
    nothing = now.unusable and not now.report
    shown = min(SHEET_SECONDS, recording.seconds)
    return PrintedPage(
        title=clean(recording.name),
        patient=clean(about_patient(recording)),
        recorded=moment_words(recording.start).replace(" ", "  ") if recording.start else "recording time not stated",
        shown=f"{shown:.4g} s of {recording.seconds:.4g} s,  {recording.rate:g} Hz",
        scale=f"{MM_PER_SECOND:g} mm/s   {MM_PER_MILLIVOLT:g} mm/mV   as stored in the file, no filter applied",
        status=document.status,
        banner=BANNERS[document.status].format(document.version),
        report=(NO_REPORT,) if nothing else tuple(clean(line) for line in sentences(now.report)),
        findings=tuple(_finding(one) for one in now.statements),
        measured=tuple((name, value) for name, _, value in (words.partition(" ") for words in now.measured())),
        remarks_heading=WHY if nothing else NOTED if document.signed else CHECK,
        remarks=tuple(clean(line) for line in now.warnings),
        closing=tuple(clean(line) for line in document.closing),
    )


def clean(text: str) -> str:
    """Without what neither XML nor a page can hold."""
    kept = (character if character.isprintable() else " " for character in text)
    return "".join(character for character in kept if not 0xD800 <= ord(character) < 0xE000)


def _finding(grounded: Grounded) -> Finding:
    sure = "" if grounded.confidence is None else f"{grounded.confidence:.0%}"
    words = clean(evidence_words(grounded))
    return Finding(MARKS[grounded.support], grounded.support, sure, words)
