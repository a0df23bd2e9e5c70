"""Files of formats of which no public sample is to be had, written from known waves by what is public of their layout."""

import base64
import json
import struct
from binascii import crc_hqx
from datetime import date, datetime, time
from pathlib import Path

import ishneholterlib
import numpy as np
import pyedflib

from meit.ecg.recording import LEADS, Recording


def microvolts(truth: Recording, lead: str) -> np.ndarray:
    return np.rint(truth.lead(lead).astype(np.float64) * 1000).astype(np.int16)


def write_cardiosoft(
    path: Path, truth: Recording, step: float = 5, leads=LEADS, about: str = "", strip: str = ""
) -> Path:
    """step: microvolts. about: elements beside PatientInfo's; strip: in place of StripData."""
    count = len(truth.signal)

    def wave(lead: str) -> str:
        steps = np.rint(truth.lead(lead).astype(np.float64) * 1000 / step).astype(int)
        rows = [",".join(map(str, steps[n : n + 20])) for n in range(0, count, 20)]
        return f'<WaveformData lead="{lead}">' + ",\n\t\t".join(rows) + "</WaveformData>"

    data = strip or (
        f'<StripData><NumberOfLeads>{len(leads)}</NumberOfLeads><SampleRate units="Hz">{truth.rate:g}</SampleRate>'
        f'<ChannelSampleCountTotal>{count}</ChannelSampleCountTotal><Resolution units="uVperLsb">{step:g}</Resolution>'
        + "".join(map(wave, leads))
        + "</StripData>"
    )
    about = about or (
        "<PatientInfo><PID>MRN4711007</PID><Name><FamilyName>Doequist</FamilyName><GivenName>Janeane</GivenName></Name>"
        '<Age units="years">69</Age><BirthDateTime><Day>7</Day><Month>5</Month><Year>1950</Year></BirthDateTime>'
        "<Gender>FEMALE</Gender></PatientInfo>"
    )
    median = f'<WaveformData lead="I">{",".join(["1"] * 600)}</WaveformData>'
    path.write_text(
        '<?xml version="1.0" encoding="ISO-8859-1"?><!DOCTYPE CardiologyXML SYSTEM "RestECG.dtd"><CardiologyXML>'
        "<ObservationType>RestECG</ObservationType><ObservationDateTime><Hour>7</Hour><Minute>8</Minute><Second>9</Second>"
        "<Day>6</Day><Month>5</Month><Year>2020</Year></ObservationDateTime><ClinicalInfo><DeviceInfo><Desc>CardioSoft"
        f"</Desc></DeviceInfo></ClinicalInfo>{about}<Interpretation><Diagnosis><DiagnosisText>Sinus rhythm</DiagnosisText>"
        "<DiagnosisText>Abnormal ECG</DiagnosisText></Diagnosis></Interpretation><RestingECGMeasurements>"
        '<VentricularRate units="BPM">72</VentricularRate><PQInterval units="ms">154</PQInterval><QRSDuration units="ms">86'
        '</QRSDuration><QTInterval units="ms">402</QTInterval><PAxis units="degree">0</PAxis><RAxis units="degree">48'
        f'</RAxis><MedianSamples><Resolution units="uVperLsb">1</Resolution>{median}</MedianSamples>'
        f"</RestingECGMeasurements>{data}</CardiologyXML>",
        encoding="latin-1",
    )
    return path


MFER_CODES = {"I": 1, "II": 2} | {f"V{n}": n + 2 for n in range(1, 7)} | {"III": 61, "aVR": 62, "aVL": 63, "aVF": 64}


