"""What identifies a patient, listed for each format, is in the source's bytes and in no byte of what is written."""

import base64
import json
import re
import stat
import struct
import xml.etree.ElementTree as ET
from binascii import crc_hqx
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import ishneholterlib
import numpy as np
import pydicom
import pyedflib
import pytest
from forked_meit import run_meit
from hypothesis import given, settings
from hypothesis import strategies as st
from made_files import write_cardiosoft, write_kardia, write_mfer
from pydicom.data import get_testdata_file

from meit.drafting.draft_types import RecordingInfo
from meit.ecg.deidentify import check_apart, deidentified, pseudonym, read_key, safe_age, shifted, write_wfdb
from meit.ecg.files.formats import FORMATS, find_recordings, format_of, read_ecg
from meit.ecg.recording import LEADS, Recording
from meit.ecg.stated import Cart, Patient
from meit.errors import DataError

KEY, OTHER = bytes(range(32)), bytes(range(1, 33))
DATA = Path(__file__).parents[1] / "samples" / "ecg"
BIRTH, START = date(1950, 5, 7), datetime(2020, 3, 6, 7, 8, 9)
SPELLINGS = ("%Y-%m-%d", "%d/%m/%Y", "%m/%d/%Y", "%m-%d-%Y", "%d-%m-%Y", "%Y%m%d", "%d.%m.%Y", "%d-%b-%Y", "%d-%B-%Y")
HEADER = re.compile(  # all that a header may say
    r"[0-9a-f]{16} \d+ [\d.]+ \d+( \d\d:\d\d:\d\d \d\d/\d\d/2\d{3})?\n"
    r"([0-9a-f]{16}\.dat 16 [\d.e+-]+\(-?\d+\)/mV 16 0 -?\d+ -?\d+ 0 (I|II|III|aV[RLF]|V[1-6])\n)+"
    r"(# <age>: \d+\n)?(# <sex>: [FM]\n)?(# <subject_id>: [0-9a-f]{16}\n)?"
)


def microvolts(lead: str) -> np.ndarray:
    return np.rint(read_ecg(DATA / "00001_hr.hea").lead(lead).astype(np.float64) * 1000).astype(np.int16)


# -- a source of each format with all its identifying fields filled ----------------------------------------------


def filled_xml(sample: str, values: dict[str, str]) -> Callable[[Path], Path]:
    """The sample with "parent/tag" (a text, added where there is none) or "tag@attribute" set wherever it occurs."""

    def write(folder: Path) -> Path:
        root = ET.parse(DATA / "vendor" / sample).getroot()
        namespace = root.tag[: root.tag.find("}") + 1]  # with its braces; empty for MUSE
        for name, value in values.items():
            place, _, attribute = name.partition("@")
            parent, _, tag = place.rpartition("/")
            above = [root] if parent in ("", root.tag.removeprefix(namespace)) else list(root.iter(namespace + parent))
            found = [e for one in above for e in (one if parent else one.iter()) if e.tag == namespace + tag]
            assert above and (found or not attribute), name
            for element in found or [ET.SubElement(above[0], namespace + tag)]:
                if attribute:
                    element.set(attribute, value)
                else:
                    element.text = value
        path = folder / "Doe_Jane_19500507.xml"
        ET.register_namespace("", namespace.strip("{}") or "urn:none")
        ET.ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)
        return path

    return write


