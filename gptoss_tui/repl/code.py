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
LONGEST_COLOURED = 1_000
"""Characters of a line that is coloured: no one wrote a longer one by hand, and a lexer may take very long for it."""
_SPACE = "\ue000"


class CodeBlock:
    """One fenced block."""

    def __init__(self, language: str) -> None:
        self._language = language
        self._lexer = _lexer(language)
        self._above = ""

    def begin(self, width: int) -> Row:
        """The row above the code: a rule with the language's name. `width` is in cells, here and below."""
        name = f" {self._language[:20]} " if self._language else ""
        rule = "─" * max(0, _rule(width) - len(name))
        return [("class:border", "──"), ("class:muted", name), ("class:border", rule)]

    def end(self, width: int) -> Row:
        """The row under the code."""
        return [("class:border", "─" * (_rule(width) + 2))]

    def line(self, line: str, width: int) -> list[Row]:
        """One whole line of code; without anything before it, so that what a terminal copies is code."""
        rows = self.partial(line, width)
        self._above += line + "\n"
        if len(self._above) > LOOKED_BACK:
            cut = self._above.find("\n", len(self._above) - LOOKED_BACK) + 1
            self._above = self._above[cut:]
        return rows

    def partial(self, line: str, width: int) -> list[Row]:
        """A line that is still being written."""
        if len(line) > LONGEST_COLOURED:
            return _broken([("class:code-text", line)], width)
        tokens = self._lexer.get_tokens(self._above + line + "\n")
        skipped, row = len(self._above), list[tuple[str, str]]()
        for kind, text in tokens:
            shown = text[skipped:] if skipped < len(text) else ""
            skipped = max(0, skipped - len(text))
            if shown := shown.rstrip("\n"):
                row.append((code_style(kind), shown))
        return _broken(row, width)


def _rule(width: int) -> int:
    return max(4, min(width, 40) - 2)


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
