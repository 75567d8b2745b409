"""A block of code as it streams: Pygments colours each line as soon as it is whole.

A line is coloured with what stands above it in the block, as a lexer may be inside a string. Knows no terminal.
"""

from __future__ import annotations

from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name
from pygments.lexers.special import TextLexer
from pygments.util import ClassNotFound

from gptoss_tui.repl.rows import Row, wrap
from gptoss_tui.repl.styles import code_style

LOOKED_BACK = 6_000
"""Characters above a line that its colours may depend on: lexing all of a long block for each line would take ever
longer."""
_SPACE = "\ue000"


class CodeBlock:
    """One fenced block."""

    def __init__(self, language: str, width: int) -> None:
        self._language = language
        self._width = width
        self._lexer = _lexer(language)
        self._above = ""

    def begin(self) -> Row:
        """The row above the code: a rule with the language's name."""
        name = f" {self._language} " if self._language else ""
        return [("class:border", "──"), ("class:muted", name), ("class:border", "─" * max(0, self._rule - len(name)))]

    def end(self) -> Row:
        """The row under the code."""
        return [("class:border", "─" * (self._rule + 2))]

    @property
    def _rule(self) -> int:
        return max(4, min(self._width, 40) - 2)

    def line(self, line: str) -> list[Row]:
        """One whole line of code; without anything before it, so that what a terminal copies is code."""
        rows = self._rows(line)
        self._above += line + "\n"
        if len(self._above) > LOOKED_BACK:
            cut = self._above.find("\n", len(self._above) - LOOKED_BACK) + 1
            self._above = self._above[cut:]
        return rows

    def partial(self, line: str) -> list[Row]:
        """A line that is still being written."""
        return self._rows(line)

    def _rows(self, line: str) -> list[Row]:
        tokens = self._lexer.get_tokens(self._above + line + "\n")
        skipped, row = len(self._above), list[tuple[str, str]]()
        for kind, text in tokens:
            shown = text[skipped:] if skipped < len(text) else ""
            skipped = max(0, skipped - len(text))
            if shown := shown.rstrip("\n"):
                row.append((code_style(kind), shown))
        return _broken(row, self._width)


def _broken(row: Row, width: int) -> list[Row]:
    """Code broken at the terminal's edge alone: its spaces mean something."""
    # `wrap` must see no words; the stand-in never reaches the terminal.
    joined = [(style, text.replace(" ", _SPACE)) for style, text in row]
    return [[(style, text.replace(_SPACE, " ")) for style, text in part] for part in wrap(joined, width)]


def _lexer(language: str) -> Lexer:
    # Empty lines at a block's beginning and end are part of it.
    if language:
        try:
            return get_lexer_by_name(language, stripnl=False, ensurenl=True)
        except ClassNotFound:
            pass  # shown without colours
    return TextLexer(stripnl=False, ensurenl=True)
