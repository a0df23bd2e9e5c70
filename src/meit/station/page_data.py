"""What the page of one recording shows: the draft with its evidence, the text as it stands, what is signed."""

from contextlib import suppress

from meit.drafting.checks.grounding import Grounded, finding_of
from meit.drafting.draft_wording import statement_words
from meit.errors import AbsentError
from meit.exports.document import AMENDED, DRAFT, FINAL, Document, Signature, as_drafted
from meit.reports.gravity import critical_words
from meit.reports.statements import read_sentences
from meit.station.shelf import Shown
from meit.station.store import Store
from meit.station.store.recording_entries import WorklistEntry, others_of_patient
from meit.station.store.saved_drafts import SavedDraft, check_text, get_draft
from meit.station.store.signing import Signed, Working, signed_versions, working_text
from meit.station.tracing_places import places_of


def reading(store: Store, entry: WorklistEntry, shown: Shown) -> dict:
    """All of it, JSON-ready. draft: None while there is none."""
    text: Working | None = None
    draft: SavedDraft | None = None
    with suppress(AbsentError):
        text = working_text(store, entry.id)
        draft = get_draft(store, entry.id, text.draft_id)
    earlier = next((one for one in others_of_patient(store, entry.id) if _is_before(one, entry)), None)
    return {
        "id": entry.public_id,
        "status": entry.status,
        "error": entry.error,
        "critical": [critical_words(name) for name in entry.critical],
        "draft": draft and shown_draft(draft, shown),
        "text": text and working(text),
        "checked": text and draft and checked_text(store, text.text, draft, shown),
        "versions": [version(one) for one in signed_versions(store, entry.id)],
        "previous": earlier and previous(store, earlier),
    }


def previous(store: Store, earlier: WorklistEntry) -> dict:
    """The patient's ECG before this one; report: as signed, None where nobody has."""
    signed = signed_versions(store, earlier.id)
    return {
        "id": earlier.public_id,
        "acquired_at": earlier.acquired_at,
        "report": signed[0].text if signed else None,
    }


def working(text: Working) -> dict:
    """draft: to be sent with the first text that is saved."""
    saved = None if text.saved_at is None else text.saved_at.isoformat(timespec="seconds")
    return {"version": text.version, "text": text.text, "draft": text.draft_id, "saved_at": saved}


def shown_draft(draft: SavedDraft, shown: Shown) -> dict:
    """The model's draft, with where to look for each statement."""
    drafted = draft.draft
    return {
        "report": drafted.report,
        "statements": [statement(one, shown) for one in drafted.statements],
        "warnings": list(drafted.warnings),
        "verdict": drafted.quality and drafted.quality.verdict,
        "measured": drafted.measured(),
        "by": drafted.drafted_by(),
        "limits": drafted.limits(),
        "note": drafted.note,
    }


def checked_text(store: Store, text: str, draft: SavedDraft, shown: Shown) -> dict:
    """Any text, held against what was measured for a draft: its statements, what they contradict, what they leave out."""
    found = check_text(store, draft.recording_id, text, draft.id)
    sure = {(one.statement.code, one.statement.negated): one for one in draft.draft.statements}
    return {
        "statements": [_statement(one, sure, shown) for one in found.statements],
        "not_read": [
            {"start": sentence.start, "end": sentence.end, "words": list(sentence.unread)}
            for sentence in read_sentences(text)
            if not sentence.whole
        ],
        "contradicted": list(found.contradictions),
        "unmentioned": [
            {
                "words": one.words,
                "says": f"{capital(finding_of(one.code))}.",
                "places": [place.to_dict() for place in places_of(one.code, "", one.words, shown.document)],
            }
            for one in found.unmentioned
        ],
    }


def statement(grounded: Grounded, shown: Shown) -> dict:
    found = places_of(grounded.statement.code, grounded.statement.territory, grounded.evidence, shown.document)
    given = grounded.to_dict()
    return {**given, "words": capital(statement_words(grounded)), "places": [place.to_dict() for place in found]}


def version(signed: Signed) -> dict:
    return {
        "number": signed.number,
        "text": signed.text,
        "reason": signed.reason,
        "signer": signed.signer,
        "profession": signed.profession,
        "signed_at": signed.signed_at.isoformat(timespec="seconds"),
        "acknowledged": list(signed.acknowledged),
        "anchor": str(signed.anchor),
    }


def exported(store: Store, entry: WorklistEntry, shown: Shown, number: int | None = None) -> Document:
    """The report as it is exported: the signed version of that number, else the newest one, else the draft as it
    stands, which says that it is one. The model it names is the one whose draft the text began with, whatever was
    drafted since. Raises AbsentError where there is none."""
    versions = signed_versions(store, entry.id)
    identifier = f"urn:uuid:{entry.public_id}"
    if number is None and not versions:
        text = working_text(store, entry.id)
        draft = get_draft(store, entry.id, text.draft_id).draft
        return Document(shown.recording, text.text, draft, DRAFT, identifier=identifier)
    chosen = next((one for one in versions if number in (None, one.number)), None)
    if chosen is None:
        raise AbsentError("there is no signed version of that number")
    draft = get_draft(store, entry.id, chosen.draft_id).draft
    signature = Signature(chosen.signer, chosen.profession, chosen.signed_at)
    status = AMENDED if chosen.reason else FINAL
    return Document(shown.recording, chosen.text, draft, status, signature, chosen.reason, chosen.number, identifier)


def _statement(one: Grounded, sure: dict, shown: Shown) -> dict:
    return statement(as_drafted(one, sure.get((one.statement.code, one.statement.negated))), shown)


def capital(words: str) -> str:
    return words[:1].upper() + words[1:]


def _is_before(one: WorklistEntry, entry: WorklistEntry) -> bool:
    """By the recorder's clock, else by when they came."""
    if one.acquired_at and entry.acquired_at and one.acquired_at != entry.acquired_at:
        return one.acquired_at < entry.acquired_at
    return one.id < entry.id