MUSE = {
    "PatientDemographics/PatientID": "MRN4711007",
    "PatientDemographics/PatientLastName": "Doequist",
    "PatientDemographics/PatientFirstName": "Janeane",
    "PatientDemographics/DateofBirth": "05-07-1950",
    "PatientDemographics/Race": "CAUCASIAN",
    "TestDemographics/SiteName": "Saint Elsewhere",
    "TestDemographics/LocationName": "Cardiology West",
    "TestDemographics/RoomID": "ROOM 4711",
    "TestDemographics/AcquisitionDate": "03-06-2020",
    "TestDemographics/EditDate": "03-08-2020",
    "TestDemographics/OverreaderID": "OVR4471",
    "TestDemographics/OverreaderLastName": "Overreaderman",
    "TestDemographics/OverreaderFirstName": "Oswaldo",
    "TestDemographics/EditorID": "EDT5523",
    "TestDemographics/EditorLastName": "Editorman",
    "TestDemographics/AcquisitionTechID": "TCH9901",
    "TestDemographics/AcquisitionTechLastName": "Techman",
    "TestDemographics/OrderingMDLastName": "Orderman",
    "TestDemographics/ReferringMDLastName": "Referman",
    "TestDemographics/AttendingMDLastName": "Attendman",
    "TestDemographics/SecondaryID": "SSN078051120",
    "TestDemographics/TestReason": "fell at Baker Street",
    "Order/RequisitionNumber": "REQ556677",
    "Order/AdmitDate": "2020-03-01",
    "Order/VisitNumber": "VIS990022",
    "Order/OrderPlacementDate": "2020-03-05",
    "DiagnosisStatement/StmtText": "seen by Dr Whoever",
}
PHILIPS = {
    "generalpatientdata/patientid": "MRN4711007",
    "generalpatientdata/MRN": "MRN0815",
    "name/lastname": "Doequist",
    "name/firstname": "Janeane",
    "age/dateofbirth": "1950-05-07",
    "reportinfo@date": "2020-03-06",
    "dataacquisition@date": "2020-03-06",
    "machine@machineid": "SERIAL4711",
    "acquirer/operatorid": "OPR4471",
    "acquirer/departmentid": "DEPT-WEST",
    "acquirer/institutionname": "Saint Elsewhere",
    "acquirer/institutionlocationid": "LOC4711",
    "documentinfo/documentname": "7eacbc80-0549-11df-4823-000738300029.xml",
    "userdefine/value": "FIN120190145",
}
AECG = {
    "trialSubject/id@extension": "MRN4711007",
    "subjectDemographicPerson/name": "Doequist",
    "subjectDemographicPerson/birthTime@value": "19500507",
    "AnnotatedECG/id@root": "61d1a24f-b47e-41aa-ae95-f8ac302f4eeb",
    "trialSite/id@extension": "TS4711",
    "assignedPerson/name": "Overreaderman",
    "investigatorPerson/name": "John Smith, M.D.",
    "sponsorOrganization/name": "ABC Pharmaceutical",
    "clinicalTrial/id@extension": "TRIAL4711",
    "seriesPerformer/id@extension": "TECH-221",
    "manufacturedSeriesDevice/id@extension": "SERIAL4711",
    "activityTime/low@value": "20020618",
    "subjectFindingComment/text": "felt dizzy at Baker Street",
}
WFDB = (
    "Doe_Jane 12 500 5000 07:08:09 06/03/2020\n",
    "# name: Jane Doequist\n# <subject_id>: MRN4711007\n# <patient_name>: Janeane\n# dob: 1950-05-07\n"
    "# Age: 69\n# Sex: Female\n# accession: ACC4711\n# admission date: 01/03/2020\n# Dr Overreaderman\n",
)
TABLE = {"patient_id": "MRN4711007", "name": "Doequist, Janeane", "physician": "Overreaderman", "dob": "1950-05-07"}


def wfdb_record(folder: Path) -> Path:
    lines = (DATA / "00001_hr.hea").read_text().replace("00001_hr", "Doe_Jane").splitlines(keepends=True)
    (folder / "Doe_Jane.hea").write_text(WFDB[0] + "".join(lines[1:]) + WFDB[1])
    (folder / "Doe_Jane.dat").write_bytes((DATA / "00001_hr.dat").read_bytes())
    return folder / "Doe_Jane.hea"


def csv_table(folder: Path) -> Path:
    stated = {**TABLE, "rate_hz": 500, "unit": "uV", "age": 69, "sex": "F", "start": "2020-03-06T07:08:09"}
    rows = np.stack([microvolts(lead) for lead in LEADS], axis=1)
    text = "".join(f"# {name}: {value}\n" for name, value in stated.items()) + ",".join(LEADS) + "\n"
    (folder / "Doe_Jane.csv").write_text(text + "\n".join(",".join(map(str, row)) for row in rows))
    return folder / "Doe_Jane.csv"


def npy_table(folder: Path) -> Path:
    stated = {**TABLE, "rate_hz": 500, "unit": "uV", "leads": LEADS, "start": "2020-03-06T07:08:09"}
    (folder / "Doe_Jane.json").write_text(json.dumps(stated))
    np.save(folder / "Doe_Jane.npy", np.stack([microvolts(lead) for lead in LEADS], axis=1))
    return folder / "Doe_Jane.npy"