def write_mfer(
    path: Path,
    truth: Recording,
    step_nv: int = 1000,
    leads=LEADS,
    big=False,
    preamble=True,
    age=b"",
    unit: int = 0,
    null=None,
) -> Path:
    """One frame of 16-bit values, a block of all samples a channel (MFER 1.05). age: content of MWF_AGE. unit: 0 is V."""
    order = ">" if big else "<"

    def tag(number: int, content: bytes) -> bytes:
        length = bytes([len(content)]) if len(content) < 128 else b"\x84" + struct.pack(">I", len(content))
        return bytes([number]) + length + content

    count = len(truth.signal)
    head = tag(0x40, b"MFR Standard 12 leads ECG".ljust(32)) if preamble else b""
    head += (
        tag(0x01, bytes([0 if big else 1])) + tag(0x17, b"Maker^Cart 3") + tag(0x82, b"MRN4711007") + tag(0x84, b"\x02")
    )
    head += tag(0x81, b"Doequist^^Janeane") + (tag(0x83, age) if age else b"")
    head += tag(0x85, struct.pack(order + "H", 2020) + bytes([5, 6, 7, 8, 9]) + bytes(4))
    head += tag(0x08, struct.pack(order + "H", 1)) + tag(0x0A, b"\0")
    head += tag(0x04, struct.pack(order + "I", count)) + tag(0x05, bytes([len(leads)])) + tag(0x06, b"\1")
    head += tag(0x0B, struct.pack(order + "BbH", 1, -6, round(1e6 / truth.rate)))  # microseconds
    head += b"" if null is None else tag(0x12, struct.pack(order + "h", null))
    head += tag(0x0C, struct.pack(order + "BbH", unit, -9, step_nv))
    waves = b""
    for n, lead in enumerate(leads):
        head += bytes([0x3F, n]) + bytes([4]) + tag(0x09, struct.pack(order + "H", MFER_CODES[lead]))
        steps = np.rint(microvolts(truth, lead) * (1000 / step_nv)).astype(order + "i2")
        waves += steps.tobytes()
    path.write_bytes(head + tag(0x1E, waves) + b"\x80\0")
    return path


def write_kardia(path: Path, truth: Recording, step_nv: float | None = 500, leads=LEADS[:6]) -> Path:
    names = dict(zip(LEADS[:6], ("leadI", "leadII", "leadIII", "AVR", "AVL", "AVF"), strict=True))
    samples = {names.get(lead, lead): (microvolts(truth, lead) * 2).tolist() for lead in leads}
    raw = {"frequency": truth.rate, "mainsFrequency": 50, "samples": samples, "numLeads": len(leads)}
    raw |= {} if step_nv is None else {"amplitudeResolution": step_nv}
    whole = {
        "id": "x1", "recordedAt": "2020-05-06T07:08:09Z", "patientID": "MRN4711007", "heartRate": 72.4, "duration": 10000,
        "algorithmDetermination": "normal", "deviceInfo": {"hardwareType": "triangle"}, "data": {"raw": raw},
    }  # fmt: skip
    path.write_text(json.dumps(whole))
    return path


EIGHT = ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")


def write_edf(
    path: Path, truth: Recording, unit="uV", steps: float = 1, plus=True, leads=LEADS, born=date(1950, 5, 7)
) -> Path:
    """steps: of the converter, to one microvolt of `unit`."""
    kind = pyedflib.FILETYPE_EDFPLUS if plus else pyedflib.FILETYPE_EDF
    with pyedflib.EdfWriter(str(path), len(leads), file_type=kind) as file:
        file.setPatientCode("P17")
        file.setSex(0)
        file.setBirthdate(born)
        file.setStartdatetime(datetime(2020, 5, 6, 7, 8, 9))
        ends = {"physical_min": -32768 * steps, "physical_max": 32767 * steps}
        ends |= {"digital_min": -32768, "digital_max": 32767, "sample_frequency": 500, "dimension": unit}
        file.setSignalHeaders([{"label": f"ECG {lead}"} | ends for lead in leads])
        file.writeSamples([microvolts(truth, lead).astype(np.int32) for lead in leads], digital=True)
    return path


ISHNE_CODES = {lead: 5 + n for n, lead in enumerate(LEADS)}  # table 1 of the standard


def write_ishne(
    path: Path, truth: Recording, step_nv=1000, codes=ISHNE_CODES, lost: slice = slice(0), born=date(1950, 5, 7)
) -> Path:
    holter = object.__new__(ishneholterlib.Holter)  # its constructor only reads
    holter.filename = str(path)
    holter.file_version, holter.first_name, holter.last_name, holter.id = 1, "", "", "P17"
    holter.sex, holter.race, holter.pm, holter.sr = 2, 0, -9, 500
    holter.birth_date, holter.record_date, holter.start_time = born, date(2020, 5, 6), time(7, 8, 9)
    holter.recorder_type, holter.proprietary, holter.copyright, holter.reserved = b"digital", "", "", ""
    holter.var_block = b"comment"
    holter.lead = []
    for lead, code in codes.items():
        holter.lead.append(ishneholterlib.Lead(code, 1, step_nv))
        holter.lead[-1].data = microvolts(truth, lead)
        holter.lead[-1].data[lost] = -32768
    holter.write_file(convert_data=False)
    return path


SCP_CODES = {"I": 1, "II": 2} | {f"V{n}": n + 2 for n in range(1, 7)} | {"III": 61, "aVR": 62, "aVL": 63, "aVF": 64}


