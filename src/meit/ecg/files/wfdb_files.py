"""WFDB records: a .hea text header beside its .dat or .mat signal files, as on PhysioNet and in its Challenges.

Samples in format 16 (PTB-XL, MIMIC-IV-ECG, the Challenges) are read here: that saves half a second of imports, and some
Challenge headers ("E00009.mat 12 500 ...") are refused by the wfdb package. All other formats and multi-segment records
are read by it, once the header has been checked.
"""

import re
from collections.abc import Collection, Sequence
from pathlib import Path
from shutil import copyfile
from tempfile import TemporaryDirectory

import numpy as np

from meit.ecg.files.limits import MAX_VALUES
from meit.ecg.files.wfdb_comments import stated_in
from meit.ecg.files.wfdb_headers import (
    Signal,
    check_record,
    header_lines,
    looks_like_header,
    n_samples_of,
    named_beside,
    segments_of,
    signals_of,
    start_of,
)
from meit.ecg.recording import Recording, assemble, canonical_lead, printable
from meit.errors import RecordingError

SIGNAL_SUFFIXES = (".dat", ".mat")
WFDB_SUFFIXES = (".hea", *SIGNAL_SUFFIXES)
_PLAIN = "16"  # little-endian 16-bit integers, one of each signal in turn
_WHOLE_BASELINE = re.compile(rb"\(\+?(-?\d+)(?:\.0*)?\)(?=[/\s])")  # "1000(0.0)/mV"
_NO_SAMPLE = -32768  # format 16's mark of a sample that was not recorded


def is_wfdb(path: Path, start: bytes) -> bool:
    """True for a header, for a signal file with its header beside it, and for the stem that the two share; start: the
    file's first bytes."""
    return looks_like_header(start) if path.suffix.lower() == ".hea" else header_beside(path) is not None


def header_beside(path: Path) -> Path | None:
    """The header of a signal file or of a stem, in small or capital letters; None where there is none."""
    stems = (path.name, path.stem) if path.suffix else (path.name,)
    for name in [stem + suffix for stem in stems for suffix in (".hea", ".HEA")]:
        if path.with_name(name).is_file():
            return path.with_name(name)
    return None


def read_wfdb(path: Path, allow_missing: bool) -> Recording:
    """path as for is_wfdb -> Recording; raises RecordingError where header and signals do not make a 12-lead ECG."""
    header = path if path.suffix.lower() == ".hea" else header_beside(path)
    if header is None:
        raise RecordingError(f"{path}: has no header {path.with_suffix('.hea').name} beside it; WFDB needs both files")
    lines, comments = header_lines(header)
    rate = check_record(header, lines)
    segments = segments_of(header, lines)
    signals = [signal for segment in segments for signal in signals_of(*segment)]
    to_millivolts: dict[str, float] = {}
    for signal in signals:
        if to_millivolts.setdefault(signal.name, signal.to_millivolts) != signal.to_millivolts:
            raise RecordingError(f"{header}: lead {signal.name} has not one unit throughout; write all of it in mV")

    plain = all((s.format, s.samples_per_frame, s.skew) == (_PLAIN, 1, 0) and s.file != "~" for s in signals)
    if plain and segments == [(header, lines)]:
        names, values = _plain_samples(header, signals, n_samples_of(lines))
    else:
        names, values = _samples(header, [segment for segment, _ in segments], {signal.file for signal in signals})
    leads = {}
    for column, name in enumerate(names):
        if canonical_lead(name) is None:
            continue
        if name not in to_millivolts:
            raise RecordingError(f"{header}: the line of lead {name} is damaged; copy the header again")
        if name in leads:
            raise RecordingError(f"{header}: lead {name} occurs twice; keep one of them")
        leads[name] = values[:, column] * to_millivolts[name]
    if not leads:
        there = printable(", ".join(name for name in names if name)) or "no names"
        raise RecordingError(f"{header}: none of its signals is named as one of the 12 leads (found: {there})")
    start = start_of(lines[0].split()[4:])
    patient, cart = stated_in(comments, start)
    return assemble(
        leads,
        rate,
        name=header.stem,
        start=start,
        patient=patient,
        cart=cart,
        source=str(header),
        allow_missing=allow_missing,
    )


def _plain_samples(header: Path, signals: list[Signal], n_samples: int) -> tuple[list[str], np.ndarray]:
    """As _samples, for format 16."""
    columns: dict[int, np.ndarray] = {}
    for name in dict.fromkeys(signal.file for signal in signals):
        inside = [column for column, signal in enumerate(signals) if signal.file == name]
        offset = signals[inside[0]].byte_offset
        with named_beside(header, name).open("rb") as file:
            file.seek(offset)
            stored = file.read(2 * len(inside) * (n_samples or MAX_VALUES))
        frames = n_samples or len(stored) // (2 * len(inside))
        steps = np.frombuffer(stored, "<i2", count=frames * len(inside)).reshape(frames, len(inside))
        for number, column in enumerate(inside):
            values = (steps[:, number] - float(signals[column].baseline)) / signals[column].gain
            columns[column] = np.where(steps[:, number] == _NO_SAMPLE, np.nan, values)
    if len({len(values) for values in columns.values()}) > 1 or not len(columns[0]):
        raise RecordingError(f"{header}: its signal files hold no samples, or not equally many; copy them again")
    return [signal.name for signal in signals], np.stack([columns[n] for n in range(len(signals))], axis=1)


def _samples(header: Path, segments: Sequence[Path], files: Collection[str]) -> tuple[list[str], np.ndarray]:
    """Names and (n_samples, n_signals) physical values in the header's own units.

    segments: headers that the header names, or itself. files: the signal files that these name.
    """
    import wfdb  # half a second, most of it pandas

    with TemporaryDirectory(prefix="meit-") as folder:
        record = header.absolute()
        stored = {name: named_beside(header, name) for name in files if name != "~"}
        stored |= {file.stem + ".hea": file for file in (header, *segments)}
        headers = {name: file.read_bytes() for name, file in stored.items() if name.endswith(".hea")}
        plain = {name: _WHOLE_BASELINE.sub(rb"(\1)", text) for name, text in headers.items()}
        if plain != headers or any(file.name != name for name, file in stored.items()):  # wfdb takes what is written
            for name, file in stored.items():
                copyfile(file, Path(folder, name))
            for name, text in plain.items():
                Path(folder, name).write_bytes(text)
            record = Path(folder, header.name)
        try:
            read = wfdb.rdrecord(str(record.with_suffix("")), physical=True)
        except Exception as error:  # wfdb lets out whatever its parsing runs into
            reason = printable(str(error)) or type(error).__name__
            raise RecordingError(f"{header}: wfdb cannot read this record ({reason}); copy it again") from None
    if read.p_signal is None or len(read.p_signal) == 0:
        raise RecordingError(f"{header}: holds no samples; copy the record again")
    return [name or "" for name in read.sig_name], read.p_signal
