"""Recordings without their patients' identity: a fresh record that holds only what is listed here.

Nothing is removed from a file: the signal, its rate and leads, the sex, a capped age, hashed ids and a shifted start
are written anew, so that no field of any format can be forgotten. docs/deidentify.md says what is kept and lost.
"""

import hashlib
import hmac
import logging
import os
import secrets
import tempfile
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from meit.ecg.recording import LEADS, Recording
from meit.ecg.stated import Cart, Patient
from meit.errors import DataError, RecordingError

KEY_BYTES = 32
OLDEST = 89  # years; ages over it are one class in the HIPAA Privacy Rule, 45 CFR 164.514(b)(2)(i)(C)
CENTURY = 36_525  # days
FIRST_YEAR = 1000  # of what a header can say in four digits

log = logging.getLogger(__name__)


def read_key(path: str | Path) -> bytes:
    """The secret key of a file; where there is none, one is made that only its owner can read, and a warning logged.

    Raises DataError for a file that holds no such key and where none can be made.
    """
    path = Path(path)
    try:
        try:
            new = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            key = bytes.fromhex(path.read_text(encoding="ascii"))
            if len(key) == KEY_BYTES:
                return key
            raise ValueError from None
        with open(new, "w", encoding="ascii") as file:
            key = secrets.token_bytes(KEY_BYTES)
            file.write(key.hex() + "\n")
    except ValueError:
        raise DataError(
            f"{path}: holds no key ({2 * KEY_BYTES} hexadecimal digits); name the right file, or a new one"
        ) from None
    except OSError as error:
        raise DataError(f"{path}: no key can be read or made here ({error.strerror or error}); name another") from None
    log.warning(
        "meit: made a new key, %s. Keep it, apart from the data: with both, anyone can test which patient a recording "
        "is of; without it, later recordings of the same patients get other pseudonyms.",
        path,
    )
    return key


def pseudonym(key: bytes, text: str) -> str:
    """16 hexadecimal digits that stand for an id: the same for the same key, not to be inverted or guessed without it.

    HMAC-SHA256 (RFC 2104) cut to 64 bits: among a million ids, two share a pseudonym with a probability of 3e-8.
    """
    return hmac.new(key, b"pseudonym\0" + text.encode(), hashlib.sha256).hexdigest()[:16]


def shifted(key: bytes, patient_id: str, start: datetime) -> datetime:
    """The start moved 100 to 200 years on, by whole days; all starts of one patient by equally many.

    No moved date can be taken for a true one. Raises OverflowError beyond the year 9999.
    """
    digest = hmac.new(key, b"shift\0" + patient_id.encode(), hashlib.sha256).digest()
    return start + timedelta(days=CENTURY + int.from_bytes(digest[:8]) % CENTURY)


def safe_age(age: float | None) -> float | None:
    """Whole years, and 90 for every age over 89; a fraction of a year would tell the birthday."""
    if age is None or not age >= 0:
        return None
    return OLDEST + 1.0 if age > OLDEST else float(int(age))


def deidentified(recording: Recording, key: bytes) -> Recording:
    """The recording under a pseudonym, of a patient under another one. Without a patient's id each has its own shift.

    The start is dropped where the age is over 89, lest earlier recordings tell how much.
    """
    patient = recording.patient
    digest = hashlib.sha256(recording.signal.tobytes()).hexdigest()
    itself = "\n".join([recording.name, patient.id or "", str(recording.start), f"{recording.rate:g}", digest])
    start = recording.start
    if start is not None:
        try:
            start = shifted(key, patient.id or itself, start.replace(tzinfo=None, microsecond=0))
            start = start if start.year >= FIRST_YEAR else None
        except OverflowError:  # a date of 9999 stands for none, as one of the year 1 does
            start = None
    return replace(
        recording,
        name=pseudonym(key, itself),
        start=None if patient.age is not None and patient.age > OLDEST else start,
        patient=Patient(patient.id and pseudonym(key, patient.id), safe_age(patient.age), patient.sex),
        source="",
        cart=Cart(),
    )


def write_wfdb(recording: Recording, folder: str | Path) -> Path:
    """Writes FOLDER/NAME.dat and NAME.hea (16 bits over each lead's range) and returns the header's path.

    Derived leads are left to be derived again, and missing ones are left out. Raises RecordingError where the folder
    cannot be written.
    """
    import wfdb

    folder = Path(folder)
    kept = [lead for lead in LEADS if lead not in recording.derived + recording.missing]
    patient = recording.patient
    age = None if patient.age is None else f"{patient.age:g}"
    stated = {"age": age, "sex": patient.sex, "subject_id": patient.id}
    comments = [f"<{name}>: {value}" for name, value in stated.items() if value is not None]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".", dir=folder) as temporary:
            wfdb.wrsamp(
                recording.name,
                fs=recording.rate,
                units=["mV"] * len(kept),
                sig_name=kept,
                p_signal=recording.signal[:, [LEADS.index(lead) for lead in kept]].astype(float),
                fmt=["16"] * len(kept),
                comments=comments,
                base_date=recording.start and recording.start.date(),
                base_time=recording.start and recording.start.time(),
                write_dir=temporary,
            )
            for suffix in (".dat", ".hea"):  # the header last: a record without one is not listed
                os.replace(Path(temporary, recording.name + suffix), folder / (recording.name + suffix))
    except OSError as error:
        reason = error.strerror or error
        raise RecordingError(f"{folder}: cannot be written ({reason}); make room or name another") from None
    return folder / f"{recording.name}.hea"


def check_apart(sources: Iterable[Path], out: Path, key: Path) -> None:
    """Raises DataError where the key would lie with the data it protects, or the outcome among the sources."""
    out = out.resolve()
    if key.resolve().is_relative_to(out):
        raise DataError(f"{key}: is inside {out.name}; keep the key apart from the data, in another folder")
    for source in sources:
        if source.is_dir() and out.is_relative_to(source.resolve()):
            raise DataError(f"{out}: is inside {source}; write to a folder apart from the identified recordings")
