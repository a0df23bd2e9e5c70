"""The text header of a WFDB record, and whether the files beside it are what it announces.

The wfdb package takes a damaged header at its word: it fills in defaults for what is absent and allocates what is
announced. So all of it is checked here first, against the files' sizes.
"""

import math
import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from meit.ecg.files.limits import MAX_VALUES, MILLIVOLTS, is_text, read_bounded
from meit.ecg.recording import canonical_lead
from meit.errors import RecordingError

MAX_SEGMENTS = 100
MAX_HEADER = 1_000_000  # bytes
TEXT_BYTES = 64  # all printable, they are a text; fewer may be samples

# bits that one sample takes in a signal file; the compressed formats (508, 516, 524) have no fixed size
_BITS = {"8": 8, "16": 16, "24": 24, "32": 32, "61": 16, "80": 8, "160": 16, "212": 12, "310": 32 / 3, "311": 32 / 3}
_GAIN = re.compile(r"([-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?)(?:\(([-+]?\d+(?:\.0*)?)\))?(?:/(\S+))?", re.IGNORECASE)
_FORMAT = re.compile(r"(\d{1,3})(?:x(\d{1,9}))?(?::(\d{1,9}))?(?:\+(\d{1,9}))?")
_DATES = ("%d/%m/%Y", "%d-%b-%Y", "%Y-%m-%d")
_TIMES = ("%H:%M:%S.%f", "%H:%M:%S", "%H:%M")


@dataclass(frozen=True)
class Signal:
    """One signal line of a header."""

    file: str
    format: str
    samples_per_frame: int
    skew: int
    byte_offset: int
    name: str
    gain: float  # steps of the converter to one unit; 1 where the signal is no ECG lead
    baseline: int
    to_millivolts: float


def named_beside(header: Path, name: str) -> Path:
    """The file that a header names, beside it: copies from elsewhere may have all letters small or capital."""
    for spelling in (name, name.upper(), name.lower(), str(Path(name).with_suffix(Path(name).suffix.upper()))):
        if header.with_name(spelling).is_file():
            return header.with_name(spelling)
    return header.with_name(name)


def looks_like_header(start: bytes) -> bool:
    content = [line for line in text_lines(start) if not line.startswith("#")]
    return bool(content) and re.match(r"\S+\s+\d+(\s|$)", content[0]) is not None


def header_lines(header: Path) -> tuple[list[str], list[str]]:
    """The header's lines without blanks, and its comments; not ASCII throughout, for the sake of a micro sign."""
    if header.exists() and not header.is_file():  # opening a pipe would wait for its writer
        raise RecordingError(f"{header}: is no regular file; give the .hea file of one ECG")
    raw = read_bounded(header, MAX_HEADER, "is too large for a WFDB header; give the .hea file of one ECG")
    lines = text_lines(raw)
    content = [line for line in lines if not line.startswith("#")]
    if not content:
        raise RecordingError(f"{header}: is empty; a WFDB header names the record, its signals and its rate")
    return content, [line for line in lines if line.startswith("#")]


