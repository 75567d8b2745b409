"""Markdown inside a line: emphasis, code, links. Made for text that is still being written.

Only what is closed is styled; what is open stays as it was typed, and the caller learns where the first such place is,
since everything before it is settled. After CommonMark 0.31 (spec.commonmark.org), without its rarer rules.
"""

from __future__ import annotations

import re

from gptoss_tui.repl.rows import Row

_SPECIAL = re.compile(r"[\\`*_~\[]")
_PUNCTUATION = frozenset(r"!\"#$%&'()*+,-./:;<=>?@[\]^_`{|}~")
# Bounded, since a line of brackets would take as long as its length squared.
_LINK = re.compile(r"\[([^\[\]]{1,300})\]\(([^\s()]{0,500}(?:\([^\s()]{0,100}\)[^\s()]{0,100}){0,4})\)")
_LINK_BEGUN = re.compile(r"\[[^\[\]]{0,300}(?:\](?:\([^\s()]{0,500}(?:\([^\s()]{0,100}\)?[^\s()]{0,100}){0,4})?)?\Z")
_DEEPEST = 6
"""Emphasis within emphasis that is still told apart."""
_EMPHASIS = {"**": "bold", "__": "bold", "*": "italic", "_": "italic", "~~": "strike"}


def inline(text: str, style: str = "", *, complete: bool = True, depth: int = 0) -> tuple[Row, int | None]:
    """The fragments of one line, and how many characters of them are settled; None where all are.

    `complete` says that nothing will be added to the line, `depth` how many emphases it stands in.
    """
    scanner = _Scanner(text, style, complete, depth)
    scanner.scan()
    return scanner.row, scanner.settled


class _Scanner:
    """One pass over a line."""

    def __init__(self, text: str, style: str, complete: bool, depth: int) -> None:
        self._text = text
        self._style = style
        self._complete = complete
        self._depth = depth
        self._unclosed: set[str] = set()
        """Signs that nothing closes from here on: each is looked for once."""
        self._shown = 0
        self.row: Row = []
        self.settled: int | None = None

    def scan(self) -> None:
        """Fills `row`."""
        at = 0
        while at < len(self._text):
            special = _SPECIAL.search(self._text, at)
            if special is None:
                self._put(self._text[at:])
                break
            self._put(self._text[at : special.start()])
            at = self._mark(special.start())

    def _mark(self, at: int) -> int:
        """Handles the special character at `at`; where to go on."""
        match self._text[at]:
            case "\\":
                return self._escape(at)
            case "`":
                return self._code(at)
            case "[":
                return self._link(at)
            case _:
                return self._emphasis(at)

    def _escape(self, at: int) -> int:
        following = self._text[at + 1 : at + 2]
        if not following:
            self._open()
        if following in _PUNCTUATION and following:
            self._put(following)
            return at + 2
        self._put("\\")
        return at + 1

    def _code(self, at: int) -> int:
        ticks = _run(self._text, at)
        closing = at + ticks if "`" * ticks not in self._unclosed else len(self._text)
        while (closing := self._text.find("`" * ticks, closing)) >= 0:
            if (run := _run(self._text, closing)) == ticks:
                self._closed_at(closing + ticks)
                inner = self._text[at + ticks : closing]
                if inner.startswith(" ") and inner.endswith(" ") and inner.strip():
                    inner = inner[1:-1]
                self._put(inner, "class:code-string")
                return closing + ticks
            closing += run
        self._unclosed.add("`" * ticks)
        self._open()
        self._put("`" * ticks)
        return at + ticks

    def _link(self, at: int) -> int:
        link = _LINK.match(self._text, at)
        if link is None:
            if _LINK_BEGUN.match(self._text, at):
                self._open()
            self._put("[")
            return at + 1
        self._put(link[1], "underline class:accent")
        if link[2] and link[2] != link[1]:
            self._put(f" ({link[2]})", "class:muted")
        return link.end()

    def _emphasis(self, at: int) -> int:
        char = self._text[at]
        run = _run(self._text, at)
        sign = char * min(run, 2)
        if sign not in _EMPHASIS or self._depth >= _DEEPEST or not self._may_open(at, run):
            self._put(char * run)
            return at + run
        closing = self._closing(at + len(sign), sign)
        if closing is None:
            self._unclosed.add(sign)
            self._open()
            self._put(sign)
            return at + len(sign)
        end = closing + len(sign)
        self._closed_at(end)
        inner, _ = inline(
            self._text[at + len(sign) : closing], f"{self._style} {_EMPHASIS[sign]}".strip(), depth=self._depth + 1
        )
        for style, text in inner:
            self.row.append((style, text))
            self._shown += len(text)
        return end

    def _may_open(self, at: int, run: int) -> bool:
        before, after = self._text[at - 1 : at], self._text[at + run : at + run + 1]
        if not after:
            # What follows decides; until then it is open.
            self._open()
            return False
        inside_a_word = before.isalnum() and (self._text[at] == "_" or run == 1)
        return not after.isspace() and not inside_a_word

    def _closing(self, start: int, sign: str) -> int | None:
        at = start if sign not in self._unclosed else len(self._text)
        while (at := self._text.find(sign, at)) >= 0:
            run = _run(self._text, at)
            after = self._text[at + run : at + run + 1]
            # Three close a word that is bold and italic: the outer one takes the end of the run.
            fits = run == len(sign) or run == 3
            place = at + run - len(sign) if run == 3 and len(sign) == 2 else at
            if fits and not self._text[at - 1].isspace() and at > start and not (sign[0] == "_" and after.isalnum()):
                return place
            at += run
        return None

    def _closed_at(self, end: int) -> None:
        # The next character may still make another mark of it.
        if end == len(self._text):
            self._open()

    def _open(self) -> None:
        if not self._complete and self.settled is None:
            self.settled = self._shown

    def _put(self, text: str, style: str = "") -> None:
        if text:
            self.row.append((f"{self._style} {style}".strip(), text))
            self._shown += len(text)


def _run(text: str, at: int) -> int:
    """How often the character at `at` stands there in a row."""
    end = at
    while end < len(text) and text[end] == text[at]:
        end += 1
    return end - at
