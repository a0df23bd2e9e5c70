"""Ages and birth dates as files write them -> years.

A number alone is years; a unit says otherwise ("18 months", "010D"), and what is neither is no age: a number before
unknown words may be anything.
"""

import math
import re
from datetime import date, datetime

MAX_AGE = 120.0  # years; more is a code, such as PTB-XL's 300 for "over 89"
FRACTIONS_BELOW = 16  # years, from which whole ones do
_YEAR_DAYS = 365.25
_UNITS = {  # of one, in years -> its spellings
    1.0: "a y yr yrs year years yo ans an jahr jahre",
    1 / 12: "mo mos mon month months monat monate mois",
    7 / _YEAR_DAYS: "w wk wks week weeks woche wochen",
    1 / _YEAR_DAYS: "d day days tag tage jour jours",
    1 / _YEAR_DAYS / 24: "h hr hrs hour hours",
}
YEARS_IN = {word: years for years, words in _UNITS.items() for word in words.split()}
_DICOM = re.compile(r"(\d{3})([DWMY])")  # value representation AS, PS3.5
_OVER = re.compile(r"(>=?|over|above|older than)\s*(?=\d)", re.IGNORECASE)
_REMARK = re.compile(r"[;(].*|,(?!\d).*", re.DOTALL)  # "65 (estimated)"
_WORD = re.compile(r"\d+(?:[.,]\d+)?|[^\W\d_]+|[^\s\d]")
_FILLERS = {"~", "-", "+", ".", "/", "ca", "about", "approx", "o", "old", "of", "age"}  # "65-year-old", "65 y/o", "90+"
_SEXES = {"M", "F", "male", "female", "Male", "Female"}  # "65 M" is a man; m for months is small


def plausible_age(years: float | None) -> float | None:
    """None for what is no age."""
    return years if years is not None and math.isfinite(years) and 0 <= years <= MAX_AGE else None


def age_in_years(text: str) -> float | None:
    """Years of what a file says of an age: "65", "65 years", "1.5", "18 months", "2 y 3 mo", "010D", ">89" (90, the least
    it can be), "90+"; None for what says no age, or may say two ("65M")."""
    text = text.strip()
    dicom = _DICOM.fullmatch(text)
    if dicom:
        return plausible_age(int(dicom[1]) * YEARS_IN["mo" if dicom[2] == "M" else dicom[2].lower()])
    if text.startswith("-"):
        return None
    over = _OVER.match(text)
    words = _WORD.findall(_REMARK.sub("", text[over.end() :] if over else text))
    words = [word for word in words if word.lower() not in _FILLERS]
    if words and words[-1] in _SEXES and not re.search(r"\dM$", text):
        words.pop()
    years = _sum(["mo" if word == "m" else word.lower() if word != "M" else "M" for word in words])
    if years is not None and over and over[1] != ">=":
        years = math.floor(years) + 1.0
    return plausible_age(years)


def _sum(words: list[str]) -> float | None:
    """Of numbers and units in turn, each unit smaller than the one before: ["2", "y", "3", "mo"]."""
    years, smallest = None, math.inf
    while words:
        number, unit, *rest = [*words, "y"] if len(words) == 1 else words
        one = YEARS_IN.get(unit)
        if not number[0].isdigit() or not number.isascii() or one is None or one >= smallest:
            return None
        years, smallest, words = (years or 0.0) + float(number.replace(",", ".")) * one, one, rest
    return years


def age_between(born: date | datetime | None, then: date | datetime | None) -> float | None:
    """Whole years from FRACTIONS_BELOW on, below with the fraction; None where one is unknown or they are no age apart."""
    if born is None or then is None:
        return None
    born, then = _day(born), _day(then)
    years = then.year - born.year - ((then.month, then.day) < (born.month, born.day))
    if years >= FRACTIONS_BELOW:
        return plausible_age(float(years))
    return plausible_age((then - born).days / _YEAR_DAYS)


def best_age(stated: float | None, from_dates: float | None) -> float | None:
    """The stated age, unless the dates say it more exactly; a stated 0 beside an older birth date was never entered."""
    if stated is None or from_dates is None:
        return from_dates if stated is None else stated
    more_exact = stated < FRACTIONS_BELOW and int(from_dates) == stated
    return from_dates if more_exact or (stated == 0 and from_dates >= 2) else stated


def _day(moment: date | datetime) -> date:
    return moment.date() if isinstance(moment, datetime) else moment
