"""What a file states beside the signal: who the patient is, and what the cart itself made of the ECG.

None of it is shown by repr, lest a log or a traceback name a patient; none of it passes into a de-identified recording.
"""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal


@dataclass(frozen=True)
class Patient:
    """What the file says of the patient; None where it says nothing usable.

    age: in years, with its fraction below 16 where the file tells it ("010D" is 10 / 365.25); 0 is a newborn's, never
    "unknown". Two are equal by id, age and sex: names and birth dates are written in many ways.
    """

    id: str | None = field(default=None, repr=False)
    age: float | None = None
    sex: Literal["F", "M"] | None = None
    name: str | None = field(default=None, repr=False, compare=False)
    birth_date: date | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True)
class Cart:
    """What the device that recorded the ECG, or who read it there, says of it; empty where the file holds nothing.

    statements: its lines, in their order and words; they may hold names. measurements: by the names of
    meit.ecg.measure.measurements.GLOBAL, where they are the same thing. maker, device: of the cart.
    """

    statements: tuple[str, ...] = field(default=(), repr=False)
    measurements: Mapping[str, float] = field(default_factory=dict, repr=False)
    maker: str = ""
    device: str = ""


def moment_words(moment: datetime) -> str:
    """Day and time of day, as the recorder's clock had them: "2021-06-05 10:20:30". The year has four digits always."""
    return moment.replace(tzinfo=None).isoformat(" ", "seconds")


def age_words(age: float) -> str:
    """ "10 days", "18 months", "60 years", of an age in years."""
    days = age * 365.25
    if days < 61:
        return f"{days:.0f} {'day' if round(days) == 1 else 'days'}"
    return f"{age * 12:.0f} months" if age < 3 else f"{int(age)} years"


def plain_id(text: str) -> str:
    """An id as it is to be compared: without blanks, and what cannot be seen, around it, one blank for several, and each
    letter with its accents as one character. Case and leading zeros tell patients apart."""
    seen = "".join(
        " " if one.isspace() else one for one in text if unicodedata.category(one) not in ("Cc", "Cf") or one.isspace()
    )
    return " ".join(unicodedata.normalize("NFC", seen).split())