DICOM = {
    "PatientName": "Doequist^Janeane",
    "PatientID": "MRN4711007",
    "OtherPatientIDs": "SSN078051120",
    "PatientBirthDate": "19500507",
    "PatientAddress": "221B Baker Street",
    "PatientTelephoneNumbers": "555-4711",
    "PatientMotherBirthName": "Motherborn",
    "EthnicGroup": "CAUCASIAN",
    "Occupation": "Detective",
    "PatientComments": "seen at Baker Street",
    "AccessionNumber": "ACC4711",
    "StudyID": "STUDY4711",
    "StudyDate": "20200306",
    "SeriesDate": "20200306",
    "ContentDate": "20200306",
    "AcquisitionDate": "20200306",
    "AcquisitionDateTime": "20200306070809",
    "InstitutionName": "Saint Elsewhere",
    "InstitutionAddress": "1 Elsewhere Road",
    "ReferringPhysicianName": "Referman",
    "PerformingPhysicianName": "Performman",
    "NameOfPhysiciansReadingStudy": "Overreaderman",
    "OperatorsName": "Techman",
    "StationName": "CART4711",
    "DeviceSerialNumber": "SERIAL4711",
    "AdmissionID": "ADM4711",
    "RequestingPhysician": "Orderman",
    "StudyInstanceUID": "1.2.826.0.1.3680043.4711",
}


def dicom_object(folder: Path) -> Path:
    dataset = pydicom.dcmread(get_testdata_file("waveform_ecg.dcm", download=False))
    for keyword, value in DICOM.items():
        setattr(dataset, keyword, value)
    dataset.save_as(folder / "Doe_Jane.dcm")
    return folder / "Doe_Jane.dcm"


EDF = {
    "setPatientCode": "MRN4711007",
    "setPatientName": "Janeane_Doequist",
    "setPatientAdditional": "Baker_Street",
    "setAdmincode": "ADM4711",
    "setTechnician": "Techman",
    "setEquipment": "SERIAL4711",
    "setRecordingAdditional": "Saint_Elsewhere",
}


def edf_file(folder: Path) -> Path:
    path = folder / "Doe_Jane.edf"
    with pyedflib.EdfWriter(str(path), 12, file_type=pyedflib.FILETYPE_EDFPLUS) as file:
        for setter, value in EDF.items():
            getattr(file, setter)(value)
        file.setSex(0)
        file.setBirthdate(BIRTH)
        file.setStartdatetime(START)
        ends = {"physical_min": -32768, "physical_max": 32767, "digital_min": -32768, "digital_max": 32767}
        file.setSignalHeaders([{"label": lead, "sample_frequency": 500, "dimension": "uV", **ends} for lead in LEADS])
        file.writeSamples([microvolts(lead).astype(np.int32) for lead in LEADS], digital=True)
    return path


ISHNE = {
    "first_name": "Janeane",
    "last_name": "Doequist",
    "id": "MRN4711007",
    "recorder_type": b"SERIAL4711",
    "proprietary": "Saint Elsewhere",
    "copyright": "Overreaderman",
    "reserved": "Baker Street",
    "var_block": b"seen by Dr Whoever",
}


def ishne_file(folder: Path) -> Path:
    holter = object.__new__(ishneholterlib.Holter)  # its constructor only reads
    holter.filename, holter.file_version = str(folder / "Doe_Jane.ecg"), 1
    holter.sex, holter.race, holter.pm, holter.sr = 2, 0, -9, 500
    holter.birth_date, holter.record_date, holter.start_time = BIRTH, START.date(), START.time()
    vars(holter).update(ISHNE)
    holter.lead = []
    for number, lead in enumerate(LEADS):
        holter.lead.append(ishneholterlib.Lead(5 + number, 1, 1000))
        holter.lead[-1].data = microvolts(lead)
    holter.write_file(convert_data=False)
    return Path(holter.filename)


SCP = {  # tags of section 1, EN 1064
    0: "Doequist",
    1: "Janeane",
    2: "MRN4711007",
    3: "Secondname",
    16: "Institution4711",
    20: "Referman",
    21: "Overreaderman",
    22: "Techman",
    23: "ROOM4711",
    30: "seen at Baker Street",
    31: "ACC4711",
}
SCP_LEADS = {"I": 1, "II": 2} | {f"V{n}": n + 2 for n in range(1, 7)} | {"III": 61, "aVR": 62, "aVL": 63, "aVF": 64}


