"""A report as a FHIR R4B bundle: the report, its findings, what was measured, the waveform, who and what made them.

It uses nothing that R4 (4.0.1) does not have too. docs/exports.md says what stands where.
"""

import hashlib
import json
import uuid
from datetime import datetime, timedelta
from html import escape

try:
    from fhir.resources.R4B.bundle import Bundle
except ImportError as error:
    from meit.errors import MeitError

    raise MeitError(f"FHIR needs a package that is not installed ({error.name}): pip install 'meit[station]'") from None

from meit import __version__
from meit.drafting.checks.grounding import CONTRADICTED
from meit.drafting.checks.text_check import read_whole
from meit.drafting.draft_types import ModelInfo
from meit.drafting.draft_wording import NO_REPORT, REVIEW
from meit.ecg.recording import Recording
from meit.ecg.stated import moment_words
from meit.exports import fhir_codes as to
from meit.exports.document import AMENDED, DRAFT, FINAL, Document, Signature
from meit.exports.fhir_observations import finding_observation, measurement_observations, waveform_observation
from meit.exports.page import clean

FHIR_STATUS = {DRAFT: "preliminary", FINAL: "final", AMENDED: "amended"}
# DiagnosticReport.note, which R5 has and R4 lacks, as HL7's rules for such elements name it
NOTE = "http://hl7.org/fhir/5.0/StructureDefinition/extension-DiagnosticReport.note"
MOST_OFFSET = timedelta(hours=14)  # of a time zone
NOT_CODED = ("excluded", "possible")  # certainties
BY_SOFTWARE = {
    "system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue",
    "code": "AIAST",
    "display": "Artificial Intelligence asserted",
}
_PROCEDURE = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "procedure"}]}
_ECG = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0074", "code": "EC"}]}
_ROLES = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"
LEGAL, ASSEMBLER = "legal", "assembler"  # of these


