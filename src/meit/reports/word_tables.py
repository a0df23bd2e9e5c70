"""The data files of the reports: glossary, rules and English words of the translator; the SCP codes in words."""

import itertools
import re
from functools import cache, lru_cache
from typing import NamedTuple

from meit.tables import rows_of

LANGUAGES = ("de", "sv", "en")

# Umlauts and their two-letter spellings count as one spelling.
_FOLD = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ß": "ss", "é": "e"})
TOKEN = re.compile(r"[^\W\d_]+|\d+(?:[.,:]\d+)*|[^\w\s]|_")


class Entry(NamedTuple):
    """What a source phrase becomes, and how it joins its neighbours."""

    english: str
    kind: str
    length: int


@lru_cache(2**16)  # reports say the same words over and over
def fold(token: str) -> str:
    return token.lower().translate(_FOLD)


def tokens(text: str) -> list[str]:
    """Words, numbers and punctuation; hyphens between words are not told apart from spaces."""
    return TOKEN.findall(re.sub(r"\s*-\s*(?=[^\W\d])", " ", text))


@cache
def scp_codes() -> dict[str, str]:
    """SCP-ECG code -> the words that our reports use for it."""
    return dict(rows_of("meit.reports", "scp_codes.tsv"))


def expand(source: str) -> list[str]:
    """All spellings of a source with {a,b} alternatives (nested too) and [,] optional punctuation."""
    optional = re.search(r"\[(.)\]", source)
    if optional is not None:
        # Marked, lest the optional comma of one alternative divide it in two.
        marked = chr(0xE100 + ord(optional.group(1)))
        before, after = source[: optional.start()], source[optional.end() :]
        return expand(before + after) + expand(before + marked + after)
    part = re.search(r"\{[^{}]*\}", source)
    if part is None:
        return [re.sub(r"[\ue100-\ue1ff]", lambda m: chr(ord(m.group()) - 0xE100), source)]
    choices = part.group()[1:-1].split(",")
    before, after = source[: part.start()], source[part.end() :]
    if before.count("{") > before.count("}"):
        # An inner brace's spellings become alternatives of the brace around it.
        start = max(before.rfind("{"), before.rfind(",")) + 1
        tail = after[: re.search(r"[,}]", after).start()]  # type: ignore[union-attr]
        spelled = ",".join(before[start:] + choice + tail for choice in choices)
        return expand(before[:start] + spelled + after[len(tail) :])
    return [spelling for choice in choices for spelling in expand(before + choice + after)]


def _keys(source: str) -> set[tuple[str, ...]]:
    """Token keys of a source; the dots of its abbreviations may be left out."""
    toks = tuple(fold(t) for t in tokens(source))
    return {toks, tuple(t for t in toks if t != ".")}


@cache
def glossary(language: str) -> dict[tuple[str, ...], Entry]:
    """Source tokens to entry, for one language. Earlier rows win."""
    table: dict[tuple[str, ...], Entry] = {}
    for lang, source, english, kind in rows_of("meit.reports", "glossary.tsv"):
        if lang == language:
            for spelling in expand(source):
                for key in _keys(spelling):
                    if key:
                        table.setdefault(key, Entry(english, kind, len(key)))
    if language == "en":
        for form in _written_forms():
            key = tuple(fold(t) for t in tokens(form))
            table.setdefault(key, Entry(form, "text", len(key)))
    return table


def _written_forms() -> list[str]:
    """The glossary's English with capitals or hyphens, so that English input is written alike."""
    forms: dict[str, None] = {}
    for _, _, english, _ in rows_of("meit.reports", "glossary.tsv"):
        for word in english.split():
            word = word.strip(".,:;()")
            if len(word) > 1 and (word != word.lower() or "-" in word):
                forms[word] = None
    return list(forms)


@cache
def longest(language: str) -> int:
    return max(len(key) for key in glossary(language))


@cache
def english_words() -> frozenset[str]:
    """English words that need no translation: the list and the glossary's own English."""
    words = {row[0] for row in rows_of("meit.reports", "english_words.tsv")}
    for _, _, english, _ in rows_of("meit.reports", "glossary.tsv"):
        words.update(fold(t) for t in tokens(english) if t[0].isalpha())
    return frozenset(words)


@cache
def vocabulary(language: str) -> frozenset[str]:
    """Words by which a language is recognised."""
    if language == "en":
        return english_words() | {t for key in glossary("en") for t in key if t[0].isalpha()}
    return frozenset(t for key in glossary(language) for t in key if t[0].isalpha())


@cache
def bigrams(language: str) -> dict[str, frozenset[str]]:
    """Which words follow a word inside the glossary's phrases."""
    following: dict[str, set[str]] = {}
    for key in glossary(language):
        for first, second in itertools.pairwise(key):
            following.setdefault(first, set()).add(second)
    return {first: frozenset(seconds) for first, seconds in following.items()}


@cache
def rules(stage: str) -> list[tuple[re.Pattern[str], str]]:
    return [(re.compile(row[1]), row[2]) for row in rows_of("meit.reports", "rules.tsv") if row[0] == stage]
