"""German and Swedish ECG reports into clinical English, by a glossary of phrases; English ones into the same words.

The machine reports that make up most of PTB-XL have no punctuation: where a finding begins follows from the kinds
of the glossary's entries (`kind` in glossary.tsv):

    f  finding, begins a sentence unless a modifier or a joint stands before it
    a  modifier before a noun, begins a sentence likewise        h  heading before findings, always begins one
    p  joint (in, or, with): the next entry goes on              s  suffix: belongs to what stands before it
    l  leads and territories: belong to what stands before; two in a row are a list
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
ENDING = ".!?:;"


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


@functools.lru_cache
def glossary() -> dict[tuple[str, ...], tuple[str, str, str]]:
    """Phrase as folded words -> (English, kind, language)."""
    entries = {}
    for line in files("meit.reports").joinpath("glossary.tsv").read_text(encoding="utf-8").splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        language, kind, sources, english = line.split("\t")[:4]
        for source in sources.split("|"):
            for spelling in _spellings(source):
                entries[tuple(WORD.findall(fold(spelling)))] = (english, kind, language)
    return entries


@functools.lru_cache
def english_words() -> frozenset[str]:
    return frozenset(files("meit.reports").joinpath("english.tsv").read_text(encoding="utf-8").split())


@functools.lru_cache
def _longest() -> int:
    return max(map(len, glossary()))


def fold(text: str) -> str:
    """Lower case, umlauts written out: both spellings of the table meet."""
    return text.lower().translate(FOLD)


@functools.lru_cache(maxsize=50_000)
def translate(text: str) -> Translation:
    """A cleaned report -> English, with what the glossary did not know kept as it stands and named in `unknown`."""
    words = WORD.findall(fold(text))
    matches, unknown, known, languages = [], [], 0, {"de": 0, "sv": 0, "en": 0}
    position = 0
    while position < len(words):
        size, entry = _match(words, position)
        counted = sum(word[0].isalnum() for word in words[position : position + size])
        if entry is None:
            unknown.append(words[position])
            matches.append((words[position], "w"))
        else:
            known += counted
            matches.append(entry[:2])
            if entry[2] in languages and counted:
                languages[entry[2]] += counted
        position += size
    language = "sv" if languages["sv"] > languages["de"] else "de" if languages["de"] else "en"
    return Translation(_compose(matches), language, known + len(unknown), known, tuple(unknown))


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
            if english in ENDING and not (english == ":" and current and previous != "f"):
                close()
                goes_on = False
            elif english == "," and current:
                current += ","
            elif english in "()/+&":
                current += f" {english}"
            continue
        if kind == "h" or (kind in "fa" and not goes_on and not current.endswith((",", "(", "/", "&"))):
            close()
        if kind == "s":
            current += english if english.startswith(",") else f" {english}"
        elif kind == "l" and previous == "l" and not current.endswith(","):
            current += f", {english}"
        elif english:
            current += f" {english}"
        goes_on = kind in "aphw"
        previous = kind
    close()
    text = ". ".join(sentences)
    return (text + ".") if text else ""


def _spellings(source: str) -> list[str]:
    """`inferior{er,e}` -> inferiorer, inferiore."""
    parts = re.split(r"\{([^}]*)\}", source)
    options = [part.split(",") if index % 2 else [part] for index, part in enumerate(parts)]
    return ["".join(choice) for choice in product(*options)]