def scp_section(number: int, body: bytes, reserved: bytes = b"\0" * 6) -> bytes:
    body += b"\0" * (len(body) % 2)
    rest = struct.pack("<HI", number, 16 + len(body)) + b"\x14\x14" + reserved + body
    return struct.pack("<H", crc_hqx(rest, 0xFFFF)) + rest


def scp_huffman(values: np.ndarray) -> bytes:
    """EN 1064's default code: as many ones as the magnitude, a zero, the sign; above 8, 8 or 16 bits as they are."""

    def code(value: int) -> str:
        if value == 0:
            return "0"
        if abs(value) <= 8:
            return "1" * abs(value) + "0" + ("1" if value < 0 else "0")
        bits = 8 if -128 <= value < 128 else 16
        return ("1111111110" if bits == 8 else "1111111111") + f"{value & (2**bits - 1):0{bits}b}"

    bits = "".join(code(int(value)) for value in values)
    bits += "0" * (-len(bits) % 16)
    return int(bits, 2).to_bytes(len(bits) // 8, "big")


def write_scp(path: Path, truth: Recording, leads=LEADS, huffman=False, avm=1000, starts=None, order=0) -> Path:
    """avm: nanovolts a step. order: of the differences that are stored. starts: first sample of each lead, from 1."""

    def tag(number: int, value: bytes) -> bytes:
        return struct.pack("<BH", number, len(value)) + value

    patient = tag(2, b"P17\0") + tag(4, struct.pack("<HB", 0, 0)) + tag(5, struct.pack("<HBB", 1950, 5, 7))
    patient += tag(8, b"\x02") + tag(25, struct.pack("<HBB", 2020, 5, 6)) + tag(26, b"\x07\x08\x09") + tag(255, b"")
    definition, blocks = struct.pack("<BB", len(leads), 4 | len(leads) << 3 & 0xFF), []
    for lead, start in zip(leads, starts or [1] * len(leads), strict=True):
        values = microvolts(truth, lead).astype(np.int64)
        definition += struct.pack("<IIB", start, start + len(values) - 1, SCP_CODES[lead])
        values = np.concatenate([values[:order], np.diff(values, order)])  # the first `order` stay as they are
        blocks.append(scp_huffman(values) if huffman else values.astype("<i2").tobytes())
    rhythm = struct.pack("<HHBB", avm, 2000, order, 0) + struct.pack(f"<{len(blocks)}H", *map(len, blocks))
    sections = {1: scp_section(1, patient), 3: scp_section(3, definition), 6: scp_section(6, rhythm + b"".join(blocks))}
    if huffman:
        sections[2] = scp_section(2, struct.pack("<H", 19999))  # the default table

    length = 16 + 10 * 12
    pointers, position, content = struct.pack("<HII", 0, length, 7), 7 + length, b""
    for number in range(1, 12):
        section = sections.get(number, b"")
        pointers += struct.pack("<HII", number, len(section), position if section else 0)
        position += len(section)
        content += section
    content = scp_section(0, pointers, b"SCPECG") + content
    whole = struct.pack("<I", 6 + len(content)) + content
    path.write_bytes(struct.pack("<H", crc_hqx(whole, 0xFFFF)) + whole)
    return path


def write_mortara(path: Path, truth: Recording, units_per_mv: str = 'UNITS_PER_MV="1000" ') -> Path:
    def channel(tag: str, lead: str, values: np.ndarray) -> str:
        data = base64.b64encode(values.astype("<i2").tobytes()).decode()
        return (
            f'<{tag} NAME="{lead}" BITS="16" FORMAT="SIGNED" {units_per_mv}SAMPLE_FREQ="500" '
            f'DURATION="{len(values)}" ENCODING="BASE64" DATA="{data}"/>'
        )

    rhythm = "".join(channel("CHANNEL", lead, microvolts(truth, lead)) for lead in LEADS)
    cycle = "".join(channel("TYPICAL_CYCLE_CHANNEL", lead, microvolts(truth, lead)[:600]) for lead in LEADS)
    path.write_text(
        f'<?xml version="1.0"?><ECG ACQUISITION_TIME="20200506070809" AGE="69" AGE_UNITS="YEARS">'
        '<SOURCE TYPE="STD-12" MANUFACTURER="Mortara" MODEL="ELI 250c"/>'
        '<SUBJECT LAST_NAME="" FIRST_NAME="" ID="P17" GENDER="Female" DOB="19500507"/>'
        f'<TYPICAL_CYCLE BITS="16" FORMAT="SIGNED" {units_per_mv}SAMPLE_FREQ="500" ENCODING="BASE64">{cycle}'
        f"</TYPICAL_CYCLE>{rhythm}</ECG>"
    )
    return path
