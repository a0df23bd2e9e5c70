"""Ages and moments in words, as reports have them."""

from datetime import UTC, datetime

import pytest

from meit.ecg.stated import age_words, moment_words


@pytest.mark.parametrize(
    ("years", "words"),
    [
        (0, "0 days"),
        (1 / 365.25, "1 day"),
        (10 / 365.25, "10 days"),
        (60 / 365.25, "60 days"),
        (0.25, "3 months"),
        (1.5, "18 months"),
        (3, "3 years"),
        (5.2363, "5 years"),
        (63.5, "63 years"),
    ],
)
def test_ages(years, words):
    assert age_words(years) == words


def test_moments_have_four_digits_a_year():
    assert moment_words(datetime(1, 1, 1)) == "0001-01-01 00:00:00"
    assert moment_words(datetime(2020, 1, 2, 3, 4, 5, 678, tzinfo=UTC)) == "2020-01-02 03:04:05"