def write_fhir(document: Document) -> bytes:
    """JSON, validated. The same document gives the same bytes."""
    bundle = bundled(document)
    Bundle.model_validate(bundle)
    return (json.dumps(bundle, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()


def bundled(document: Document) -> dict:
    """The bundle, a collection; its entries refer to one another by urn:uuid addresses, which depend on the content."""
    made = _Entries(document)
    now, signature = document.current, document.signature
    subject = {"subject": made.add("Patient", **_patient(document.recording))} if _known(document.recording) else {}
    about = subject | _when(document.recording)
    software = made.add("Device", **_device("meit", [{"value": __version__}], "ECG measuring software"))
    model = made.add("Device", **_model(now.model)) if now.model else software
    observed = {"status": FHIR_STATUS[document.status], "category": [_PROCEDURE], **about}
    waveform = made.add("Observation", **observed, **waveform_observation(document.recording))
    measured = {**observed, "device": software, "derivedFrom": [waveform]}
    results = [made.add("Observation", **measured, **one) for one in measurement_observations(now.measurements)]
    labels = {"security": [BY_SOFTWARE]} if now.model and not document.signed else {}
    stated = {**observed, "device": model, "derivedFrom": [waveform]} | ({"meta": labels} if labels else {})
    results += [made.add("Observation", **stated, **finding_observation(one)) for one in now.statements]
    interpreter = {"resultsInterpreter": [_reader(made, signature)]} if signature else {}
    report = made.add(
        "DiagnosticReport",
        **_report(document, labels),
        **about,
        **interpreter,
        result=[*results, waveform],
    )
    if signature:
        agents = [(LEGAL, interpreter["resultsInterpreter"][0]), *([(ASSEMBLER, model)] if now.model else [])]
        made.add("Provenance", **_provenance(report, agents, signature.time, document.reason))
    made.entries.insert(0, made.entries.pop([one["fullUrl"] for one in made.entries].index(report["reference"])))
    return {"resourceType": "Bundle", "type": "collection", "entry": made.entries}


class _Entries:
    """Collects resources and gives each its address."""

    def __init__(self, document: Document):
        recording = document.recording
        self.entries: list[dict] = []
        told = (recording.name, document.text, document.status, document.version, document.identifier, document.closing)
        content = hashlib.sha256(repr(told).encode("utf-8", "replace") + recording.signal.tobytes())
        self.space = uuid.UUID(bytes=content.digest()[:16], version=5)

    def add(self, kind: str, **content) -> dict:
        """Adds a resource; returns a reference to it."""
        address = uuid.uuid5(self.space, f"{len(self.entries)} {kind}").urn
        self.entries.append({"fullUrl": address, "resource": {"resourceType": kind, **content}})
        return {"reference": address}


def _report(document: Document, labels: dict) -> dict:
    now = document.current
    nothing = now.unusable and not now.report
    conclusion = NO_REPORT if nothing else clean(now.report)
    notes = [*([] if document.signed or nothing else [REVIEW]), *now.warnings]
    if document.reason:
        notes.insert(0, f"Amended: {document.reason}")
    if document.recording.start is not None and document.recording.start.tzinfo is None:
        notes.append(f"Recorded {moment_words(document.recording.start)}; the time zone is not stated.")
    version = {"versionId": str(document.version)} if document.signed else {}
    named = {"identifier": [{"value": clean(document.identifier)}]} if document.identifier else {}
    asserted = _conclusions(document)
    issued = {"issued": _instant(document.signature.time)} if document.signature else {}
    lines = [document.status, conclusion, *notes, *document.closing]
    told = "".join(f"<p>{escape(clean(line))}</p>" for line in lines if line)
    return {
        **({"meta": version | labels} if version | labels else {}),
        "text": {"status": "generated", "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{told}</div>'},
        "extension": [{"url": NOTE, "valueAnnotation": {"text": clean(note)}} for note in notes],
        **named,
        "status": FHIR_STATUS[document.status],
        "category": [_ECG],
        "code": to.concept("12-lead ECG", to.STUDY),
        **issued,
        **({"conclusion": conclusion} if conclusion else {}),
        **({"conclusionCode": asserted} if asserted else {}),
    }


def _conclusions(document: Document) -> list[dict]:
    """What the report asserts, each code once. A code says neither "possible" nor "no", so that such statements are
    findings only; so is what a draft states against the measurements, until somebody has signed it, and what stands
    beside words that were not understood, since they may say the opposite."""
    stated = {one.code for one in read_whole(document.text) if one.certainty not in NOT_CODED}
    kept = {
        one.statement.code: None
        for one in document.current.statements
        if one.statement.code in stated
        and one.statement.certainty not in NOT_CODED
        and (document.signed or one.support != CONTRADICTED)
    }
    return [to.finding_concept(code) for code in kept]


def _known(recording: Recording) -> bool:
    patient = recording.patient
    return any(value is not None for value in (patient.id, patient.age, patient.sex))


def _patient(recording: Recording) -> dict:
    patient = recording.patient
    gender = {"F": "female", "M": "male"}.get(patient.sex or "")
    return ({"identifier": [{"value": clean(patient.id)}]} if patient.id else {}) | (
        {"gender": gender} if gender else {}
    )


def _when(recording: Recording) -> dict:
    """Files rarely state a time zone, and FHIR has no time of day without one, nor any but whole minutes: then the date
    alone."""
    start = recording.start
    if start is None:
        return {}
    offset = start.utcoffset()
    told = offset is not None and offset.total_seconds() % 60 == 0 and abs(offset) <= MOST_OFFSET
    return {"effectiveDateTime": _instant(start) if told else start.date().isoformat()}


def _device(name: str, versions: list[dict], kind: str) -> dict:
    return {"deviceName": [{"name": clean(name), "type": "model-name"}], "type": {"text": kind}, "version": versions}


def _model(model: ModelInfo) -> dict:
    hashed = {"type": {"text": "SHA-256 of the model"}, "value": model.sha256}
    return _device(model.name, [{"value": model.version}, hashed], "model that drafts ECG reports")


def _reader(made: _Entries, signature: Signature) -> dict:
    who = made.add("Practitioner", name=[{"text": clean(signature.name)}])
    role = {"code": [{"text": clean(signature.role)}]} if signature.role else {}
    return made.add("PractitionerRole", practitioner=who | {"display": clean(signature.name)}, **role)


def _provenance(report: dict, agents: list[tuple[str, dict]], time: datetime, reason: str) -> dict:
    """Who signed, when, why, and the model that drafted. agents: as what, and who."""
    return {
        "target": [report],
        "recorded": _instant(time),
        **({"reason": [{"text": clean(reason)}]} if reason else {}),
        "agent": [{"type": {"coding": [{"system": _ROLES, "code": role}]}, "who": who} for role, who in agents],
    }


def _instant(time: datetime) -> str:
    return time.isoformat(timespec="seconds")
