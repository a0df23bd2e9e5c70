"""The codes of a FHIR bundle: of findings, measurements and leads. Where there is none, words stand alone."""

from functools import cache

from meit.ecg.measure import GLOBAL
from meit.reports.statements import codes
from meit.tables import rows_of

LOINC, UCUM = "http://loinc.org", "http://unitsofmeasure.org"
MDC = "urn:iso:std:iso:11073:10101"
SCP = "https://doi.org/10.1038/s41597-020-0495-6"  # PTB-XL's table of SCP-ECG codes; SCP-ECG has no address of its own
AHA = "https://doi.org/10.1161/CIRCULATIONAHA.106.180201"  # the diagnostic statement list of AHA, ACCF and HRS
AECG = "urn:oid:2.16.840.1.113883.6.24"  # MDC as HL7's annotated ECG has it, by reference ids
NCIT = "http://ncicb.nci.nih.gov/xml/owl/EVS/Thesaurus.owl"  # CDISC's terms are codes of the NCI Thesaurus
SNOMED = "http://snomed.info/sct"
DCM = "http://dicom.nema.org/resources/ontology/DCM"

STUDY = (LOINC, "11524-6", "EKG study")
UCUM_UNITS = {"bpm": "/min", "ms": "ms", "deg": "deg", "mv": "mV"}  # by the end of a measurement's name; else "1"


def concept(text: str, *codings: tuple[str, str, str]) -> dict:
    """A CodeableConcept: (system, code, its name in that system or "") and what it is called here."""
    given = [{"system": system, "code": code} | ({"display": name} if name else {}) for system, code, name in codings]
    return ({"coding": given} if given else {}) | {"text": text}


def finding_concept(code: str) -> dict:
    """The concept of a finding of meit.reports, with its codes in other systems."""
    one = codes()[code]
    given = [(SCP, code, one.description)] if one.is_scp else []
    for system, own in ((AHA, one.aha), (AECG, one.aecg_refid), (NCIT, one.cdisc)):
        given += [(system, own, "")] if own else []
    for dicom in filter(None, one.dicom.split(" or ")):
        snomed = _snomed().get(dicom)
        given.append((SNOMED, snomed, "") if snomed else (DCM, dicom, ""))
    return concept(one.description, *given)


def measurement_concept(name: str) -> dict:
    """The concept of a measurement, a name of meit.ecg.measure's GLOBAL."""
    loinc, loinc_words, mdc, mdc_words = _measurements().get(name, ("",) * 4)
    given = [(LOINC, loinc, loinc_words)] if loinc else []
    return concept(GLOBAL[name], *given, *([(MDC, mdc, mdc_words)] if mdc else []))


def quantity(value: float, unit: str) -> dict:
    return {"value": value, "unit": unit, "system": UCUM, "code": unit}


def unit_of(name: str) -> str:
    return UCUM_UNITS.get(name.rsplit("_", 1)[-1], "1")


@cache
def _snomed() -> dict[str, str]:
    return dict(rows_of("meit.exports", "finding_codes.tsv"))


@cache
def _measurements() -> dict[str, tuple[str, ...]]:
    return {name: tuple(rest) for name, *rest in rows_of("meit.exports", "measurement_codes.tsv")}
