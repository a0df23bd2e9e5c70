"""SCP-ECG (EN 1064): damage found before a byte is decoded, and writers that count from 0 what the standard counts
from 1."""

import struct
from binascii import crc_hqx

from meit.ecg.files.limits import MAX_VALUES
from meit.ecg.files.vendor.dicom import OVERRUN

POINTERS, POINTER, N_POINTERS = 22, 10, 12  # where section 0 lists the sections, bytes of each, sections
LEAD = struct.Struct("<IIB")  # section 3: first sample, last sample, code of a lead
SECTION_HEADER = 16  # bytes of a section before its content
_BEAT = struct.Struct("<HIII")  # section 4: type, first sample, fiducial point, last sample of a beat
_AGE, _END_OF_TAGS = 4, 255  # tags of section 1
_AGE_UNITS = {1: "years", 2: "months", 3: "weeks", 4: "days", 5: "hours"}


def scp_fault(raw: bytes) -> str:
    """Whether a lead has more samples than the file has bits, of which each takes one at least (EN 1064, 5.6)."""
    most = min(8 * len(raw), MAX_VALUES)
    try:
        place, _ = _sections(raw)[3]
        return OVERRUN if any(last - first >= most for first, last, _ in _leads(raw, place)) else ""
    except (struct.error, IndexError, KeyError):  # the parser says that the file is too short
        return ""


def counted_from_one(raw: bytes) -> bytes | None:
    """The file with its sections, and the samples of its leads, counted from 1; None where they are.

    Checksums that were right stay right.
    """
    try:
        repaired = bytearray(raw)
        moved = _move_pointers(repaired)
        moved |= _move_samples(repaired)
    except (struct.error, IndexError, KeyError):
        return None
    return bytes(repaired) if moved else None


def scp_age(raw: bytes) -> str:
    try:
        place, length = _sections(raw)[1]
        end, place = place + length, place + SECTION_HEADER
        while place + 3 <= end and raw[place] != _END_OF_TAGS:
            tag, size = struct.unpack_from("<BH", raw, place)
            if tag == _AGE and size >= 3:
                age, unit = struct.unpack_from("<HB", raw, place + 3)
                return f"{age} {_AGE_UNITS[unit]}" if unit in _AGE_UNITS else ""  # unit 0: not stated
            place += 3 + size
    except (struct.error, IndexError, KeyError):
        pass
    return ""


def _sections(raw: bytes | bytearray) -> dict[int, tuple[int, int]]:
    """Number of a section -> where it begins, counted from 0, and its bytes."""
    found = {}
    for place in range(POINTERS, POINTERS + N_POINTERS * POINTER, POINTER):
        number, length, position = struct.unpack_from("<HII", raw, place)
        if length and number not in found:
            found[number] = (position - 1, length)
    return found


def _leads(raw: bytes | bytearray, place: int) -> list[tuple[int, int, int]]:
    return [
        LEAD.unpack_from(raw, place + SECTION_HEADER + 2 + n * LEAD.size) for n in range(raw[place + SECTION_HEADER])
    ]


def _move_pointers(raw: bytearray) -> bool:
    """Adds 1 to pointers that count bytes from 0: each section's header, where it would then be, has its number."""
    places = []
    for place in range(POINTERS, POINTERS + N_POINTERS * POINTER, POINTER):
        number, length, position = struct.unpack_from("<HII", raw, place)
        if length and number < N_POINTERS and position + SECTION_HEADER <= len(raw):
            here = struct.unpack_from("<H", raw, position + 2)[0] == number
            before = position > 0 and struct.unpack_from("<H", raw, position + 1)[0] == number
            places.append((place, position, here, before))
    others = [one for one in places if one[0] > POINTERS]
    if not others or not all(here and not before for _, _, here, before in others):
        return False
    right = _checksum_is_right(raw, 6, struct.unpack_from("<I", raw, 10)[0])
    for place, position, _, _ in places:
        if place > POINTERS or position == 6:
            struct.pack_into("<I", raw, place + 6, position + 1)
    if right:
        _put_checksum(raw, 6, struct.unpack_from("<I", raw, 10)[0])
    return True


def _move_samples(raw: bytearray) -> bool:
    """Adds 1 to the sample numbers of all leads, and of the beats, where every lead begins at sample 0."""
    sections = _sections(raw)
    place, length = sections[3]
    leads = _leads(raw, place)
    if not leads or any(first != 0 for first, _, _ in leads):
        return False
    held = _samples_held(raw, sections, len(leads))
    right = _checksum_is_right(raw, place, length)
    for n, (_, last, code) in enumerate(leads):
        beyond = held is not None and last == held[n]  # the last one is named that is no longer there
        LEAD.pack_into(raw, place + SECTION_HEADER + 2 + n * LEAD.size, 1, last if beyond else last + 1, code)
    if right:
        _put_checksum(raw, place, length)
    if 4 in sections:
        place, length = sections[4]
        right = _checksum_is_right(raw, place, length)
        count = struct.unpack_from("<H", raw, place + SECTION_HEADER + 4)[0]
        for n in range(count if SECTION_HEADER + 6 + count * _BEAT.size <= length else 0):
            at = place + SECTION_HEADER + 6 + n * _BEAT.size
            kind, *samples = _BEAT.unpack_from(raw, at)
            _BEAT.pack_into(raw, at, kind, *(sample + 1 for sample in samples))
        if right:
            _put_checksum(raw, place, length)
    return True


def _samples_held(raw: bytearray, sections: dict[int, tuple[int, int]], n_leads: int) -> list[int] | None:
    """Samples that section 6 has of each lead; None where they are compressed."""
    if 2 in sections or 6 not in sections:
        return None
    return [size // 2 for size in struct.unpack_from(f"<{n_leads}H", raw, sections[6][0] + SECTION_HEADER + 6)]


def _checksum_is_right(raw: bytearray, place: int, length: int) -> bool:
    return struct.unpack_from("<H", raw, place)[0] == crc_hqx(bytes(raw[place + 2 : place + length]), 0xFFFF)


def _put_checksum(raw: bytearray, place: int, length: int) -> None:
    struct.pack_into("<H", raw, place, crc_hqx(bytes(raw[place + 2 : place + length]), 0xFFFF))
