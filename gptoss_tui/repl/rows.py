"""Rows of styled text: how both halves of the REPL hand text to each other, and how long text becomes rows.

A fragment is (style, text) as prompt_toolkit has it, a row is a list of fragments without line ends. The style's
classes are the roles of `gptoss_tui.themes`. Knows no terminal.
"""

from __future__ import annotations

import re
from functools import lru_cache

from prompt_toolkit.utils import get_cwidth
from wcwidth import iter_graphemes, wcswidth

Fragment = tuple[str, str]
"""(style, text)."""
Row = list[Fragment]

# Scripts that are written without spaces may be broken between any two characters, but a closing mark stays with what
# it closes and an opening one with what it opens.
_WIDE = (
    "\u2e80-\u2fff\u3040-\u30ff\u3100-\u4dbf\u4e00-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\U00020000-\U0003ffff"
)
_OPENERS = "「『（［｛〈《【〔“‘"
_CLOSERS = "、。，．・：；？！」』）］｝〉》】〕”’ーぁぃぅぇぉっゃゅょァィゥェォッャュョ々"
_MARKS = "\u0300-\u036f\u3099\u309a\ufe00-\ufe0f"
_WORDS = re.compile(rf" +|[{_OPENERS}]{{0,3}}(?:[{_WIDE}][{_MARKS}]*[{_CLOSERS}]*|[^ {_WIDE}{_OPENERS}]+|$)|[^ ]")
_JOINS = re.compile("\ufe0f|\u200d(?=[\u2190-\U0001ffff])|[\U0001f3fb-\U0001f3ff]")
_LONGEST_MEASURED = 200


def cells(text: str) -> int:
    """Cells that the text takes at most. Terminals differ on what is put together of several characters: one that joins
    a family of emoji shows two cells, another one eight; a row must fit on either."""
    if text.isascii():
        return len(text)
    return _measured(text) if len(text) <= _LONGEST_MEASURED else _most(text)


def joined_cells(text: str) -> int:
    """Cells where the terminal joins what belongs together, as newer ones do."""
    return len(text) if text.isascii() else max(0, wcswidth(text))


def _most(text: str) -> int:
    return max(get_cwidth(text), wcswidth(text))


_measured = lru_cache(4_096)(_most)


def row_width(row: Row) -> int:
    """Cells that the row takes at most."""
    return sum(cells(text) for _, text in row)


def row_text(row: Row) -> str:
    """The row without its styles."""
    return "".join(text for _, text in row)


def unjoined(row: Row) -> Row:
    """The row without what joins and colours emoji: what is drawn again and again must be as wide as it is measured."""
    return [(style, text if text.isascii() else _JOINS.sub("", text)) for style, text in row]


def after(fragments: Row, skipped: int) -> Row:
    """What is left of a text behind so many characters, without the spaces that it then begins with."""
    left: Row = []
    for style, text in fragments:
        cut = min(skipped, len(text))
        skipped -= cut
        rest = text[cut:] if left else text[cut:].lstrip(" ")
        if rest:
            left.append((style, rest))
    return left


def wrap(fragments: Row, width: int, first: str = "", hanging: str = "") -> list[Row]:
    """The text in rows of at most `width` cells, broken between words, and inside a word only where it is longer.

    `first` stands before the first row, `hanging` before the others; both are short. Rows before the last one do not
    change when text is added at the end, apart from the one that the last word stands in.
    """
    return wrap_to(fragments, width, first, hanging)[0]


def wrap_to(fragments: Row, width: int, first: str = "", hanging: str = "") -> tuple[list[Row], list[int]]:
    """As `wrap`, and for each row how many characters of the text stand in the rows up to its end."""
    folder = _Folder(max(width, 8), first, hanging)
    for word in _words(fragments):
        folder.add(word)
    return folder.rows, [*folder.ends, folder.taken]


class _Folder:
    """Rows that grow by one word at a time."""

    def __init__(self, width: int, first: str, hanging: str) -> None:
        self._width = width
        self._hanging = hanging
        self.rows: list[Row] = [[("", first)] if first else []]
        self.ends: list[int] = []
        """Characters taken by the end of each row but the last."""
        self.taken = 0
        self._used = self._margin = cells(first)

    def add(self, word: Row) -> None:
        """One word, or the spaces between two."""
        wide = row_width(word)
        if self._used + wide <= self._width:
            self._put(word, wide)
        elif word[0][1].isspace():
            # A row ends where the spaces would have been.
            self.taken += len(row_text(word))
            self._next()
        elif wide <= self._width - cells(self._hanging):
            self._next()
            self._put(word, wide)
        else:
            self._break(word)

    def _break(self, word: Row) -> None:
        """A word that no row holds is broken where a row ends."""
        if self._used > self._margin:
            self._next()
        for style, text in word:
            if text.isascii():
                while text:
                    if self._used >= self._width:
                        self._next()
                    room = max(1, self._width - self._used)
                    self._put([(style, text[:room])], min(room, len(text)))
                    text = text[room:]
                continue
            for cluster in iter_graphemes(text):
                wide = cells(cluster)
                if self._used + wide > self._width:
                    self._next()
                self._put([(style, cluster)], wide)

    def _put(self, word: Row, wide: int) -> None:
        self.taken += len(row_text(word))
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
        self.ends.append(self.taken)
        if self._used > self._margin:
            _strip(self.rows[-1])
        self.rows.append([("", self._hanging)] if self._hanging else [])
        self._used = self._margin = cells(self._hanging)


def _strip(row: Row) -> None:
    """Takes the spaces from its end."""
    while row:
        style, text = row[-1]
        if bare := text.rstrip(" "):
            row[-1] = (style, bare)
            return
        row.pop()


def _words(fragments: Row) -> list[Row]:
    """Words and the spaces between them; a word may have several styles."""
    text = row_text(fragments)
    if not text:
        return []
    words: list[Row] = []
    ends = [match.end() for match in _WORDS.finditer(text)]
    pieces, at, offset = iter(fragments), 0, 0
    style, piece = next(pieces)
    for end in ends:
        word: Row = []
        while at < end:
            while offset >= len(piece):
                style, piece = next(pieces)
                offset = 0
            part = piece[offset : offset + end - at]
            word.append((style, part))
            at += len(part)
            offset += len(part)
        if word:
            words.append(word)
    return words