def scp_file(folder: Path) -> Path:
    def tag(number: int, value: bytes) -> bytes:
        return struct.pack("<BH", number, len(value)) + value

    def section(number: int, body: bytes, reserved: bytes = b"\0" * 6) -> bytes:
        body += b"\0" * (len(body) % 2)
        rest = struct.pack("<HI", number, 16 + len(body)) + b"\x14\x14" + reserved + body
        return struct.pack("<H", crc_hqx(rest, 0xFFFF)) + rest

    patient = b"".join(tag(number, text.encode() + b"\0") for number, text in SCP.items())
    patient += tag(5, struct.pack("<HBB", 1950, 5, 7)) + tag(8, b"\x02")
    patient += tag(25, struct.pack("<HBB", 2020, 3, 6)) + tag(26, b"\x07\x08\x09") + tag(255, b"")
    blocks = [microvolts(lead).astype("<i2").tobytes() for lead in LEADS]
    definition = struct.pack("<BB", 12, 4 | 12 << 3)
    definition += b"".join(struct.pack("<IIB", 1, len(blocks[0]) // 2, SCP_LEADS[lead]) for lead in LEADS)
    rhythm = struct.pack("<HHBB", 1000, 2000, 0, 0) + struct.pack("<12H", *map(len, blocks)) + b"".join(blocks)
    sections = {1: section(1, patient), 3: section(3, definition), 6: section(6, rhythm)}
    position = 7 + 16 + 10 * 12
    pointers = struct.pack("<HII", 0, position - 7, 7)
    for number in range(1, 12):
        size = len(sections.get(number, b""))
        pointers += struct.pack("<HII", number, size, position if size else 0)
        position += size
    content = section(0, pointers, b"SCPECG") + b"".join(sections.values())
    whole = struct.pack("<I", 6 + len(content)) + content
    (folder / "Doe_Jane.scp").write_bytes(struct.pack("<H", crc_hqx(whole, 0xFFFF)) + whole)
    return folder / "Doe_Jane.scp"


MORTARA = {
    "LAST_NAME": "Doequist",
    "FIRST_NAME": "Janeane",
    "ID": "MRN4711007",
    "DOB": "19500507",
    "SECOND_ID": "SSN078051120",
    "ROOM": "ROOM4711",
    "COMMENT": "seen at Baker Street",
}


def mortara_file(folder: Path) -> Path:
    def channel(lead: str) -> str:
        data = base64.b64encode(microvolts(lead).astype("<i2").tobytes()).decode()
        return (
            f'<CHANNEL NAME="{lead}" BITS="16" FORMAT="SIGNED" UNITS_PER_MV="1000" SAMPLE_FREQ="500" '
            f'DURATION="5000" ENCODING="BASE64" DATA="{data}"/>'
        )

    subject = " ".join(f'{name}="{value}"' for name, value in MORTARA.items())
    (folder / "Doe_Jane.xml").write_text(
        '<?xml version="1.0"?><ECG ACQUISITION_TIME="20200306070809" AGE="69" AGE_UNITS="YEARS">'
        '<SOURCE TYPE="STD-12" MANUFACTURER="Mortara" MODEL="ELI 250c" SERIAL="SERIAL4711" TECHNICIAN="Techman"/>'
        f'<SUBJECT {subject} GENDER="Female"/>{"".join(map(channel, LEADS))}</ECG>'
    )
    return folder / "Doe_Jane.xml"


CARDIOSOFT = {  # elements, outermost first
    "PatientInfo/PID": "MRN4711007",
    "PatientInfo/Name/FamilyName": "Doequist",
    "PatientInfo/Name/GivenName": "Janeane",
    "ClinicalInfo/Technician/FamilyName": "Techman",
    "PatientVisit/OrderingProvider/FamilyName": "Orderman",
    "PatientVisit/ReferringDoctor/FamilyName": "Referman",
    "PatientVisit/ServicingFacility/Name": "Saint Elsewhere",
    "PatientVisit/PatientRoom": "ROOM4711",
    "PatientVisit/OrderNumber": "REQ556677",
    "UID/DICOMStudyUID": "1.2.826.0.1.4711007",
    "Interpretation/Diagnosis/DiagnosisText": "seen by Dr Whoever",
}


def cardiosoft_file(folder: Path) -> Path:
    about = "".join(
        "".join(f"<{tag}>" for tag in place.split("/")) + value + "".join(f"</{tag}>" for tag in place.split("/")[::-1])
        for place, value in CARDIOSOFT.items()
        if not place.startswith("PatientInfo")
    )
    born = f"<BirthDateTime><Day>{BIRTH.day}</Day><Month>{BIRTH.month}</Month><Year>{BIRTH.year}</Year></BirthDateTime>"
    patient = "<PID>MRN4711007</PID><Name><FamilyName>Doequist</FamilyName><GivenName>Janeane</GivenName></Name>"
    truth = read_ecg(DATA / "00001_hr.hea")
    whole = f"{about}<PatientInfo>{patient}{born}</PatientInfo>"
    return write_cardiosoft(folder / "Doe_Jane.xml", truth, 1, about=whole)


def mfer_file(folder: Path) -> Path:
    return write_mfer(folder / "Doe_Jane.mwf", read_ecg(DATA / "00001_hr.hea"))


def kardia_file(folder: Path) -> Path:
    path = write_kardia(folder / "Doe_Jane.json", read_ecg(DATA / "00001_hr.hea"))
    stated = {"id": "REC4711", "note": "felt dizzy at Baker Street", "tags": ["Overreaderman"]}
    path.write_text(json.dumps(json.loads(path.read_text()) | stated))
    return path


FILLED = {  # format -> writer of a source, what identifies the patient in it
    "GE MUSE XML": (filled_xml("muse.xml", MUSE), MUSE.values()),
    "Philips XML": (filled_xml("philips.xml", PHILIPS), PHILIPS.values()),
    "HL7 aECG": (filled_xml("aecg.xml", AECG), AECG.values()),
    "Mortara XML": (mortara_file, [*MORTARA.values(), "SERIAL4711", "Techman", "20200306"]),
    "DICOM waveform": (dicom_object, DICOM.values()),
    "SCP-ECG": (scp_file, SCP.values()),
    "EDF": (edf_file, [*EDF.values(), "07-MAY-1950", "06-MAR-2020"]),
    "ISHNE": (ishne_file, [v if isinstance(v, str) else v.decode() for v in ISHNE.values()]),
    "GE CardioSoft XML": (cardiosoft_file, CARDIOSOFT.values()),
    "MFER": (mfer_file, ("MRN4711007", "Doequist", "Janeane")),
    "Kardia": (kardia_file, ("MRN4711007", "REC4711", "felt dizzy at Baker Street", "Overreaderman")),
    "WFDB": (
        wfdb_record,
        ("Jane Doequist", "MRN4711007", "Janeane", "1950-05-07", "ACC4711", "06/03/2020", "01/03/2020", "Overreader"),
    ),
    "CSV": (csv_table, TABLE.values()),
    "NPY": (npy_table, TABLE.values()),
}


def bytes_of(folder: Path) -> bytes:
    """Names and contents of all files."""
    return b"\n".join(p.relative_to(folder).as_posix().encode() + b"\n" + p.read_bytes() for p in folder.rglob("*.*"))


def spellings(value: str) -> set[str]:
    """A value, its words and numbers, where they are too long to turn up by chance, and a date's other spellings."""
    found = {value, *re.findall(r"[^\W\d_]{4,}", value), *re.findall(r"\w*\d{5,}\w*", value)} - {"subject"}
    for form in SPELLINGS:
        try:
            day = datetime.strptime(value, form)
        except ValueError:
            continue
        found |= {day.strftime(other) for other in SPELLINGS}
    return found


def assert_gone(values: Iterable[str], source: Path, written: Path) -> None:
    before, after = bytes_of(source).lower(), bytes_of(written).lower()
    for value in values:
        encoded = [value.lower().encode(coding) for coding in ("utf-8", "utf-16-le", "utf-16-be")]
        assert any(one in before for one in encoded), f"{value!r} is not in the source: the list is wrong"
        for spelling in spellings(value):
            for coding in ("utf-8", "utf-16-le", "utf-16-be"):
                assert spelling.lower().encode(coding) not in after, f"{spelling!r} is still there"


def assert_nothing_but_what_is_listed(source: Recording, header: Path) -> Recording:
    assert HEADER.fullmatch(header.read_text()), header.read_text()
    assert {file.name for file in header.parent.iterdir()} == {header.name, header.with_suffix(".dat").name}
    written = read_ecg(header, allow_missing=True, min_seconds=0)
    size = (len(source.signal) * (12 - len(source.derived) - len(source.missing))) * 2
    assert header.with_suffix(".dat").stat().st_size == size  # the samples, and nothing after them
    scale = np.nanmax(np.abs(source.signal), initial=0.0)
    np.testing.assert_allclose(written.signal, source.signal, atol=scale * 1e-4)
    assert (written.rate, written.derived, written.missing) == (source.rate, source.derived, source.missing)
    assert (written.patient.age, written.patient.sex) == (safe_age(source.patient.age), source.patient.sex)
    assert (written.patient.id is None) == (source.patient.id is None)
    if source.start:
        assert written.start.time() == source.start.time().replace(microsecond=0)
        assert 36_525 <= (written.start.date() - source.start.date()).days < 2 * 36_525
    return written


def test_every_format_has_its_list():
    assert set(FILLED) == {format_.name for format_ in FORMATS}


@pytest.mark.parametrize("name", FILLED)
def test_no_field_of_a_format_is_left(name, tmp_path):
    write, values = FILLED[name]
    (tmp_path / "in").mkdir()
    path = write(tmp_path / "in")
    assert format_of(path).name == name
    recording = read_ecg(path, allow_missing=True)
    assert recording.patient.id == "MRN4711007"  # it is what would leak
    clean = deidentified(recording, KEY)
    assert clean.cart == Cart() and clean.patient.name is None and clean.patient.birth_date is None
    header = write_wfdb(clean, tmp_path / "out")
    assert_gone([*values, recording.name], tmp_path / "in", tmp_path / "out")
    after = bytes_of(tmp_path / "out").lower()
    for day in (BIRTH, START):  # which some formats hold as numbers
        assert not any(day.strftime(form).lower().encode() in after for form in SPELLINGS)
    written = assert_nothing_but_what_is_listed(recording, header)
    assert written.patient.id == pseudonym(KEY, "MRN4711007")


@pytest.mark.parametrize("name", FILLED)
def test_what_names_a_patient_is_handed_on_and_not_shown(name, tmp_path):
    """Neither by repr, which logs and tracebacks use, nor in what a draft says of its recording."""
    (tmp_path / "in").mkdir()
    path = FILLED[name][0](tmp_path / "in")
    recording = read_ecg(path, allow_missing=True)
    patient, cart = recording.patient, recording.cart
    if name not in ("CSV", "NPY", "Kardia"):  # which have no field for a name
        assert patient.name in ("Janeane Doequist", "Jane Doequist", "Doequist")
        assert patient.birth_date == BIRTH or name in ("MFER", "AECG")
    shown = repr(recording) + repr(patient) + repr(cart) + json.dumps(RecordingInfo.of(recording).to_dict())
    born = patient.birth_date.isoformat() if patient.birth_date else None
    hidden = [patient.id, patient.name, born, *cart.statements]
    assert not [one for one in hidden if one and one in shown.replace(str(path), "").replace(path.stem, "")]


REAL = {  # below shared/data: real files, and what identifies in them
    "vendor/muse/synthetic_muse.xml": (
        "SYNTH0001",
        "01-01-1980",
        "Synthetic",
        "EXAMPLE HOSPITAL",
        "EXAMPLE ECG ROOM",
        "ROOM1",
        "08-17-2025",
        "Reader",
    ),
    "vendor/muse/guangxi_teaching_sinus_rhythm.xml": (
        "00000000",
        "Anonymous",
        "01-01-1900",
        "Hospital Name",
        "Department",
        "ECG-Lab",
        "01-01-2024",
        "2255/3212",
        "Doctor",
        "310701001d",
        "14床",
        "2023-12-31",
        "开放性骨折",
    ),
    "vendor/philips/129DYPRG.XML": ("1112010721168bdc", "2011-12-01", "03d494f2-94f2-13d4-857f-00095c028bdc", "GEILM"),
    "vendor/philips/3191723_ZZDEMOPTONLY_1-04_orig.xml": (
        "9999",
        "ZZDEMOPTONLY",
        "ADULT",
        "1950-01-01",
        "2010-01-19",
        "120190145",
        "EKG1715",
        "860315",
        "Heart Station",
        "7eacbc80-0549-11df-4823-000738300029",
        "TEST PT",
    ),
    "vendor/hl7_aecg/subject1_0.xml": (
        "subject1",
        "Clark",
        "19530508",
        "20021122",
        "SC-342",
        "PUK-123-PROT-C1",
        "TS-035",
        "INV-087",
        "John Smith",
        "River City",
        "TECH-221",
        "61d1a24f-b47e-41aa-ae95-f8ac302f4eeb",
        "felt dizzy",
    ),
    "vendor/dicom/synthetic_muse.dcm": ("000001", "Anonymized", "20250801", "5923916365825498", "MAC55"),
    "vendor/dicom/guangxi_teaching_sinus_rhythm.dcm": ("000001", "20240101", "4111023765947888", "MAC P"),
    "mimic-iv-ecg/files/p1013/p10130040/s42179917/42179917.hea": ("42179917", "10130040", "18/07/2183"),
    "cinc2021/JS37205.hea": ("JS37205", "28-Mar-2021", "426783006"),
}


@pytest.mark.parametrize("name", REAL)
def test_real_files(name, shared, tmp_path):
    place, _, below = name.partition("/")
    path = shared(place) / below
    (tmp_path / "in").mkdir()
    for file in path.parent.glob(f"{path.stem}.*"):
        (tmp_path / "in" / file.name).write_bytes(file.read_bytes())
    recording = read_ecg(tmp_path / "in" / path.name)
    header = write_wfdb(deidentified(recording, KEY), tmp_path / "out")
    assert_gone(REAL[name], tmp_path / "in", tmp_path / "out")
    assert_nothing_but_what_is_listed(recording, header)


# -- ages, dates, pseudonyms, keys ---------------------------------------------------------------------------------


def test_ages():
    given_ages = [None, float("nan"), -1.0, 0.0, 0.9, 46.0, 89.0, 89.01, 90.0, 104.0, 300.0]
    assert [safe_age(age) for age in given_ages] == [None, None, None, 0, 0, 46, 89, 90, 90, 90, 90]


@pytest.mark.parametrize(("age", "kept"), [(46.7, True), (89.0, True), (90.0, False), (97.5, False), (None, True)])
def test_no_date_beside_an_age_over_89(age, kept, tmp_path):
    recording = replace(read_ecg(DATA / "00001_hr.hea"), start=START, patient=Patient("x", age, "F"))
    written = read_ecg(write_wfdb(deidentified(recording, KEY), tmp_path))
    assert (written.start is not None) == kept and written.patient.age == safe_age(age)


moments = st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1))


