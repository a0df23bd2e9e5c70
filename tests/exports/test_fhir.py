"""FHIR bundles: valid, complete, honest about what is only drafted."""

import importlib
import json
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest
from fhir.resources.R4B.bundle import Bundle
from hypothesis import given, settings
from hypothesis import strategies as st

from meit.ecg import LEADS
from meit.ecg.measure import GLOBAL
from meit.ecg.recording import Patient
from meit.errors import MeitError
from meit.exports import EXPORT_FORMATS, fhir_codes
from meit.exports.document import Document
from meit.exports.fhir import write_fhir as write


class Read:
    """A bundle as a reader of it sees it: validated, resources by kind, references followed."""

    def __init__(self, document):
        self.text = write(document).decode()
        self.bundle = json.loads(self.text)
        Bundle.model_validate_json(self.text)
        self.at = {entry["fullUrl"]: entry["resource"] for entry in self.bundle["entry"]}
        assert len(self.at) == len(self.bundle["entry"])
        self.report = self.bundle["entry"][0]["resource"]
        self.results = [self.at[one["reference"]] for one in self.report["result"]]
        self.notes = [one["valueAnnotation"]["text"] for one in self.report.get("extension", [])]

    def all(self, kind):
        return [one for one in self.at.values() if one["resourceType"] == kind]

    def findings(self):
        return [one for one in self.results if "valueBoolean" in one]

    def measured(self):
        return {one["code"]["text"]: one for one in self.results if "valueQuantity" in one}

    def waveform(self):
        (one,) = [one for one in self.results if one["code"].get("coding", [{}])[0].get("code") == "131328"]
        return {part["code"]["text"]: part for part in one["component"]}, one


def references(value):
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from [inner] if key == "reference" else references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


def parts(finding):
    values = ("valueCodeableConcept", "valueQuantity")
    return {one["code"]["text"]: next(one[name] for name in values if name in one) for one in finding["component"]}


def coded(concept, system):
    return [one["code"] for one in concept.get("coding", []) if one["system"] == system]


def test_a_draft(draft):
    read = Read(draft)
    assert read.bundle["type"] == "collection" and set(references(read.bundle)) <= set(read.at)
    assert read.report["status"] == "preliminary" and read.report["conclusion"] == draft.text
    assert coded(read.report["code"], fhir_codes.LOINC) == ["11524-6"]
    assert {one["status"] for one in read.results} == {"preliminary"}
    assert "issued" not in read.report and not read.all("Practitioner") and not read.all("Provenance")
    assert tuple(one for one in read.notes if one in draft.current.warnings) == draft.current.warnings
    assert "not a diagnosis" in read.notes[0]
    model = next(one for one in read.all("Device") if one["deviceName"][0]["name"] == "some model")
    assert [one["value"] for one in model["version"]] == ["7", draft.draft.model.sha256]
    drafted = [one for one in [read.report, *read.findings()] if one["meta"]["security"][0]["code"] == "AIAST"]
    assert len(drafted) == 1 + len(draft.current.statements)


def test_findings_keep_support_confidence_and_evidence(draft):
    read = Read(draft)
    for one, finding in zip(draft.current.statements, read.findings(), strict=True):
        said = parts(finding)
        assert said["support"]["text"] == one.support and said["certainty"]["text"] == one.statement.certainty
        (confidence,) = [value for name, value in said.items() if name.startswith("confidence")]
        assert confidence["value"] == one.confidence and finding["code"]["text"] == one.statement.text
        assert [note["text"] for note in finding.get("note", [])] == ([one.evidence] if one.evidence else [])
    waveform = read.waveform()[1]
    assert all(read.at[one["derivedFrom"][0]["reference"]] is waveform for one in read.results if one is not waveform)


def test_a_code_of_the_conclusion_is_asserted(draft, final):
    """A draft's contradicted "normal ECG" and its "possible" finding are findings, not conclusions."""
    assert [coded(one, fhir_codes.SCP) for one in Read(draft).report["conclusionCode"]] == [["SR"]]
    signed = replace(
        final, text="Normal ECG. Possible anterior infarction. No atrial fibrillation. Left axis deviation."
    )
    read = Read(signed)
    assert [one["text"] for one in read.report["conclusionCode"]] == ["normal ECG", "left axis deviation"]
    given = {one["code"]["text"]: one["valueBoolean"] for one in read.findings()}
    assert given["atrial fibrillation"] is False and given["Normal ECG"] is True and len(given) == 4


def test_a_sentence_that_was_not_read_whole_gives_no_code(final):
    signed = replace(final, text="Sinus rhythm. Atrial fibrillation glorped. Left axis deviation.")
    read = Read(signed)
    assert [one["text"] for one in read.report["conclusionCode"]] == ["sinus rhythm", "left axis deviation"]
    assert "Atrial fibrillation glorped." in read.report["conclusion"]


