"""German and Swedish ECG reports into clinical English, by a glossary of phrases; English ones into the same words.

The machine reports that make up most of PTB-XL have no punctuation: where a finding begins follows from the kinds
of the glossary's entries (second column of glossary.tsv):

    f  finding, begins a sentence unless a modifier or a joint stands before it
    a  modifier before a noun, begins a sentence likewise        h  heading before findings, always begins one
    p  joint (in, or, with): the next entry goes on              s  suffix: belongs to what stands before it
    l  leads and territories: belong to what stands before; two in a row are a list
    w  word of an English report, which has punctuation of its own
"""

import functools
import re
from dataclasses import dataclass
from importlib.resources import files
from itertools import product

FOLD = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "å": "a", "#": "ue"})
WORD = re.compile(r"\d+(?:[.,]\d+)+|[a-z0-9]+(?:[-'/&()+:]*[a-z0-9]+)*\)?|[^\sa-z0-9]")
LEAD = re.compile(r"(?:av[rlf]|v\d(?:-v?\d)?|i{1,3}(?:-i{2,3})?)")
LEAD_NAMES = {"avr": "aVR", "avl": "aVL", "avf": "aVF"}
NUMBER = re.compile(r"[<>]?\d[\d.,:/x-]*")
CHEST_LIST = re.compile(r"V\d(?:,\s*\d(?!\d))+")  # V4,5,6 means V4, V5, V6
SENTENCE_ENDS = ".!?:;"


@dataclass(frozen=True)
class Translation:
    """text: English. n_words, n_known: words of the source, and those that the glossary knew."""

    text: str
    language: str
    n_words: int
    n_known: int
    unknown: tuple[str, ...]

    @property
    def coverage(self) -> float:
        return self.n_known / self.n_words if self.n_words else 1.0


@functools.lru_cache(maxsize=50_000)
def translate(text: str) -> Translation:
    """A cleaned report -> English, with what the glossary did not know kept as it stands and named in `unknown`."""
    words = WORD.findall(fold(text))
    matches, unknown, known = [], [], 0
    words_of = {"en": 0, "de": 0, "sv": 0}
    position = 0
    while position < len(words):
        size, entry = _match(words, position)
        if entry is None:
            unknown.append(words[position])
            matches.append((words[position], "w"))
        else:
            counted = sum(word[0].isalnum() for word in words[position : position + size])
            known += counted
            english, kind, language = entry
            matches.append((english, kind))
            if language:
                words_of[language] += counted
        position += size
    language = max(words_of, key=words_of.get)
    if language == "en":  # it has its own punctuation
        matches = [(english, kind if kind in "xl" else "w") for english, kind in matches]
    return Translation(_compose(matches), language, known + len(unknown), known, tuple(unknown))


def fold(text: str) -> str:
    """Lower case, umlauts written out: both spellings of the table meet."""
    return text.lower().translate(FOLD)


@functools.lru_cache
def glossary() -> dict[tuple[str, ...], tuple[str, str, str]]:
    """Phrase as folded words -> (English, kind, language)."""
    entries = {}
    for line in _lines("glossary.tsv"):
        language, kind, sources, english = line.split("\t")[:4]
        for source in sources.split("|"):
            for spelling in _spellings(source):
                entries[tuple(WORD.findall(fold(spelling)))] = (english, kind, language)
    return entries


@functools.lru_cache
def english_words() -> frozenset[str]:
    """The words of PTB-XL's English reports that need no change."""
    return frozenset(_lines("english.tsv"))


@functools.lru_cache
def _longest() -> int:
    return max(map(len, glossary()))


def _lines(name: str) -> list[str]:
    lines = files("meit.reports").joinpath(name).read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line.strip() and not line.startswith("#")]


def _spellings(source: str) -> list[str]:
    """`inferior{er,e}` -> inferiorer, inferiore."""
    parts = re.split(r"\{([^}]*)\}", source)
    options = [part.split(",") if index % 2 else [part] for index, part in enumerate(parts)]
    return ["".join(choice) for choice in product(*options)]


def _match(words: list[str], position: int):
    """(words used, (English, kind, language) or None): the longest phrase, then leads, numbers, English words."""
    entries = glossary()
    for size in range(min(_longest(), len(words) - position), 0, -1):
        entry = entries.get(tuple(words[position : position + size]))
        if entry is not None:
            return size, entry
    word = words[position]
    if LEAD.fullmatch(word):
        return 1, (_lead(word), "l", "")
    if not word[0].isalnum():
        return 1, (word, "x", "")
    if NUMBER.fullmatch(word):
        return 1, (word, "w", "")
    if word in english_words():
        return 1, (word, "w", "en")
    return 1, None


def _lead(word: str) -> str:
    if word in LEAD_NAMES:
        return LEAD_NAMES[word]
    return re.sub(r"-(?=\d)", "-V", word.upper()) if word.startswith("v") else word.upper()


def _compose(matches: list[tuple[str, str]]) -> str:
    """(English, kind) of each match -> sentences."""
    sentences: list[str] = []
    current, goes_on, previous = "", False, ""

    def close() -> None:
        nonlocal current
        tidy = re.sub(r"\s+([,;:)])", r"\1", current).strip(" ,;:-")
        if re.search(r"\w", tidy):
            sentences.append(tidy[0].upper() + tidy[1:])
        current = ""

    for english, kind in matches:
        if kind == "x":
            if english in SENTENCE_ENDS and not (english == ":" and current and previous != "f"):
                close()
                goes_on = False
            elif english == "," and current:
                current += ","
            elif english in "()/+&":
                current += f" {english}"
            continue
        if kind == "h" or (kind in "fa" and not goes_on and not current.endswith((",", "(", "/", "&"))):
            close()
        if kind == "s" and english.startswith(","):
            current += english
        elif kind == "l" and previous == "l" and not current.endswith(","):
            current += f", {english}"
        else:
            current += f" {english}"
        goes_on = kind in "aphw"
        previous = kind
    close()
    text = ". ".join(sentences)
    text = CHEST_LIST.sub(lambda match: re.sub(r",\s*(?=\d)", ", V", match.group()), text)
    return f"{text}." if text else ""
