"""Seeded damage to ECG files: a sample (a recording's files) and a random generator in, a damaged sample out."""

import base64
import io
import json
import re
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache
from random import Random

GIGABYTES = 3 << 30
MOST_GROWN = 10_000_000  # bytes; a mutation has to stay within the memory that a reader has
INTEGERS = (0, 1, 2, 200, 0x7F, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF, (1 << 63) - 1)
NUMBERS = (
    "0",
    "-1",
    "1",
    "2",
    "200",
    "1e9",
    "1000000000",
    "999999999999999",
    "1e400",
    "-1e400",
    "1e-400",
    "nan",
    "NaN",
    "inf",
    "",
    " ",
    "0x10",
    "1,5",
    "1/0",
    "1_000",
    "\u0663\u0665",
    "9" * 5000,
    "-0",
    "--1",
    "1e",
    "true",
    "null",
)
WORDS = ("", "nan", "V1", "II", "x" * 10_000, "\u00b5V", "\x00", "%s%n", "../../../etc/passwd", "/dev/zero", "\r\n\r\n")
ENCODINGS = ("utf-16", "utf-16-be", "utf-32", "utf-8-sig", "cp037", "utf-7")
WFDB_FORMATS = ("8", "16", "24", "32", "61", "80", "160", "212", "310", "311", "508", "516", "524", "0", "999")


@dataclass(frozen=True)
class Sample:
    """main: the file that is given to the reader. files: contents by name. sizes: files drawn out to so many bytes, the
    rest of them empty on the disk. special: names that are no files but a folder, a pipe or a link."""

    name: str
    main: str
    files: dict[str, bytes] = field(repr=False)
    sizes: dict[str, int] = field(default_factory=dict)
    special: dict[str, str] = field(default_factory=dict)

    def with_file(self, name: str, content: bytes) -> "Sample":
        return replace(self, files={**self.files, name: content})


Mutation = Callable[[bytes, Random], bytes]


def mutate(sample: Sample, rng: Random, others: list[Sample]) -> tuple[Sample, list[str]]:
    """One to three mutations that suit the files, and what they are called."""
    applied = []
    for _ in range(rng.choice((1, 1, 1, 2, 2, 3))):
        if not sample.files:
            break
        if rng.random() < 0.07:
            mutation = rng.choice(WHOLE)
            sample = mutation(sample, rng, others)
            applied.append(mutation.__name__)
            continue
        name = rng.choice(sorted(sample.files))
        mutation = rng.choice(mutations_for(sample.files[name]))
        sample = sample.with_file(name, mutation(sample.files[name], rng))
        applied.append(f"{mutation.__name__} of {name}")
    return sample, applied


def mutations_for(content: bytes) -> list[Mutation]:
    """Those of the kind that the content has as often as those of any kind."""
    kinds = [mutations for matches, mutations in KINDS if matches(content)]
    return [mutation for mutations in [BYTES, *kinds] for mutation in mutations]


# -- any bytes ---------------------------------------------------------------------------------------------------


def _span(raw: bytes, rng: Random, most: int = 4096) -> tuple[int, int]:
    """Often in the beginning, where the headers are."""
    end = min(len(raw), 2000) if rng.random() < 0.6 else len(raw)
    start = rng.randrange(end + 1)
    return start, min(len(raw), start + rng.randint(1, rng.choice((4, 64, most))))


