"""Text from a model, made safe to show: what a terminal would obey, or what would not be seen, becomes visible.

Control characters turn into their Unicode pictures (ESC is shown as ␛), bidirectional overrides and other invisible
characters into their code points, floods of combining or zero-width characters into a count, and endless lines are
folded. Ordinary text, emoji and scripts that need joiners stay as they are. This module knows no toolkit: it changes
characters, not styles, and what is copied or saved is the original text, not this.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from itertools import groupby

LONGEST_RUN = 8
"""Marks that may follow one character: emoji sequences and the busiest scripts need fewer."""
LONGEST_LINE = 2_000
"""Characters after which a line is folded: no toolkit wraps an endless line quickly."""
FOLD = "↩"
"""Ends a line that was folded and goes on below."""

_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_JOINERS = frozenset("\u200c\u200d\ufe0e\ufe0f")


def _picture(char: str) -> str:
    """What is shown for one character that must not reach a terminal, or the character itself."""
    code = ord(char)
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "␡"
    if 0x80 <= code < 0xA0:
        return f"\\x{code:02x}"
    if char in "\u2028\u2029" or char in _BIDI or 0xD800 <= code < 0xE000 or 0xFFF9 <= code < 0xFFFC:
        return f"‹U+{code:04X}›"
    return char


def _is_mark(char: str) -> bool:
    """True for characters that take no cell of their own."""
    if char < "\u0300" and char != "\xad":
        return False
    if char in _BIDI:
        return False
    return char in _JOINERS or unicodedata.category(char) in ("Mn", "Me", "Cf") or char == "\u115f"


class Visible:
    """Makes a stream of text visible, piece by piece: what belongs together may come in two pieces."""

    def __init__(self, *, fold: int = LONGEST_LINE) -> None:
        self._fold = fold
        self._soft = fold - fold // 10
        """Characters after which a line is folded where a word begins."""
        self._space = False
        self._marks = 0
        self._column = 0
        self._return = False

    def feed(self, text: str) -> str:
        """The next piece, as it may be shown. A trailing carriage return or flood waits for what follows."""
        quiet = not self._return and not self._marks and self._column + len(text) <= self._soft
        if quiet and text.isascii() and text.isprintable():
            self._column += len(text)
            self._space = text.endswith(" ") if text else self._space
            return text
        out: list[str] = []
        for is_mark, chars in groupby(text, _is_mark):
            if is_mark:
                self._flush_return(out)
                self._feed_marks("".join(chars), out)
            else:
                self._flush_marks(out)
                self._feed_plain(chars, out)
        return "".join(out)

    def finish(self) -> str:
        """What was held back at the end of the text."""
        out: list[str] = []
        self._flush_return(out)
        self._flush_marks(out)
        return "".join(out)

    def _feed_marks(self, marks: str, out: list[str]) -> None:
        room = max(0, LONGEST_RUN - self._marks)
        out.append(marks[:room])
        self._marks += len(marks)

    def _flush_marks(self, out: list[str]) -> None:
        if self._marks > LONGEST_RUN:
            out.append(f"‹×{self._marks - LONGEST_RUN:,} invisible›")
        self._marks = 0

    def _flush_return(self, out: list[str]) -> None:
        if self._return:
            out.append("␍")
            self._column += 1
        self._return = False

    def _feed_plain(self, chars: Iterable[str], out: list[str]) -> None:
        for char in chars:
            if self._return and char != "\n":
                self._flush_return(out)
            self._return = False
            if char == "\n":
                self._column = 0
                out.append(char)
            elif char == "\r":
                self._return = True
            elif char == "\t":
                out.append("    ")
                self._column += 4
            else:
                if self._column >= self._fold or (self._space and self._column >= self._soft):
                    out.append(f"{FOLD}\n\n")
                    self._column = 0
                out.append(_picture(char))
                self._column += 1
                self._space = char == " "


def visible(text: str, *, fold: int = LONGEST_LINE) -> str:
    """A whole text as it may be shown; newlines stay, everything else that a terminal obeys does not."""
    stream = Visible(fold=fold)
    return stream.feed(text) + stream.finish()


def in_line(text: str) -> str:
    """The same with signs for line ends, for a name or a fault that has one line to stand in."""
    return text.replace("\n", "␊")


# Lone surrogates are among them, which no encoding could write.
_NOT_IN_JSON = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def visible_json(line: str) -> str:
    """JSON with what a terminal would obey written as escapes: the same values, and nothing else to look at."""
    return _NOT_IN_JSON.sub(lambda found: f"\\u{ord(found[0]):04x}", line)


_TOKEN_SIGNS = str.maketrans({"\n": "⏎", "\r": "␍", "\t": "⇥", "\u00a0": "⍽"})


def visible_token(piece: str, longest: int = 40) -> str:
    """One token's piece in one line of at most `longest` characters: line ends, tabs and controls as signs."""
    shown = visible(piece[: longest * 4].translate(_TOKEN_SIGNS), fold=longest * 8)
    return shown if len(shown) <= longest else shown[: longest - 1] + "…"