def text_lines(raw: bytes) -> list[str]:
    """Lines that are not blank, stripped."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    return [line.strip() for line in text.splitlines() if line.strip()]


def check_record(header: Path, lines: list[str]) -> float:
    """The sampling rate, after checks of what the record line announces."""
    fields = lines[0].split()
    try:
        n_signals, rate = int(fields[1]), float(re.split(r"[/(]", fields[2])[0])
        n_samples = n_samples_of(lines)
    except (IndexError, ValueError):
        raise RecordingError(
            f"{header}: is not a WFDB header; its first line must read NAME SIGNALS RATE SAMPLES, not {lines[0][:60]!r}"
        ) from None
    if n_signals < 0 or n_samples < 0:
        raise RecordingError(f"{header}: is not a WFDB header; a negative number in its first line {lines[0][:60]!r}")
    if not (math.isfinite(rate) and rate > 0):
        raise RecordingError(f"{header}: a sampling rate of {fields[2][:20]} Hz; correct the first line of the header")
    if n_signals * n_samples > MAX_VALUES:
        raise RecordingError(
            f"{header}: announces {n_signals} signals of {n_samples} samples, too many samples for one ECG; "
            "correct the header, or cut the recording into shorter ones"
        )
    return rate


def n_samples_of(lines: list[str]) -> int:
    """Samples a signal that the record line announces, 0 where it leaves that to the size of the file."""
    fields = lines[0].split()
    return int(fields[3]) if len(fields) > 3 else 0


def segments_of(header: Path, lines: list[str]) -> list[tuple[Path, list[str]]]:
    """The headers that describe signals: the given one, or those of the segments it lists, with their lines."""
    if "/" not in lines[0].split()[0]:
        return [(header, lines)]
    if len(lines) - 1 > MAX_SEGMENTS:
        raise RecordingError(f"{header}: has {len(lines) - 1} segments, too many for one ECG; give one of its segments")
    segments, n_values = [], 0
    for line in lines[1:]:
        name = line.split()[0]
        if name == "~":  # a gap between segments
            continue
        if not re.fullmatch(r"[-\w]{1,60}", name):
            raise RecordingError(f"{header}: {name[:60]!r} is no name of a segment")
        segment = named_beside(header, name + ".hea")
        if not segment.is_file():
            raise RecordingError(f"{header}: its segment {segment.name} is not beside it")
        segments.append((segment, header_lines(segment)[0]))
        if "/" in segments[-1][1][0].split()[0]:
            raise RecordingError(f"{segment}: a segment that has segments itself")
        check_record(*segments[-1])
        n_values += int(segments[-1][1][0].split()[1]) * n_samples_of(segments[-1][1])
    if n_values > MAX_VALUES:
        raise RecordingError(f"{header}: its segments have too many samples for one ECG; give one of its segments")
    return segments


def signals_of(header: Path, lines: list[str]) -> list[Signal]:
    """The signals of one header, after checks of their files against what it announces of them."""
    fields = lines[0].split()
    n_signals = int(fields[1])
    if n_signals == 0 or len(lines) - 1 != n_signals:
        raise RecordingError(
            f"{header}: announces {n_signals} signals and describes {len(lines) - 1}; the header is damaged"
        )
    signals = [_signal(header, line) for line in lines[1:]]
    for name in dict.fromkeys(signal.file for signal in signals):
        if name == "~":  # the layout of a variable-layout record: names only
            continue
        _check_file(
            named_beside(header, name), [signal for signal in signals if signal.file == name], n_samples_of(lines)
        )
    return signals


def _signal(header: Path, line: str) -> Signal:
    fields = line.split(maxsplit=8)
    format_ = _FORMAT.fullmatch(fields[1]) if len(fields) > 1 else None
    gain = _GAIN.fullmatch(fields[2]) if len(fields) > 2 else None
    name = fields[8].strip() if len(fields) > 8 else ""
    if format_ is None or not re.fullmatch(r"~|[-\w]{1,60}(\.\w{1,20})?", fields[0]):
        raise RecordingError(f"{header}: {line[:60]!r} does not describe a signal")
    steps, to_millivolts = 1.0, 1.0
    if canonical_lead(name) is not None:  # what else is in the record may have any unit
        if gain is None and len(fields) > 2 and re.search(r"\d", fields[2]):
            raise RecordingError(
                f"{header}: {fields[2][:40]!r} of lead {name} is no GAIN(BASELINE)/UNIT with a whole number as baseline"
            )
        if gain is None or not abs(float(gain[1])) > 0 or not math.isfinite(float(gain[1])):
            raise RecordingError(f"{header}: gives no gain for lead {name}, so its millivolts are unknown; add it")
        unit = (gain[3] or "mV").lower()
        if unit not in MILLIVOLTS:
            raise RecordingError(f"{header}: lead {name} is in {gain[3][:20]!r}, which is not mV, uV or V")
        steps, to_millivolts = float(gain[1]), MILLIVOLTS[unit]
    baseline = (gain and gain[2]) or (fields[4] if len(fields) > 4 else "0")  # by default the converter's zero
    if not re.fullmatch(r"[-+]?\d{1,10}(\.0*)?", baseline):
        raise RecordingError(f"{header}: {line[:60]!r} gives {baseline[:20]!r} as baseline, which is no whole number")
    return Signal(
        file=fields[0],
        format=format_[1],
        samples_per_frame=int(format_[2] or 1),
        skew=int(format_[3] or 0),
        byte_offset=int(format_[4] or 0),
        name=name,
        gain=steps,
        baseline=int(float(baseline)),
        to_millivolts=to_millivolts,
    )


def _check_file(path: Path, signals: list[Signal], n_samples: int) -> None:
    if not path.is_file():
        raise RecordingError(f"{path}: the header names this signal file, but it is not beside it")
    size = path.stat().st_size
    if size == 0:
        raise RecordingError(f"{path}: is empty; copy the signal file again")
    if len({signal.format for signal in signals}) > 1:
        raise RecordingError(f"{path}: the header gives its signals different formats; correct the header")
    frame = sum(signal.samples_per_frame for signal in signals)
    bits = _BITS.get(signals[0].format)
    if not (bits is not None and n_samples and size == needed_bytes(signals, n_samples)):
        _check_not_text(path)  # a few samples may be printable; a text has not the announced size
    if bits is not None and n_samples == 0:  # as many as the file holds
        n_samples = int(max(0, size - signals[0].byte_offset) * 8 / bits / frame) if frame else 0
    if frame * (n_samples + max(signal.skew for signal in signals)) > MAX_VALUES:
        raise RecordingError(f"{path}: too many samples for one ECG; correct the header or cut the recording")
    if bits is None:
        return
    needed = needed_bytes(signals, n_samples)
    if size < needed:
        raise RecordingError(
            f"{path}: is truncated: {size} bytes of the {needed} that its header announces; copy the file again"
        )


def needed_bytes(signals: list[Signal], n_samples: int) -> int:
    """Size of the file that holds n_samples of signals in a format of fixed size."""
    frame = sum(signal.samples_per_frame for signal in signals)
    return signals[0].byte_offset + math.floor(frame * n_samples * _BITS[signals[0].format] / 8)


def _check_not_text(path: Path) -> None:
    with path.open("rb") as file:
        start = file.read(512)
    if is_text(start) and len(start) >= TEXT_BYTES:
        raise RecordingError(f"{path}: is a text file, not WFDB samples; give the signal file that the header means")


def start_of(fields: list[str]) -> datetime | None:
    """Time and date of the record line, in either order and spelling; None unless both are there."""
    dates = [read for field in fields if (read := _parsed(field, _DATES))]
    times = [read for field in fields if (read := _parsed(field, _TIMES))]
    return datetime.combine(dates[0].date(), times[0].time()) if dates and times else None


def _parsed(field: str, formats: tuple[str, ...]) -> datetime | None:
    for format_ in formats:
        try:
            return datetime.strptime(field, format_)
        except ValueError:
            continue
    return None
