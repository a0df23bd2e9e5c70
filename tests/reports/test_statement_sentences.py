"""Sentences of clinicians and carts, in our own wording, with what each says of the ECG (statement_sentences.tsv).

Certainty is definite, probable, possible or excluded; of several careful readings (also_ok) the nearest counts.
"""

import csv
from pathlib import Path

import pytest

from meit.reports.statements import asserted, read, read_statements
from meit.reports.statements.spelling import mended

TABLE = Path(__file__).with_name("statement_sentences.tsv")


def _rows() -> list[dict[str, str]]:
    with TABLE.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def _codes(cell: str) -> tuple[set[str], set[str]]:
    """Codes asserted and codes excluded."""
    items = [item.partition("@")[0].rpartition(":") for item in cell.split("; ") if item not in ("", "-")]
    return {code for code, _, how in items if how != "excluded"}, {code for code, _, how in items if how == "excluded"}


ROWS = _rows()
READINGS = {
    row["id"]: [_codes(cell) for cell in [row["statements"], *filter(None, row["also_ok"].split(" | "))]]
    for row in ROWS
}


@pytest.mark.parametrize("row", ROWS, ids=[row["id"] for row in ROWS])
def test_what_the_text_excludes_is_never_asserted(row):
    excluded = set.intersection(*(excluded for _, excluded in READINGS[row["id"]]))
    assert not asserted(read_statements(row["text"])) & excluded


def test_sentences_are_read_as_a_careful_reader_reads_them():
    exact = right = false = missed = 0
    for row in ROWS:
        stated = asserted(read_statements(row["text"]))
        meant = min((codes for codes, _ in READINGS[row["id"]]), key=lambda codes: len(codes ^ stated))
        exact += stated == meant
        right += len(stated & meant)
        false += len(stated - meant)
        missed += len(meant - stated)
    assert len(ROWS) > 370
    assert exact / len(ROWS) >= 0.98
    assert 2 * right / (2 * right + false + missed) >= 0.99


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Atrial fibrillation is no longer present.", "AFIB"),
        ("Heart block: none", "AVB"),
        ("LBBB no longer seen", "CLBBB"),
        ("Criteria for LVH not met", "LVH"),
        ("ST depression resolved", "STD_"),
        ("STEMI excluded", "MI"),
        ("Unlikely to be atrial flutter", "AFLT"),
        ("ST segments are not elevated", "STE_"),
    ],
)
def test_a_negation_after_the_finding_excludes_it(text, code):
    assert [(one.code, one.certainty) for one in read_statements(text)] == [(code, "excluded")]


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("Patient has a pacemaker; no paced beats.", set()),
        ("CHB", {"3AVB"}),
        ("1st degree AVB", {"1AVB"}),
        ("LAD", {"LAD"}),
        ("LAD occlusion", set()),
        ("AF with RVR", {"AFIB", "RVRESP"}),
        ("History of atrial flutter. The previous ECG showed LBBB.", set()),
        ("r/o STEMI. Repeat ECG to exclude ischemia. Mother has long QT syndrome.", set()),
    ],
)
def test_abbreviations_and_what_is_told_of_something_else(text, codes):
    assert asserted(read_statements(text)) == codes


def test_statements_stand_where_the_short_or_misspelt_words_stand():
    text = "Sinus rythm w/RVR; old inf MI, lat TWI."
    assert [(one.code, one.text, one.territory) for one in read_statements(text)] == [
        ("SR", "Sinus rythm", ""),
        ("RVRESP", "w/RVR", ""),
        ("IMI", "MI", "inferior"),
        ("INVT", "TWI", "lateral"),
    ]
    assert all(text[one.start : one.end] == one.text for one in read_statements(text))
    assert read("Sinus rythm, frobnication of lat leads").unread == ("frobnication",)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("rythm", "rhythm"),
        ("deviaton", "deviation"),
        ("fibrilation", "fibrillation"),
        ("responce", "response"),
        ("supraventicular", "supraventricular"),
        ("bundel", "bundle"),
        ("latteral", "lateral"),
    ],
)
def test_one_letter_is_mended(written, meant):
    assert mended(written) == meant


@pytest.mark.parametrize(
    "word",
    ["partial", "placed", "literal", "interior", "arterial", "hypotension", "flow", "infection", "black", "septic"],
)
def test_a_right_word_is_never_turned_into_another(word):
    assert mended(word) == word
