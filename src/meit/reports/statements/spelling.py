"""One misspelt letter of a clinical word is mended."""

import re
from functools import cache

from meit.reports.word_tables import english_words
from meit.tables import rows_of

_LEAST = 5  # letters of a word that is mended to; of those with fewer than LONG, a letter may lack or be doubled only
_LONG = 6
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_WORD = re.compile(r"[a-z]{3,}")


@cache
def _clinical() -> frozenset[str]:
    return frozenset(row[0] for row in rows_of("meit.reports", "statement_spelling.tsv") if row[1] == "mended to")


@cache
def _known() -> frozenset[str]:
    """Words that are right as they stand: those of all the tables, whatever they mean."""
    tables = ("statement_patterns.tsv", "statement_modifiers.tsv", "statement_asides.tsv", "statement_territories.tsv")
    known = {word for name in tables for row in rows_of("meit.reports", name) for word in _WORD.findall(row[1].lower())}
    return english_words() | known | {row[0] for row in rows_of("meit.reports", "statement_spelling.tsv")}


@cache
def mended(word: str) -> str:
    """A word, or the only clinical word that is one letter (lacking, too many, another, or two exchanged) from it."""
    low = word.lower()
    if low in _known() or low.rstrip("s") in _known() or not low.isascii():
        return word
    near = {one for one in _one_letter_away(low) if one in _clinical()}
    return near.pop() if len(near) == 1 else word


def _one_letter_away(word: str) -> set[str]:
    parts = [(word[:cut], word[cut:]) for cut in range(len(word) + 1)]
    longer = {a + letter + b for a, b in parts for letter in _LETTERS}
    swapped = {a + b[1] + b[0] + b[2:] for a, b in parts if len(b) > 1}
    shorter = {a + b[1:] for a, b in parts if b}
    other = {a + letter + b[1:] for a, b in parts if b for letter in _LETTERS}
    return {one for one in longer | swapped if len(one) >= _LEAST} | {
        one for one in shorter | other if len(one) >= _LONG
    }
