"""Rows of styled text: how both halves of the REPL hand text to each other, and how long text becomes rows.

A fragment is (style, text) as prompt_toolkit has it, a row is a list of fragments without line ends. The style's
classes are the roles of `gptoss_tui.themes`. Knows no terminal.
"""

from __future__ import annotations

import re

from prompt_toolkit.utils import get_cwidth

Fragment = tuple[str, str]
"""(style, text)."""
Row = list[Fragment]

_WORDS = re.compile(r" +|[^ ]+")


def row_width(row: Row) -> int:
    """Cells that the row takes."""
    return sum(get_cwidth(text) for _, text in row)


def row_text(row: Row) -> str:
    """The row without its styles."""
    return "".join(text for _, text in row)


def wrap(fragments: Row, width: int, first: str = "", hanging: str = "") -> list[Row]:
    """The text in rows of at most `width` cells, broken between words, and inside a word only where it is longer.

    `first` stands before the first row, `hanging` before the others; both are short. Rows before the last one do not
    change when text is added at the end, apart from the one that the last word stands in.
    """
    folder = _Folder(max(width, 8), first, hanging)
    for word in _words(fragments):
        folder.add(word)
    return folder.rows


class _Folder:
    """Rows that grow by one word at a time."""

    def __init__(self, width: int, first: str, hanging: str) -> None:
        self._width = width
        self._hanging = hanging
        self.rows: list[Row] = [[("", first)] if first else []]
        self._used = self._margin = get_cwidth(first)

    def add(self, word: Row) -> None:
        """One word, or the spaces between two."""
        wide = row_width(word)
        blank = word[0][1].isspace()
        if self._used + wide <= self._width:
            self._put(word, wide)
        elif blank:
            # A row ends where the spaces would have been.
            self._next()
        elif wide <= self._width - get_cwidth(self._hanging):
            self._next()
            self._put(word, wide)
        else:
            if self._used > self._margin:
                self._next()
            for style, text in word:
                for char in text:
                    if self._used + get_cwidth(char) > self._width:
                        self._next()
                    self._put([(style, char)], get_cwidth(char))

    def _put(self, word: Row, wide: int) -> None:
        row = self.rows[-1]
        # A row that begins after a break begins with a word.
        if len(self.rows) > 1 and self._used == self._margin and word[0][1].isspace():
            return
        for style, text in word:
            if row and row[-1][0] == style:
                row[-1] = (style, row[-1][1] + text)
            else:
                row.append((style, text))
        self._used += wide

    def _next(self) -> None:
        if len(self.rows) > 1 and self._used == self._margin:
            return
        self.rows.append([("", self._hanging)] if self._hanging else [])
        self._used = self._margin = get_cwidth(self._hanging)


def _words(fragments: Row) -> list[Row]:
    """Words and the spaces between them; a word may have several styles."""
    words: list[Row] = []
    for style, text in fragments:
        for part in _WORDS.findall(text):
            if words and part[0] != " " and not words[-1][0][1].isspace():
                words[-1].append((style, part))
            else:
                words.append([(style, part)])
    return words
