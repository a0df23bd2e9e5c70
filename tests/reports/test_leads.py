"""Lead lists in the spellings PTB-XL's reports use."""

import pytest

from meit.reports.leads import LEADS, canonical


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("v4,5,6", "V4-V6"),
        ("v4 - v6", "V4-V6"),
        ("v1-3", "V1-V3"),
        ("v5,6", "V5, V6"),
        ("v5-6", "V5, V6"),
        ("i, avl, v5,6", "I, aVL, V5, V6"),
        ("ii, iii, avf", "II, III, aVF"),
        ("ii iii avf", "II, III, aVF"),
        ("i-iii", "I, II, III"),
        ("v2,3,6", "V2, V3, V6"),
        ("iii,f", "III, aVF"),
        ("V4-V6", "V4-V6"),
    ],
)
def test_canonical(text: str, expected: str) -> None:
    match = LEADS.fullmatch(text)
    assert match is not None
    assert canonical(match.group()) == expected


@pytest.mark.parametrize("text", ["sinus rhythm", "infarkt", "various", "flimmern"])
def test_words_are_no_leads(text: str) -> None:
    assert LEADS.search(text) is None