@given(st.binary(min_size=32, max_size=32), st.text(), moments, moments)
def test_a_patients_recordings_keep_their_intervals_and_time_of_day(key, patient, one, other):
    moved = shifted(key, patient, one), shifted(key, patient, other)
    assert moved[1] - moved[0] == other - one and moved[0].time() == one.time()
    assert timedelta(36_525) <= moved[0] - one < timedelta(2 * 36_525)


def test_shifts_and_pseudonyms_differ_by_patient_and_by_key():
    patients = [str(number) for number in range(2000)]
    shifts = {(shifted(KEY, patient, START) - START).days for patient in patients}
    assert len(shifts) > 1900 and min(shifts) < 38_000 and max(shifts) > 71_000  # spread over all of the century
    names = {pseudonym(key, patient) for patient in patients for key in (KEY, OTHER)}
    assert len(names) == 4000 and all(re.fullmatch("[0-9a-f]{16}", name) for name in names)
    assert shifted(KEY, "7", START) != shifted(OTHER, "7", START)


def test_pseudonyms_stay_what_they_are():
    """Reckoned by OpenSSL's HMAC-SHA256. Another value would tear a patient's old and new recordings apart."""
    assert pseudonym(KEY, "MRN4711007") == "4b9422fd5670bea3"


def test_names_tell_recordings_apart_and_patients_together(tmp_path):
    recording = replace(read_ecg(DATA / "00001_hr.hea"), start=START, patient=Patient("x", 50.0, "F"))
    later = replace(recording, start=START + timedelta(days=3))
    louder = replace(recording, signal=recording.signal * 2)
    done = [deidentified(one, KEY) for one in (recording, later, louder, recording)]
    assert len({one.name for one in done}) == 3 and done[0].name == done[3].name
    assert len({one.patient.id for one in done}) == 1 and done[1].start - done[0].start == timedelta(days=3)
    unknown = [deidentified(replace(one, patient=Patient()), KEY) for one in (recording, later)]
    assert unknown[1].start - unknown[0].start != timedelta(days=3)  # nothing says that it is one patient
    assert deidentified(replace(recording, start=datetime(9999, 12, 31)), KEY).start is None


