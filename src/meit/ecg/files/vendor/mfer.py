"""MFER (ISO 22077-1): which file it is, the age it states, and its null value. ecgdatakit decodes the rest."""

from collections.abc import Iterator

_PREAMBLE, _CHANNELS, _INTERVAL, _STEP, _WAVE, _ATTRIBUTE, _AGE = 0x40, 0x05, 0x0B, 0x0C, 0x1E, 0x3F, 0x83
_BYTE_ORDER, _END = 0x01, 0x80
_TYPE, _NULL = 0x0A, 0x12
_INTEGERS = {0: (2, True), 1: (2, False), 2: (4, True), 3: (1, False), 5: (1, True), 6: (4, False)}  # bytes, signed
_MOST = 200  # definitions looked at


def is_mfer(start: bytes) -> bool:
    """The preamble "MFR", or definitions one after another of which those of an ECG cannot be absent."""
    if start[:1] == bytes([_PREAMBLE]) and start[2:6] == b"MFR ":
        return True
    if start[:2] != bytes([_BYTE_ORDER, 1]):
        return False
    return {_CHANNELS, _INTERVAL, _STEP} <= {tag for tag, _ in _definitions(start)}


def mfer_age(raw: bytes) -> str:
    """Years, or the days of an infant; "" where neither is there."""
    little = False
    for tag, value in _definitions(raw[:65_536]):
        if tag == _BYTE_ORDER and value:
            little = value[0] == 1
        if tag == _AGE and value:
            days = int.from_bytes(value[1:3], "little" if little else "big") if len(value) >= 3 else 0
            return f"{value[0]} years" if value[0] else f"{days} days" if days else ""
    return ""


def mfer_null(raw: bytes) -> float | None:
    """The value of what was not recorded, of samples of one type throughout; None where none is stated."""
    little, kind, null = False, 0, b""
    for tag, value in _definitions(raw[:65_536]):
        if tag == _BYTE_ORDER and value:
            little = value[0] == 1
        elif tag == _TYPE and value:
            kind = value[0]
        elif tag == _NULL:
            null = value
    if kind not in _INTEGERS or len(null) != _INTEGERS[kind][0]:
        return None
    return float(int.from_bytes(null, "little" if little else "big", signed=_INTEGERS[kind][1]))


def _definitions(raw: bytes) -> Iterator[tuple[int, bytes]]:
    """(tag, content) of the file's outermost definitions, until the first waveform or what is no definition."""
    place = 0
    for _ in range(_MOST):
        while place < len(raw) and raw[place] == 0:
            place += 1
        if place + 2 > len(raw) or raw[place] == _END:
            return
        tag, place = raw[place], place + 1
        if tag == _ATTRIBUTE:  # the number of its channel
            while place < len(raw) and raw[place] & 0x80:
                place += 1
            place += 1
        if place >= len(raw):
            return
        length, place = raw[place], place + 1
        if length > 0x80:
            bytes_ = length & 0x7F
            if bytes_ > 4:
                return
            length, place = int.from_bytes(raw[place : place + bytes_], "big"), place + bytes_
        elif length == 0x80:  # its end is marked, not told
            return
        yield tag, raw[place : place + length]
        if tag == _WAVE:
            return
        place += length
