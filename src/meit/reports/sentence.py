"""Puts translated pieces together into sentences, one finding each.

The German and Swedish machine reports have no punctuation between findings, so each glossary entry carries a kind that
says how it joins its neighbours.
"""

import re

_JOIN_END = re.compile(r"(?: (?:in|and|or|with|to|of|on|as|after|under|for|due to|because of|consistent with))+$")


class SentenceBuilder:
    """Collects pieces in reading order; see docs/data.md for the kinds."""

    def __init__(self) -> None:
        self.sentences: list[str] = []
        self._header = ""
        self._items: list[str] = []
        self._current = ""
        self._pending: list[str] = []
        self._joined = False
        self._comma = False
        self._plain = False
        self._bracket = False

    def add(self, english: str, kind: str) -> None:
        getattr(self, "_header_" if kind == "header" else f"_{kind}")(english)
        self._plain = kind in {"text", "word", "unknown"}

    def finish(self) -> list[str]:
        self.flush()
        return self.sentences

    def flush(self) -> None:
        """End the sentence."""
        self._settle()
        groups = [g for g in (*self._items, self._current) if g]
        groups = [_JOIN_END.sub("", g) for g in groups]
        text = "; ".join(groups)
        if self._header:
            text = f"{self._header} {text}" if text else re.sub(r"(, \w+|:)+(?: \w+)?$", "", self._header)
        if text:
            self.sentences.append(text)
        self._header, self._items, self._current = "", [], ""
        self._joined = self._comma = self._bracket = False

    def semicolon(self) -> None:
        """A semicolon lists findings in running text; between findings it ends one."""
        if self._plain:
            self._settle()
            self._current += ";"
        else:
            self.flush()

    def comma(self) -> None:
        """A comma: kept in running text, a mere pause between findings."""
        if self._pending and not self._current:
            return
        self._settle()
        if self._plain:
            self._current += ","
        else:
            self._comma = True

    def _settle(self) -> None:
        """Adjectives no noun followed belong before the noun that went before."""
        pending, self._pending = self._pending, []
        if self._current:
            for word in pending:
                self._front(word)
        else:
            self._current = " ".join(pending)

    def _append(self, text: str) -> None:
        glue = "" if not self._current or text[0] in ",;:.)" or self._current[-1] in "(/" else " "
        self._current = self._current + glue + text

    def _head(self, text: str) -> None:
        self._noun(text, is_item=False)

    def _item(self, text: str) -> None:
        self._noun(text, is_item=True)

    def _noun(self, text: str, is_item: bool) -> None:
        phrase = " ".join([*self._pending, text])
        self._pending = []
        if self._joined or self._bracket:
            self._append(phrase)
        elif self._current and self._header and is_item:
            self._items.append(self._current)
            self._current = phrase
        else:
            if self._current or (self._header and not is_item):
                self.flush()
            self._current = phrase
        self._joined = self._comma = False

    def _header_(self, text: str) -> None:
        self._settle()
        self.flush()
        self._header = text

    def _hjoin(self, text: str) -> None:
        self._head(text)
        self._joined = True

    def _label(self, text: str) -> None:
        self._settle()
        if not self._bracket:
            self.flush()
        self._append(text)
        self._joined = True

    def _adj(self, text: str) -> None:
        self._pending.append(text)

    def _front(self, text: str) -> None:
        pending, self._pending = self._pending, []
        if not self._current:
            self._pending = [*pending, text]
            return
        for word in (*pending, text):
            self._current = f"{word} {self._current}"

    def _post(self, text: str) -> None:
        self._settle()
        if self._comma and not text.startswith(","):
            text = ", " + text
        self._append(text if self._current else text.lstrip(", "))
        self._joined = self._comma = False

    def _join(self, text: str) -> None:
        self._settle()
        self._append(text)
        self._joined = True
        self._comma = False

    def _leads(self, text: str) -> None:
        self._settle()
        if self._current and not self._joined and not self._plain and self._current[-1] != "(":
            separator = ", " if self._current[-1].isdigit() else " in "
            self._current += separator + text
        else:
            self._append(text)
        self._joined = self._comma = False

    def _text(self, text: str) -> None:
        if self._pending:
            text = " ".join([*self._pending, text])
            self._pending = []
        if self._comma:
            self._current += ","
        self._append(text)
        self._joined = self._comma = False

    _word = _unknown = _text

    def mark(self, symbol: str) -> None:
        """Brackets, slashes and other signs, kept as they stand."""
        self._settle()
        if symbol in "()":
            self._bracket = symbol == "("
        self._current += f" {symbol}" if self._current and symbol in "(>+=<&" else symbol
        self._comma = False