def test_what_is_gone_is_not_coded(final):
    """Signed, it was exported with atrial fibrillation's code once."""
    read = Read(replace(final, text="Sinus rhythm. Atrial fibrillation is no longer present."))
    assert [one["text"] for one in read.report["conclusionCode"]] == ["sinus rhythm"]
    assert "atrial fibrillation" not in {one["code"]["text"] for one in read.findings() if one["valueBoolean"]}


def test_a_signed_report(final, amended):
    read = Read(final)
    assert read.report["status"] == "final" and read.report["issued"] == "2026-03-01T12:30:00+00:00"
    assert read.report["identifier"] == [{"value": "report-1"}] and read.report["meta"] == {"versionId": "1"}
    role = read.at[read.report["resultsInterpreter"][0]["reference"]]
    assert role["code"][0]["text"] == "cardiologist"
    assert read.at[role["practitioner"]["reference"]]["name"] == [{"text": "Dr. Ada Müller"}]
    (provenance,) = read.all("Provenance")
    assert read.at[provenance["target"][0]["reference"]] is read.report and len(provenance["agent"]) == 2
    again = Read(amended)
    assert again.report["status"] == "amended" and again.report["meta"] == {"versionId": "2"}
    assert again.report["identifier"] == read.report["identifier"] and not set(again.at) & set(read.at)
    assert again.all("Provenance")[0]["reason"] == [{"text": amended.reason}] and amended.reason in again.notes[0]
    assert "&lt;b&gt;by two" in again.report["text"]["div"] and "1AVB" in again.text
    blank = Read(replace(final, draft=None))
    assert len(blank.all("Provenance")[0]["agent"]) == 1 and len(blank.all("Device")) == 1


def test_an_unusable_recording(unusable):
    read = Read(unusable)
    assert read.report["conclusion"].startswith("No report was drafted") and "conclusionCode" not in read.report
    assert read.notes == list(unusable.current.warnings) and "no ECG" in read.notes[0]
    assert read.results == [read.waveform()[1]]


def test_measurements(draft):
    read, found = Read(draft), draft.current.measurements
    given = read.measured()
    assert set(given) == {words for name, words in GLOBAL.items() if found[name].value is not None}
    qrs = given[GLOBAL["qrs_ms"]]
    assert qrs["valueQuantity"] == {
        "value": round(found["qrs_ms"].value, 3),
        "unit": "ms",
        "system": fhir_codes.UCUM,
        "code": "ms",
    }
    assert coded(qrs["code"], fhir_codes.LOINC) == ["8633-0"] and coded(qrs["code"], fhir_codes.MDC) == ["147228"]
    assert parts(qrs)["reliability"]["value"] == found["qrs_ms"].reliability
    assert given[GLOBAL["heart_rate_bpm"]]["valueQuantity"]["code"] == "/min"
    assert given[GLOBAL["axis_deg"]]["valueQuantity"]["code"] == "deg"
    assert given[GLOBAL["sokolow_lyon_mv"]]["valueQuantity"]["code"] == "mV"
    assert given[GLOBAL["p_present"]]["valueQuantity"]["code"] == "1"


def test_the_waveform_is_the_recording(block, draft):
    leads, _ = Read(draft).waveform()
    assert list(leads) == list(LEADS)
    for lead, part in leads.items():
        sampled = part["valueSampledData"]
        values = np.array([float(word) for word in sampled["data"].split()]) * sampled["factor"]
        np.testing.assert_allclose(values, block.lead(lead), atol=0.00051)
        assert sampled["period"] == 2 and sampled["origin"]["value"] == 0 and sampled["origin"]["code"] == "mV"
    codes = {lead: int(coded(part["code"], fhir_codes.MDC)[0]) - 131328 for lead, part in leads.items()}
    from pydicom.sr._concepts_dict import concepts

    named = {words: code for found in concepts["MDC"].values() for code, (words, _) in found.items()}
    for lead in ("I", "II", "III", *LEADS[6:]):
        assert f"2:{codes[lead]}" == named[f"Lead {lead}"]
    assert [codes[lead] for lead in ("aVR", "aVL", "aVF")] == [62, 63, 64]


def test_gaps_missing_derived_and_long(block):
    signal = np.concatenate([block.signal, block.signal])
    signal[10:20], signal[:, 8] = np.nan, np.nan
    recording = replace(block, signal=signal, derived=("III",))
    leads, whole = Read(Document(recording, "Sinus rhythm.")).waveform()
    assert "valueSampledData" not in leads["V3"] and leads["V3"]["dataAbsentReason"]["text"] == "not recorded"
    data = leads["II"]["valueSampledData"]["data"].split()
    assert len(data) == 5000 and data[10:20] == ["E"] * 10 and "E" not in data[20:]
    assert [one["text"] for one in whole["note"]] == ["computed from other leads: III", "the first 10 s of 20 s"]


