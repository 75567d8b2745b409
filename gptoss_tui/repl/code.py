"""A block of code as it streams: Pygments colours each line as soon as it is whole.

A line is coloured with what stands above it in the block, as a lexer may be inside a string. Knows no terminal.
"""

from __future__ import annotations

from collections.abc import Sequence

from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name
from pygments.lexers.special import TextLexer
from pygments.util import ClassNotFound

from gptoss_tui.repl.rows import Row, row_text, wrap
from gptoss_tui.repl.styles import code_style

LOOKED_BACK = 4_000
"""Characters above a line that its colours may depend on, at most: lexing all of a long block for each line would take
ever longer."""
LONGEST_COLOURED = 1_000
"""Characters of a line that is coloured: no one wrote a longer one by hand, and a lexer may take very long for it."""
_ANEW = frozenset(
    {"Bash", "C", "C++", "C#", "Go", "Java", "JavaScript", "JSON", "Kotlin", "Lua", "Python", "Ruby", "Rust", "SQL"}
    | {"Swift", "TypeScript", "YAML", "Zig"}
)
"""Languages in which a line that begins at the left with a word, outside strings and comments, begins anew."""
_BEGINS = frozenset(("class:code-text", "class:code-keyword", "class:code-function", "class:code-type"))
_SPACE = "\ue000"


class CodeBlock:
    """One fenced block."""

    def __init__(self, language: str) -> None:
        self._language = language
        self._lexer = _lexer(language)
        self._above = ""
        self._lines: list[str] = []

    def begin(self, width: int) -> Row:
        """The row above the code: a rule with the language's name. `width` is in cells, here and below."""
        name = f" {self._language[:20]} " if self._language else ""
        rule = "─" * max(0, _rule(width) - len(name))
        return [("class:border", "──"), ("class:muted", name), ("class:border", rule)]

    def end(self, width: int) -> Row:
        """The row under the code."""
        return [("class:border", "─" * (_rule(width) + 2))]

    def add(self, line: str) -> None:
        """One whole line of code, for the next `take`."""
        self._lines.append(line)

    def take(self, width: int) -> list[Row]:
        """The lines that were added; without anything before them, so that what a terminal copies is code."""
        lines, self._lines = self._lines, []
        if not lines:
            return []
        coloured = self._coloured(lines)
        for line, row in zip(lines, coloured, strict=True):
            if self._lexer.name in _ANEW and row and row[0][0] in _BEGINS and row[0][1][0].isalpha():
                self._above = ""
            self._above += f"{_lexed(line)}\n"
        if len(self._above) > LOOKED_BACK:
            cut = self._above.find("\n", len(self._above) - LOOKED_BACK) + 1
            self._above = self._above[cut:]
        return [row for line in coloured for row in _broken(line, width)]

    def partial(self, line: str, width: int) -> list[Row]:
        """A line that is still being written."""
        return _broken(self._coloured([line])[0], width)

    def _coloured(self, lines: Sequence[str]) -> list[Row]:
        """Each line with its colours; all at once, since what stands above has to be looked at each time."""
        text = self._above + "".join(f"{_lexed(line)}\n" for line in lines)
        skipped, rows = len(self._above), list[Row]([[]])
        for kind, piece in self._lexer.get_tokens(text):
            shown = piece[skipped:] if skipped < len(piece) else ""
            skipped = max(0, skipped - len(piece))
            first, *others = shown.split("\n")
            if first:
                rows[-1].append((code_style(kind), first))
            for part in others:
                rows.append([(code_style(kind), part)] if part else [])
        # Colours are worth less than the code: where a lexer has lost a character, there are none.
        return [
            row if row_text(row) == line else [("class:code-text", line)]
            for line, row in zip(lines, [*rows, *([[]] * len(lines))], strict=False)
        ]


def _lexed(line: str) -> str:
    """What the lexer is given of a line."""
    return line if len(line) <= LONGEST_COLOURED else ""


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
