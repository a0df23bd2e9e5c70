"""Documents of real recordings: the words are given here, all else is what drafting makes of them."""

from datetime import UTC, datetime
from functools import cache
from io import BytesIO
from pathlib import Path

import pytest

from meit.drafting.checks.grounding import ground
from meit.drafting.draft_types import Draft, ModelInfo, RecordingInfo
from meit.drafting.draft_wording import NO_REPORT
from meit.ecg import read_ecg
from meit.ecg.measure import measure
from meit.ecg.quality import inspect
from meit.ecg.recording import Recording
from meit.exports.document import Document, Signature, untouched

EXAMPLES = Path(__file__).parents[2] / "examples" / "ptb-xl"
MODEL = ModelInfo("some model", "7", "0123456789abcdef" * 4)
WRITTEN = "Sinus rhythm. Normal ECG. Possible left atrial enlargement."
SIGNED = Signature("Dr. Ada Müller", "cardiologist", datetime(2026, 3, 1, 12, 30, tzinfo=UTC))


def draft_of(recording: Recording, text: str = WRITTEN, confidence: float | None = 0.9) -> Draft:
    """The draft had a model written this text, of the same confidence throughout."""
    quality, info = inspect(recording), RecordingInfo.of(recording)
    if quality.verdict == "unusable":
        return Draft(info, "", (), tuple(quality.warnings()), MODEL, quality, note=NO_REPORT)
    found = measure(recording)
    sure = lambda statements: [None if one.statement.negated else confidence for one in statements]  # noqa: E731
    grounding = ground(text, found, recording.patient.sex, recording.patient.age, sure)
    warnings = (*grounding.warnings, *quality.warnings())
    return Draft(info, grounding.report, grounding.statements, warnings, MODEL, quality, found)


@pytest.fixture(scope="session")
def block() -> Recording:
    """A right bundle branch block, 500 Hz."""
    return read_ecg(EXAMPLES / "00195_hr")


@pytest.fixture(scope="session")
def draft(block) -> Document:
    return untouched(block, draft_of(block))


@pytest.fixture(scope="session")
def final(draft) -> Document:
    """As draft, corrected and signed."""
    text = "Sinus rhythm. Complete right bundle branch block. No atrial fibrillation."
    return Document(draft.recording, text, draft.draft, "final", SIGNED, identifier="report-1")


@pytest.fixture(scope="session")
def amended(final) -> Document:
    text = "Sinus rhythm. Complete right bundle branch block. First degree AV block."
    return Document(
        final.recording, text, final.draft, "amended", SIGNED, "Read again <b>by two</b>.", 2, final.identifier
    )


@pytest.fixture(scope="session")
def unusable() -> Document:
    import numpy as np

    signal = np.random.default_rng(0).normal(size=(1000, 12)).astype(np.float32)
    recording = Recording("noise", signal, 100.0)
    return untouched(recording, draft_of(recording))


@pytest.fixture(scope="session")
def pdf():
    """document -> the pages of its PDF and their text, in one line each; made once a document."""
    from pypdf import PdfReader

    from meit.exports.pdf import write_pdf as write

    @cache
    def read(document):
        pages = list(PdfReader(BytesIO(write(document))).pages)
        return pages, [page.extract_text() for page in pages]

    return read