@settings(max_examples=20, deadline=None)
@given(st.integers(-3, 4), st.floats(-1000, 1000), st.sampled_from([50.0, 100.0, 488.28125, 1000.0]), st.data())
def test_any_signal_is_written_as_it_was(tmp_path_factory, power, offset, rate, data):
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    signal = (rng.normal(size=(300, 12)) * 10.0**power + offset).astype(np.float32)
    signal[rng.random(signal.shape) < 0.1] = np.nan
    signal[:, data.draw(st.integers(0, 11))] = 0
    recording = Recording("x", signal, rate)
    written = read_ecg(write_wfdb(recording, tmp_path_factory.mktemp("any")), allow_missing=True, min_seconds=0)
    assert np.array_equal(np.isnan(written.signal), np.isnan(signal)) and written.rate == rate
    ranges = np.nanmax(signal, axis=0) - np.nanmin(signal, axis=0)
    step = ranges / 60_000 + np.nanmax(np.abs(signal)) * 1e-6
    assert (np.nanmax(np.abs(written.signal - signal), axis=0) <= step).all()


def test_a_key_is_made_once_for_its_owner_alone(tmp_path, caplog):
    path = tmp_path / "key"
    key = read_key(path)
    assert len(key) == 32 and stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "apart from the data" in caplog.text and str(path) in caplog.text and key.hex() not in caplog.text
    caplog.clear()
    assert read_key(path) == key and caplog.text == ""
    assert read_key(tmp_path / "other") != key