def test_who_and_when_as_far_as_the_file_says(block, draft):
    assert not Read(draft).all("Patient") and "effectiveDateTime" not in Read(draft).report
    told = replace(block, patient=Patient("p<1>", 70.0, "F"), start=datetime(2020, 5, 6, 7, 8, 9))
    read = Read(Document(told, "Sinus rhythm."))
    (patient,) = read.all("Patient")
    assert patient == {"resourceType": "Patient", "identifier": [{"value": "p<1>"}], "gender": "female"}
    assert read.at[read.report["subject"]["reference"]] is patient
    assert read.report["effectiveDateTime"] == "2020-05-06" and any("07:08:09" in note for note in read.notes)
    zoned = replace(told, start=told.start.replace(tzinfo=timezone(timedelta(hours=2))))
    assert Read(Document(zoned, "Sinus rhythm.")).report["effectiveDateTime"] == "2020-05-06T07:08:09+02:00"


def test_codes_are_whole_and_those_of_their_sources():
    for name, (loinc, loinc_words, mdc, mdc_words) in fhir_codes._measurements().items():
        assert name in GLOBAL and bool(loinc) == bool(loinc_words) and bool(mdc) == bool(mdc_words) and loinc + mdc
        if loinc:
            digits, check = loinc.split("-")  # modulus 10, as LOINC's manual has it
            doubled = "".join(str(int(digit) * (2 - place % 2)) for place, digit in enumerate(digits[::-1]))
            assert (10 - sum(map(int, doubled)) % 10) % 10 == int(check), loinc
    from pydicom.sr._concepts_dict import concepts
    from pydicom.sr._snomed_dict import mapping

    groups = {3228, 3229}
    every = [(code, *told) for found in concepts["MDC"].values() for code, told in found.items()]
    named = {code: words for code, words, cids in every if groups & set(cids)}
    for _, _, mdc, words in fhir_codes._measurements().values():
        if mdc:
            assert named[f"2:{int(mdc) - 2 * 65536}"] == words
    assert {dicom: mapping["SRT"][dicom] for dicom in fhir_codes._snomed()} == fhir_codes._snomed()
    block = fhir_codes.finding_concept("CLBBB")
    assert coded(block, fhir_codes.SNOMED) == ["63467002"] and coded(block, fhir_codes.DCM) == ["122752"]
    assert "coding" not in fhir_codes.finding_concept("TALLR"), "what has no code stands in words"


@settings(max_examples=15, deadline=None)
@given(st.text(max_size=60), st.text(min_size=1, max_size=20))
def test_any_text_gives_a_valid_bundle(unusable, text, name):
    recording = replace(unusable.recording, name=name, patient=Patient(id=name))
    assert Read(Document(recording, text)).report["status"] == "preliminary"


def test_without_the_package_it_says_what_to_install(monkeypatch):
    from meit.exports import EXPORT_FORMATS

    monkeypatch.setitem(sys.modules, "fhir.resources.R4B.bundle", None)
    monkeypatch.delitem(sys.modules, "meit.exports.fhir")
    importlib.invalidate_caches()
    with pytest.raises(MeitError, match=r"pip install 'meit\[station\]'"):
        assert EXPORT_FORMATS["fhir"].write


@pytest.mark.parametrize(
    ("start", "stated"),
    [
        (datetime(1, 1, 1), "0001-01-01"),
        (datetime(999, 12, 31, 23, 59, 59), "0999-12-31"),
        (datetime(9999, 12, 31, 23, 59, 59), "9999-12-31"),
        (datetime(2020, 1, 2, 3, 4, 5, tzinfo=timezone(timedelta(hours=5, minutes=30))), "2020-01-02T03:04:05+05:30"),
        (datetime(2020, 1, 2, 3, 4, 5, tzinfo=timezone(timedelta(hours=23))), "2020-01-02"),
        (datetime(2020, 1, 2, 3, 4, 5, tzinfo=timezone(timedelta(minutes=30, seconds=7))), "2020-01-02"),
        (datetime(1, 1, 1, tzinfo=UTC), "0001-01-01T00:00:00+00:00"),
    ],
)
@pytest.mark.parametrize("name", EXPORT_FORMATS)
def test_any_date_can_be_written(draft, start, stated, name):
    recording = replace(draft.recording, start=start)
    written = EXPORT_FORMATS[name].write(replace(draft, recording=recording))
    if name == "fhir":
        observed = [e["resource"] for e in json.loads(written)["entry"] if "effectiveDateTime" in e["resource"]]
        assert observed and {one["effectiveDateTime"] for one in observed} == {stated}