def truncated(raw, rng):
    return raw[: rng.choice((0, 1, 100, 500, len(raw) // 2, len(raw) - 1, rng.randrange(len(raw) + 1)))]


def bits_flipped(raw, rng):
    damaged = bytearray(raw)
    for _ in range(rng.choice((1, 4, 64))):
        if damaged:
            damaged[min(_span(raw, rng)[0], len(raw) - 1)] ^= 1 << rng.randrange(8)
    return bytes(damaged)


def overwritten(raw, rng):
    start, end = _span(raw, rng)
    return raw[:start] + rng.choice((b"\x00", b"\xff", b" ", rng.randbytes(1))) * (end - start) + raw[end:]


def randomised(raw, rng):
    start, end = _span(raw, rng)
    return raw[:start] + rng.randbytes(end - start) + raw[end:]


def cut_out(raw, rng):
    start, end = _span(raw, rng)
    return raw[:start] + raw[end:]


def repeated(raw, rng):
    start, end = _span(raw, rng)
    return raw[:end] + raw[start:end] * rng.choice((1, 2, 200)) + raw[end:]


def integer_set(raw, rng):
    start, _ = _span(raw, rng)
    width = rng.choice((1, 2, 4, 8))
    value = rng.choice(INTEGERS) & ((1 << 8 * width) - 1)
    return raw[:start] + value.to_bytes(width, rng.choice(("little", "big"))) + raw[start + width :]


def junk_appended(raw, rng):
    return raw + rng.randbytes(rng.choice((1, 1000, 100_000)))


@cache
def _packed(bits: int) -> bytes:
    """Two gigabytes of zeros in two megabytes; -15: deflate, 15: zlib, 31: gzip."""
    packer = zlib.compressobj(1, zlib.DEFLATED, bits)
    megabyte = packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    again = zlib.compressobj(1, zlib.DEFLATED, -15)
    body = again.compress(bytes(1 << 20)) + again.flush(zlib.Z_FULL_FLUSH)
    return megabyte + body * 2047 + b"\x03\x00"


def zip_bomb(raw, rng):
    """Gigabytes of zeros in megabytes, bare, in a zip archive or in a compressed MATLAB 5 file."""
    packed = _packed(rng.choice((-15, 15, 31)))
    kind = rng.randrange(3)
    if kind == 0:
        return packed
    if kind == 1:
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
            file.writestr(
                zipfile.ZipInfo("val.npy"), bytes(1 << 25), zipfile.ZIP_DEFLATED
            )  # of no date: the same again
        return archive.getvalue()
    header = b"MATLAB 5.0 MAT-file".ljust(124) + b"\x00\x01IM"
    return header + (15).to_bytes(4, "little") + len(packed).to_bytes(4, "little") + packed


BYTES = [truncated, bits_flipped, overwritten, randomised, cut_out, repeated, integer_set, junk_appended]

# -- text --------------------------------------------------------------------------------------------------------


def _token(pattern: bytes, words: tuple[str, ...], raw: bytes, rng: Random) -> bytes:
    found = list(re.finditer(pattern, raw[:20_000] if rng.random() < 0.7 else raw))
    if not found:
        return raw
    for match in sorted(rng.sample(found, min(len(found), rng.choice((1, 1, 3)))), key=re.Match.start, reverse=True):
        raw = raw[: match.start()] + rng.choice(words).encode() + raw[match.end() :]
    return raw


def number_set(raw, rng):
    return _token(rb"-?\d+(\.\d+)?", NUMBERS, raw, rng)


def word_set(raw, rng):
    return _token(rb"[A-Za-z_]\w*", WORDS, raw, rng)


def lines_moved(raw, rng):
    lines = raw.splitlines(keepends=True)
    if lines:
        one, other = rng.randrange(len(lines)), rng.randrange(len(lines))
        lines[one], lines[other] = lines[other], lines[one]
    return b"".join(lines)


def line_lost(raw, rng):
    lines = raw.splitlines(keepends=True)
    if lines:
        del lines[rng.randrange(min(len(lines), rng.choice((20, 10**9))))]
    return b"".join(lines)


def line_repeated(raw, rng):
    lines = raw.splitlines(keepends=True)
    if lines:
        at = rng.randrange(min(len(lines), rng.choice((20, 10**9))))
        lines[at] *= min(rng.choice((2, 200, 20_000)), 1 + MOST_GROWN // len(lines[at]))
    return b"".join(lines)


def encoded_otherwise(raw, rng):
    return raw.decode("latin-1").encode(rng.choice(ENCODINGS), "replace")


def line_ends(raw, rng):
    return raw.replace(b"\n", rng.choice((b"\r\n", b"\r", b"", b"\x00\n")))


def one_long_line(raw, rng):
    return raw[: rng.randrange(len(raw) + 1)] + rng.choice((b"1", b",", b"<", b"[", b'"', b"a,")) * 2_000_000


TEXT = [number_set, word_set, number_set, word_set, lines_moved, line_lost, line_repeated, encoded_otherwise]
TEXT += [line_ends, one_long_line]

# -- WFDB headers ------------------------------------------------------------------------------------------------


def record_line(raw, rng):
    lines = raw.split(b"\n")
    fields = lines[0].split()
    values = ("0", "1", "12", "200", "1000000", "1e9", "nan", "-5", "1000000000000", "500/0", "500(0)", "inf")
    for place in rng.sample((1, 2, 3), rng.choice((1, 2))):
        if place < len(fields):
            fields[place] = rng.choice(values).encode()
    return b"\n".join([b" ".join(fields), *lines[1:]])


def signal_field(raw, rng):
    """One field of one or of all signal lines."""
    lines = raw.split(b"\n")
    place = rng.choice((0, 1, 1, 2, 2, 3, 4, 5, 6, 7, 8))
    gains = ("0", "nan", "1e-300", "1e300", "inf", "-1", "1000(99999999999)/mV", "1000/V", "1000/mmHg", "1/nV", "/mV")
    formats = [
        base + extra
        for base in WFDB_FORMATS
        for extra in ("", "x100000000", ":999999999", "+24", "+999999999", "x0", "x2", ":3")
    ]
    names = ("~", "/dev/zero", "../x.dat", "-", "x.hea", "nothing.dat", "a b")
    values = {0: names, 1: formats, 2: gains, 8: ("V1", "", "MLII", "-aVR", "x" * 5000)}.get(place, NUMBERS)
    value = rng.choice(values).encode()
    every = rng.random() < 0.4
    at = rng.randint(1, 12)
    for number, line in enumerate(lines[1:], 1):
        fields = line.split(maxsplit=8)
        if place < len(fields) and not line.startswith(b"#") and (every or number == at):
            fields[place] = value
            lines[number] = b" ".join(fields)
    return b"\n".join(lines)


def leads_200(raw, rng):
    lines = raw.split(b"\n")
    fields = lines[0].split()
    if len(fields) > 1:
        fields[1] = rng.choice((b"200", b"24", b"12"))
    return b"\n".join([b" ".join(fields), *(lines[1:13] * 17)[:200]])


def segments(raw, rng):
    """A header of segments: itself, many, or longer than what is there."""
    name = (raw.split() or [b"x"])[0]
    n = rng.choice((1, 2, 1000, 1_000_000))
    listed = [name + b" " + rng.choice((b"1000", b"0", b"999999999999", b"x")) for _ in range(min(n, 1000))]
    return b"\n".join([name + b"/%d 12 500 5000" % n, *rng.choice((listed, listed[:1], [b"~ 1000", *listed]))])


WFDB = [record_line, signal_field, signal_field, signal_field, leads_200, segments]

# -- XML ---------------------------------------------------------------------------------------------------------


def _before_root(raw: bytes, text: bytes) -> bytes:
    root = re.search(rb"<[A-Za-z]", raw)
    return raw if root is None else raw[: root.start()] + text + raw[root.start() :]


def _root(raw: bytes) -> bytes:
    root = re.search(rb"<([A-Za-z][\w:]*)", raw)
    return root[1] if root else b"x"


def entity_bomb(raw, rng):
    laughs = b"".join(b'<!ENTITY e%d "%s">' % (n, b"&e%d;" % (n - 1) * 10) for n in range(1, 10))
    bombed = _before_root(raw, b'<!DOCTYPE %s [<!ENTITY e0 "lol">%s]>' % (_root(raw), laughs))
    return re.sub(rb">([^<]*\w)</", b">&e9;</", bombed, count=rng.choice((1, 5)))


def external_entity(raw, rng):
    target = rng.choice((b"file:///etc/passwd", b"file:///dev/zero", b"http://192.0.2.1/x"))
    bombed = _before_root(raw, b'<!DOCTYPE %s [<!ENTITY e SYSTEM "%s">]>' % (_root(raw), target))
    return re.sub(rb">([^<]*\w)</", b">&e;</", bombed, count=1)


def nested(raw, rng):
    n = rng.choice((1000, 100_000))
    at = raw.rfind(b"</")
    return raw[:at] + b"<a>" * n + rng.choice((b"", b"</a>" * n)) + raw[at:]


def many_attributes(raw, rng):
    attributes = b"".join(b' a%d="1"' % n for n in range(rng.choice((1000, 100_000))))
    return re.sub(rb"<([A-Za-z][\w:]*)", lambda match: match[0] + attributes, raw, count=1)


def declared_encoding(raw, rng):
    declared = rng.choice((b"utf-7", b"utf-16", b"bogus", b"ascii", b"cp037", b"hex", b"zlib"))
    body = raw[raw.find(b"?>") + 2 :] if raw.lstrip(b"\xef\xbb\xbf").startswith(b"<?xml") else raw
    return b'<?xml version="1.0" encoding="%s"?>' % declared + body


def xml_value(rng):
    return rng.choice(NUMBERS + WORDS).replace("\\", "").replace("\x00", "").encode()


def element_value(raw, rng):
    """The text of one element, often of all of its name."""
    found = list(re.finditer(rb"<([A-Za-z][\w:]*)[^<>]*>([^<]{1,60})</", raw))
    if not found:
        return raw
    name, value = re.escape(rng.choice(found)[1]), xml_value(rng)
    pattern = rb"(<" + name + rb"[^<>]*>)[^<]{1,60}(</)"
    return re.sub(pattern, lambda match: match[1] + value + match[2], raw, count=rng.choice((0, 1)))


def attribute_value(raw, rng):
    found = list(re.finditer(rb'\s([A-Za-z][\w:]*)="[^"<>]{0,60}"', raw))
    if not found:
        return raw
    name, value = re.escape(rng.choice(found)[1]), xml_value(rng)
    pattern = rb"(\s" + name + rb'=")[^"<>]{0,60}"'
    return re.sub(pattern, lambda match: match[1] + value + b'"', raw, count=rng.choice((0, 1)))


def element_repeated(raw, rng):
    found = list(re.finditer(rb"<([A-Za-z][\w:]*)[^<>]*>[^<]*</\1>", raw))
    if not found:
        return raw
    match = rng.choice(found)
    times = min(rng.choice((2, 200, 20_000)), 1 + MOST_GROWN // len(match[0]))
    return raw[: match.end()] + match[0] * times + raw[match.end() :]


def samples_replaced(raw, rng):
    """The largest block of text (base64, digits) by another of another length."""
    found = sorted(re.finditer(rb">([^<>]{500,})<", raw), key=lambda match: len(match[1]))
    if not found:
        return raw
    match = rng.choice(found[-8:])
    block = rng.choice(
        (
            base64.b64encode(rng.randbytes(rng.choice((1, 7, 20_000)))),
            b"=" * 1000,
            b"A" * 5_000_001,
            match[1][:-1],
            b"nan " * 5000,
            b"1e999 " * 5000,
            b"9" * 10_000,
            match[1] * 3,
        )
    )
    return raw[: match.start(1)] + block + raw[match.end(1) :]


XML = [entity_bomb, external_entity, nested, many_attributes, declared_encoding, element_value, element_value]
XML += [attribute_value, attribute_value, element_repeated, samples_replaced]

# -- EDF ---------------------------------------------------------------------------------------------------------


def fixed_field(raw, rng):
    """Eight of the characters that the header's numbers have, of all signals or of one."""
    value = rng.choice((*NUMBERS, "99999999", "-32768", "12", "5000", "mV", "uV", "EDF+D", "ECG V1")).encode()
    start = rng.choice((184, 192, 236, 244, 252, 256 + 8 * rng.randrange(400)))
    field = value[:8].ljust(8) * rng.choice((1, 1, 12))
    return raw[:start] + field + raw[start + len(field) :]


# -- tables ------------------------------------------------------------------------------------------------------


def npy_header(raw, rng):
    shapes = ("(5000000000, 12)", "(4611686018427387904, 12)", "(-1, 12)", "(0, 12)", "()", "(12,)", "(5000, 12, 1)")
    shapes += ("(1e9, 12)", "(True, 12)", "(" * 200 + ")" * 200, "(9" + "9" * 6000 + ", 12)", "[5000, 12]")
    types = ("'<f4'", "'|O'", "'<f8'", "'|V0'", "'<M8[s]'", "'<U1000000000'", "'<c16'", "[('a', '<f4')]", "'<i1'", "0")
    descr, order, shape = rng.choice(types), rng.choice(("False", "True", "2")), rng.choice(shapes)
    header = f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}}}"
    text = header.encode() + b"\n"
    size = rng.choice((len(text), len(text), len(text), 0, 0xFFFF)).to_bytes(2, "little")
    return b"\x93NUMPY" + rng.choice((b"\x01\x00", b"\x01\x00", b"\x09\x00")) + size + text + raw[128:]


def columns_200(raw, rng):
    separator = rng.choice((b",", b";", b"\t"))
    return raw.replace(b"\n", separator.join([b"", *[rng.choice((b"0.1", b"V9", b""))] * 188]) + b"\n")


def quotes(raw, rng):
    at = rng.randrange(len(raw) + 1)
    return raw[:at] + rng.choice((b'"', b'"""', b"'", b'"\n"', b"\\")) + raw[at:]


def json_value(raw, rng):
    values = ("[" * 100_000, "9" * 5000, "1e999", "NaN", "{}", "[1]", "true", "null")
    values += ('"\\ud800"', '"\\u0000"', '"a\\nb"')
    return re.sub(rb":\s*[^,}]+", lambda _: b": " + rng.choice(values).encode(), raw, count=rng.choice((1, 3)))


# -- DICOM -------------------------------------------------------------------------------------------------------


def dicom_element(raw, rng):
    """One element of the waveform by its keyword, left in the encoding of the file."""
    import pydicom

    try:
        data = pydicom.dcmread(io.BytesIO(raw))
        group = rng.choice(data.WaveformSequence)
        channel = rng.choice(group.ChannelDefinitionSequence)
        holder, keyword, values = rng.choice(
            (
                (group, "NumberOfWaveformSamples", (0, 1, 0xFFFF_FFFF, 10_000_000)),
                (group, "NumberOfWaveformChannels", (0, 1, 13, 200, 0xFFFF)),
                (group, "SamplingFrequency", ("0", "1E9", "-1", "1E-9", "nan", "")),
                (group, "WaveformBitsAllocated", (0, 8, 12, 32, 64)),
                (group, "WaveformSampleInterpretation", ("SB", "UB", "UL", "SS", "MB", "")),
                (group, "WaveformData", (b"", b"\x00", bytes(20_000_000), group.WaveformData[:-3])),
                (group, "ChannelDefinitionSequence", ([], list(group.ChannelDefinitionSequence) * 20)),
                (data, "WaveformSequence", ([], list(data.WaveformSequence) * 20)),
                (channel, "ChannelSensitivity", ("0", "1E300", "-1", "nan", "")),
                (channel, "ChannelSensitivityCorrectionFactor", ("0", "1E300", "nan", "")),
                (channel, "ChannelBaseline", ("1E300", "nan", "")),
                (channel, "ChannelSensitivityUnitsSequence", ([],)),
                (channel, "ChannelSourceSequence", ([],)),
                (channel, "WaveformBitsStored", (0, 1, 99)),
            )
        )
        setattr(holder, keyword, rng.choice(values))
        out = io.BytesIO()
        data.save_as(out)
        return out.getvalue()
    except Exception:  # pydicom writes not every value that a file can hold, and the sample may be damaged already
        return integer_set(raw, rng)


def dicom_deflated(raw, rng):
    """A bomb behind a valid file head: its transfer syntax says that the rest is compressed."""
    packer = zlib.compressobj(1, zlib.DEFLATED, -15)
    packed = packer.compress(raw[400:]) + packer.flush(zlib.Z_FULL_FLUSH) + _packed(-15)
    head = re.sub(rb"1\.2\.840\.10008\.1\.2\.1(\x00|(?=UL))?", b"1.2.840.10008.1.2.1.99", raw[:400], count=1)
    head = head.replace(b"\x02\x00\x10\x00UI\x14\x00", b"\x02\x00\x10\x00UI\x16\x00")
    return head + packed


# -- whole samples -----------------------------------------------------------------------------------------------


def drawn_out(sample, rng, others):
    return replace(sample, sizes={**sample.sizes, rng.choice(sorted(sample.files)): GIGABYTES})


def file_lost(sample, rng, others):
    lost = rng.choice(sorted(sample.files))
    return replace(sample, files={name: content for name, content in sample.files.items() if name != lost})


def file_exchanged(sample, rng, others):
    """The content of a file of another recording, under this name."""
    return sample.with_file(rng.choice(sorted(sample.files)), rng.choice(list(rng.choice(others).files.values())))


def bombed(sample, rng, others):
    return sample.with_file(rng.choice(sorted(sample.files)), zip_bomb(b"", rng))


def no_file(sample, rng, others):
    kind = rng.choice(("folder", "pipe", "dangling link", "link to itself", "device"))
    return replace(sample, special={**sample.special, rng.choice(sorted(sample.files)): kind})


WHOLE = [drawn_out, file_lost, file_exchanged, bombed, no_file]


def _is_text(raw: bytes) -> bool:
    return b"\x00" not in raw[:1000] and not re.search(rb"[\x80-\x9f]{3}", raw[:1000])


KINDS = (
    (_is_text, TEXT),
    (lambda raw: re.match(rb"\S+ \d+ \d+", raw), WFDB),
    (lambda raw: b"<" in raw[:10], XML + XML),
    (lambda raw: raw.startswith(b"\x93NUMPY"), [npy_header] * 4),
    (lambda raw: raw.startswith(b"0       "), [fixed_field] * 8),
    (lambda raw: raw.startswith(b"#"), [columns_200, quotes]),
    (lambda raw: raw.startswith(b"{"), [json_value] * 4),
    (lambda raw: raw[128:132] == b"DICM", [dicom_element] * 8 + [dicom_deflated]),
)


def as_csv(leads, values, separator: str = ",") -> bytes:
    """(n_samples, n_leads) mV at 500 Hz as a CSV that states so."""
    rows = [separator.join(leads), *(separator.join(f"{value:.4f}" for value in row) for row in values)]
    return ("# rate_hz: 500\n# unit: mV\n# age: 63\n" + "\n".join(rows) + "\n").encode()


def as_npy(values, leads) -> dict[str, bytes]:
    import numpy as np

    array = io.BytesIO()
    np.save(array, values)
    stated = {"rate_hz": 500, "unit": "mV", "leads": list(leads), "age": 63, "start": "2021-06-05T10:20:30"}
    return {"x.npy": array.getvalue(), "x.json": json.dumps(stated, indent=1).encode()}
