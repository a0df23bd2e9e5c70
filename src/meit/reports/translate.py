"""Translation of a cleaned ECG report into clinical English by glossary.

Phrases come before words: at each place the longest glossary source wins. The report's own language is looked up first,
then the others, since German reports borrow English terms. Unknown words are kept as they stand and listed.
"""

import re
from dataclasses import dataclass

from meit.reports import leads
from meit.reports.sentence import SentenceBuilder
from meit.reports.word_tables import (
    LANGUAGES,
    Entry,
    bigrams,
    english_words,
    fold,
    glossary,
    longest,
    rules,
    tokens,
    vocabulary,
)

_LEAD_MARK = "\ue000"


@dataclass(frozen=True)
class Translation:
    """An English report, and how much of the source was understood."""

    text: str
    language: str
    n_words: int
    n_known: int
    unknown: tuple[str, ...]

    @property
    def coverage(self) -> float:
        """Share of the source's words that were known."""
        return self.n_known / self.n_words if self.n_words else 1.0


def detect_language(words: list[str]) -> str:
    """The language most of whose own words appear; English where none does."""
    folded = [fold(w) for w in words]
    english = vocabulary("en")
    foreign = {lang: sum(w in vocabulary(lang) and w not in english for w in folded) for lang in ("de", "sv")}
    # Words that are German as well as Swedish go to German, by far the commoner.
    best = max(foreign, key=lambda lang: foreign[lang])
    own = sum(w in english and not any(w in vocabulary(lang) for lang in ("de", "sv")) for w in folded)
    return best if foreign[best] > own else "en"


def translate(text: str) -> Translation:
    """Translate a report that `clean_report` returned."""
    text = _trim_cut_end(re.sub(r"\s+", " ", text.lower()).strip())
    lead_lists: list[str] = []
    toks = _tokenise(text, lead_lists)
    words = [t for t in toks if t[0].isalpha()]
    language = detect_language(words)
    _complete_last(toks, language)
    order = (language, *(lang for lang in LANGUAGES if lang != language))
    builder = SentenceBuilder()
    unknown: list[str] = []
    n_leads = position = 0
    while position < len(toks):
        token = toks[position]
        entry = _lookup(toks, position, order)
        if entry is not None:
            builder.add(entry.english, entry.kind)
            position += entry.length
            continue
        position += 1
        if token == _LEAD_MARK:
            builder.add(lead_lists[n_leads], "leads")
            n_leads += 1
        elif token[0].isalpha():
            unknown.append(token)
            builder.add(token, "unknown")
        elif token[0].isdigit():
            builder.add(token, "word")
        elif token in ".!?":
            builder.flush()
        elif token == ";":
            builder.semicolon()
        elif token == ",":
            builder.comma()
        elif token not in "\"'_-":
            builder.mark(token)
    n_words = len(words) + len(lead_lists)
    return Translation(_finish(builder.finish()), language, n_words, n_words - len(unknown), tuple(unknown))


def _trim_cut_end(text: str) -> str:
    """Take away the opening of a sentence that the export's length limit cut off."""
    if re.search(r"[.!?)]$", text):
        return text
    before, stop, last = text.rpartition(". ")
    if stop and any(opening.pattern.startswith(last) for opening, _ in rules("opening")):
        text = before + "."
    for pattern, replacement in rules("cut"):
        text = pattern.sub(replacement, text).strip()
    return text


def _tokenise(text: str, lead_lists: list[str]) -> list[str]:
    """Tokens with each lead list as one mark; block degrees and the like stay words."""
    toks: list[str] = []
    start = 0
    for match in leads.LEADS.finditer(text):
        if re.search(r"block[ -]*$", text[: match.start()]):
            continue
        toks += tokens(text[start : match.start()])
        toks.append(_LEAD_MARK)
        lead_lists.append(leads.canonical(match.group()))
        start = match.end()
    return toks + tokens(text[start:])


def _lookup(toks: list[str], position: int, order: tuple[str, ...]) -> Entry | None:
    folded = tuple(fold(token) for token in toks[position : position + max(map(longest, order))])
    for language in order:
        table = glossary(language)
        for length in range(min(longest(language), len(folded)), 0, -1):
            entry = table.get(folded[:length])
            if entry is not None:
                return entry
        token = toks[position]
        if language == "en" and token[0].isalpha() and folded[0] in english_words():
            return Entry(token, "text", 1)
    return None


def _complete_last(toks: list[str], language: str) -> None:
    """Restore a word the export cut off, where the glossary's phrases leave one choice."""
    if len(toks) < 2 or not toks[-1][0].isalpha():
        return
    last = fold(toks[-1])
    if last in vocabulary(language) | english_words():
        return
    candidates = {w for w in bigrams(language).get(fold(toks[-2]), ()) if w.startswith(last)}
    # "infarct" and "infarction" are one choice, for they are translated alike.
    meanings = {_lookup([w], 0, (language,)) for w in candidates}
    if candidates and len(meanings) == 1:
        toks[-1] = max(candidates, key=len)


def _finish(sentences: list[str]) -> str:
    """Canonical wording, sentence case and full stops; a repeated sentence is said once."""
    finished: dict[str, None] = {}
    text = ". ".join(sentences)
    for pattern, replacement in rules("split"):
        text = pattern.sub(replacement, text)
    for sentence in text.split(". "):
        # Lists that met at a comma become one.
        sentence = leads.LEADS.sub(lambda match: leads.canonical(match.group()), sentence)
        for pattern, replacement in rules("english"):
            sentence = pattern.sub(replacement, sentence)
        sentence = re.sub(r"\s+", " ", sentence).strip(" ,;:./")
        if sentence:
            finished[sentence if sentence.startswith("aV") else sentence[0].upper() + sentence[1:]] = None
    return ". ".join(finished) + "." if finished else ""