@pytest.mark.parametrize("content", [b"", b"secret", b"00" * 31, b"\xff\xfe", b"00" * 33])
def test_a_file_that_is_no_key_is_left_alone(content, tmp_path):
    path = tmp_path / "key"
    path.write_bytes(content)
    with pytest.raises(DataError, match="holds no key"):
        read_key(path)
    assert path.read_bytes() == content
    with pytest.raises(DataError, match="no key can be read or made here"):
        read_key(tmp_path / "absent" / "key")


def test_key_and_sources_stay_apart_from_what_is_written(tmp_path):
    check_apart([tmp_path / "in"], tmp_path / "out", tmp_path / "key")
    (tmp_path / "in").mkdir()
    with pytest.raises(DataError, match="keep the key apart"):
        check_apart([tmp_path / "in"], tmp_path / "out", tmp_path / "out" / "key")
    for out in (tmp_path / "in", tmp_path / "in" / "out"):
        with pytest.raises(DataError, match="apart from the identified"):
            check_apart([tmp_path / "in"], out, tmp_path / "key")


def test_command(tmp_path):
    (tmp_path / "in" / "Doe_Jane").mkdir(parents=True)
    for writer in (wfdb_record, csv_table, dicom_object):
        writer(tmp_path / "in" / "Doe_Jane")
    (tmp_path / "in" / "broken.xml").write_text("<RestingECG>Doequist</RestingECG>")
    command = ["deidentify", "in", "--out", "out", "--key", "key"]
    done = run_meit(*command, folder=tmp_path)
    assert done.returncode == 1 and "broken.xml" in done.stderr and "made a new key, key." in done.stderr
    pairs = [line.split("\t") for line in done.stdout.splitlines()]
    assert sorted(Path(source).suffix for source, _ in pairs) == [".csv", ".dcm", ".hea"]
    written = find_recordings(tmp_path / "out")
    assert {tmp_path / header for _, header in pairs} == set(written) and len(written) == 2  # one is there twice
    assert {read_ecg(header).patient.id for header in written} == {pseudonym(read_key(tmp_path / "key"), "MRN4711007")}
    assert_gone(["Doequist", "MRN4711007", "Overreaderman"], tmp_path / "in", tmp_path / "out")
    before = bytes_of(tmp_path / "out")
    done = run_meit(*command, folder=tmp_path)
    assert bytes_of(tmp_path / "out") == before and "new key" not in done.stderr
    done = run_meit(*command[:-1], "out/key", folder=tmp_path)
    assert done.returncode == 2 and len(done.stderr.splitlines()) == 1 and done.stderr.startswith("meit: out/key")
