"""The comments of a WFDB header -> the patient and the diagnoses that they name.

No standard says how. Seen are a field a line ("#Age: 74", "#<sex>: F"), several fields a line ("#<age>: 65 <sex>: F
<diagnoses> Coronary artery disease"), and diagnoses on the lines after their label ("#<diagnoses>:", "#Rhythm: ...").
"""

import re
from collections.abc import Sequence
from datetime import date, datetime

from meit.ecg.files.ages import age_between, age_in_years, best_age
from meit.ecg.files.limits import sex_of
from meit.ecg.stated import Cart, Patient

_FIELDS = {  # of a recording -> what labels it, in small letters without signs
    "id": ("subject id", "patient", "patient id", "subject"),
    "name": ("name", "patient name"),
    "age": ("age", "patient age"),
    "sex": ("sex", "gender", "patient sex"),
    "birth_date": ("birth date", "birthdate", "date of birth", "dob"),
    "statements": ("diagnoses", "diagnosis", "diagnose", "dx", "interpretation"),
}
_FIELD_OF = {label: field for field, labels in _FIELDS.items() for label in labels}
_ANYWHERE = ("age", "sex", "gender", "diagnoses", "diagnosis", "dx", "birth date", "birthdate", "dob")
_LABEL = re.compile(
    r"<\s*(?P<marked>[\w -]{1,40}?)\s*>\s*[:=]?\s*"
    r"|^(?P<first>[\w ()/-]{1,60}?)\s*[:=]\s*"
    rf"|(?<=[\s,;])(?P<later>{'|'.join(_ANYWHERE)})\s*[:=]\s*",
    re.IGNORECASE,
)
_DATES = ("%Y-%m-%d", "%d-%b-%Y", "%Y%m%d")  # those that cannot be misread


def stated_in(comments: Sequence[str], start: datetime | None) -> tuple[Patient, Cart]:
    """comments: lines, each with its #. start: of the recording, for an age by the birth date."""
    found: dict[str, str] = {}
    statements: list[str] = []
    listing = False  # whether what has no label of its own goes on with the diagnoses
    for comment in comments:
        line = comment.lstrip("#").strip()
        fields = _fields(line)
        for label, value in fields:
            field = _FIELD_OF.get(label)
            if field == "statements":
                statements += [value] if value else []
                listing = True
            elif field is not None:
                listing = False
                if _usable(field, value):
                    found.setdefault(field, value)
        if listing and line and not any(label in _FIELD_OF for label, _ in fields):
            if re.match(r"(patient|subject|record)\b", line, re.IGNORECASE):
                listing = False
            else:
                statements.append(line)
    born = _date(found.get("birth_date", ""))
    patient = Patient(
        id=found.get("id") or None,
        age=best_age(age_in_years(found.get("age", "")), age_between(born, start)),
        sex=sex_of(_first(found.get("sex", ""))),
        name=found.get("name") or None,
        birth_date=born,
    )
    return patient, Cart(statements=tuple(statements))


def _fields(line: str) -> list[tuple[str, str]]:
    """(label, value) of a line: a value ends where the next label begins."""
    labels = list(_LABEL.finditer(line))
    ends = [label.start() for label in labels[1:]] + [len(line)]
    return [
        (_plain(label.group(label.lastgroup or "first")), line[label.end() : end].strip(" \t,;"))
        for label, end in zip(labels, ends, strict=False)  # no label, no field
    ]


def _plain(label: str) -> str:
    return " ".join(re.sub(r"[\W_]+", " ", label.lower()).split())


def _usable(field: str, value: str) -> bool:
    """Whether a value may stand for the field: a later line may say better what this one leaves open."""
    if field == "age":
        return age_in_years(value) is not None
    if field == "sex":
        return sex_of(_first(value)) is not None
    return bool(value)


def _first(value: str) -> str:
    return re.split(r"[,;]", value)[0]


def _date(text: str) -> date | None:
    for form in _DATES:
        try:
            return datetime.strptime(text, form).date()
        except ValueError:
            continue
    return None
