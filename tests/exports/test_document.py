"""A report as it stands now: what a reader's text states, against what is measured."""

import json
from dataclasses import replace
from datetime import datetime

import pytest

from meit.errors import MeitError
from meit.exports import EXPORT_FORMATS
from meit.exports.document import Document, Signature


def support(document):
    return {one.statement.code: one.support for one in document.current.statements}


def test_an_untouched_draft_is_the_draft(draft):
    assert draft.current is draft.draft and not draft.signed
    assert EXPORT_FORMATS["text"].write(draft).decode() == draft.draft.to_text() + "\n"
    assert (
        EXPORT_FORMATS["json"].write(draft).decode()
        == json.dumps(draft.draft.to_dict(), indent=2, ensure_ascii=False) + "\n"
    )


def test_a_changed_text_is_held_against_the_measurements_anew(draft, final):
    assert support(draft)["NORM"] == "contradicted" and any("Normal ECG" in line for line in draft.current.warnings)
    assert support(final) == {"SR": "measured", "CRBBB": "measured", "AFIB": "measured"}
    assert not any("Normal ECG" in line or "right bundle" in line for line in final.current.warnings)
    sure = {one.statement.code: one.confidence for one in final.current.statements}
    assert sure == {"SR": 0.9, "CRBBB": None, "AFIB": None}, "only what was drafted has a confidence"
    assert final.current.measurements == draft.current.measurements


def test_a_reader_without_a_draft(draft, final):
    blank = replace(final, draft=None)
    assert support(blank) == support(final) and blank.current.model is None
    assert all(one.confidence is None for one in blank.current.statements)
    text = EXPORT_FORMATS["text"].write(blank).decode()
    assert "Model" not in text and "Signed by Dr. Ada Müller, cardiologist, 2026-03-01 12:30 UTC." in text
    assert EXPORT_FORMATS["text"].write(Document(draft.recording, "Sinus rhythm.")).decode().endswith("\nNot signed.\n")


def test_what_a_signed_report_says_of_itself(amended):
    text = EXPORT_FORMATS["text"].write(amended).decode()
    assert "Version 2, amended: Read again <b>by two</b>." in text and "Draft for" not in text
    given = json.loads(EXPORT_FORMATS["json"].write(amended))
    assert given["report"] == amended.text and given["drafted"] == amended.draft.report
    assert given["status"] == "amended" and given["version"] == 2 and given["identifier"] == "report-1"
    assert given["signed"] == {"name": "Dr. Ada Müller", "role": "cardiologist", "time": "2026-03-01T12:30:00+00:00"}
    assert given["amendment_reason"] in given["note"]
    contradicted = [one["code"] for one in given["statements"] if one["support"] == "contradicted"]
    assert contradicted == ["1AVB"] and any("PR 1" in line for line in given["warnings"])


def test_an_unusable_recording_can_be_signed_with_a_text_of_ones_own(unusable, final):
    assert unusable.current.unusable and "No report was drafted" in EXPORT_FORMATS["text"].write(unusable).decode()
    signed = replace(unusable, text="No interpretation possible.", status="final", signature=final.signature)
    text = EXPORT_FORMATS["text"].write(signed).decode()
    assert "No interpretation possible." in text and "No report was drafted" not in text and "Signed by" in text
    assert signed.current.measurements is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"status": "final", "signature": None},
        {"status": "draft"},
        {"status": "signed"},
        {"text": " "},
        {"reason": "why"},
        {"status": "amended"},
    ],
)
def test_what_does_not_go_together(final, wrong):
    with pytest.raises(MeitError):
        replace(final, **wrong)


def test_a_signature_has_a_name_and_a_time_zone():
    for name, time in (("", datetime.fromisoformat("2026-01-01T00:00Z")), ("A", datetime(2026, 1, 1))):
        with pytest.raises(MeitError, match="time zone"):
            Signature(name, "", time)


@pytest.mark.parametrize("name", EXPORT_FORMATS)
def test_the_same_document_gives_the_same_bytes(final, name):
    again = replace(final)
    assert again.current is not final.current and EXPORT_FORMATS[name].write(final) == EXPORT_FORMATS[name].write(again)
