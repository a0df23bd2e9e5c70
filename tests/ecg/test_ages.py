"""Ages as files write them, and what no file can have meant."""

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meit.ecg.files.ages import YEARS_IN, age_between, age_in_years, best_age


@pytest.mark.parametrize(
    ("text", "years"),
    [
        *((text, 65) for text in ("65", " 65 ", "65Y", "065Y", "65 years", "65 yrs.", "65-year-old", "65 y/o", "65yo")),
        *(
            (text, 65)
            for text in ("65 M", "65 F", "65F", "65 male", "65 (estimated)", "65, male", "65.0", "~65", "65 ans")
        ),
        *(
            (text, 1.5)
            for text in ("18 months", "018M", "18 mo", "18m", "1.5", "1,5", "1 y 6 mo", "1y6m", "1 year 6 months")
        ),
        *((text, 0.5) for text in ("6 mo", "6 months old", "006M")),
        *((text, 21 / 365.25) for text in ("3 weeks", "003W", "3w", "3 wk", "21 days")),
        *((text, 10 / 365.25) for text in ("10 days", "010D", "10d", "10 days old")),
        *((text, 0) for text in ("0", "000D", "0 days")),
        *((text, 90) for text in (">89", "> 89", "over 89", ">= 90", "90+", ">89 years")),
        *((text, None) for text in ("", "NaN", "unknown", "n/a", "-1", "-", "300", "300+", "999Y", "121", "x65")),
        *((text, None) for text in ("65M", "60-69", "60s", "18 lunar cycles", "65 66", "6 mo 2 y", "\u0663", "1e3")),
    ],
)
def test_an_age_is_a_number_with_its_unit(text, years):
    assert age_in_years(text) == (None if years is None else pytest.approx(years))


@given(st.text(max_size=30))
def test_any_text_is_an_age_or_none(text):
    years = age_in_years(text)
    assert years is None or 0 <= years <= 120


@given(st.integers(0, 99), st.sampled_from(sorted(YEARS_IN)), st.sampled_from(["", " ", "-"]))
def test_a_number_before_a_unit_is_of_that_unit(number, unit, between):
    years = number * YEARS_IN[unit]
    assert age_in_years(f"{number}{between}{unit}") == pytest.approx(years)
    assert age_in_years(f"{number}{between}{unit}x") is None


@given(st.dates(date(1880, 1, 1), date(2030, 1, 1)), st.integers(0, 45_000))
def test_an_age_by_dates(born, days):
    years = age_between(born, datetime.combine(born + timedelta(days), datetime.min.time()))
    if years is None:
        assert days > 120 * 365
    elif years < 16:
        assert years == days / 365.25
    else:
        assert years == int(years) and abs(years - days / 365.25) < 1.01


def test_dates_that_are_no_age():
    assert age_between(date(2020, 1, 2), date(2020, 1, 1)) is None
    assert age_between(date(1800, 1, 1), date(2020, 1, 1)) is None
    assert age_between(None, date(2020, 1, 1)) is None and age_between(date(2020, 1, 1), None) is None
    assert age_between(date(2004, 2, 29), date(2022, 2, 28)) == 17


@pytest.mark.parametrize(
    ("stated", "from_dates", "age"),
    [
        (None, None, None),
        (None, 40.0, 40.0),
        (40.0, None, 40.0),
        (1.0, 1.75, 1.75),  # the dates say it more exactly
        (40.0, 60.0, 40.0),  # one of the dates is wrong
        (0.0, 45.0, 45.0),  # was never entered
        (0.0, 0.02, 0.02),
        (0.0, None, 0.0),
    ],
)
def test_the_better_of_two_ages(stated, from_dates, age):
    assert best_age(stated, from_dates) == age
