"""Markdown as it streams: text in, finished rows out, and a tail of rows that may still change.

A row is handed out once, when nothing that follows can change it, so a terminal never has to take one back: paragraphs
row by row, code line by line, a table when it is whole. Knows no terminal; wants text that is safe to show.
"""

from __future__ import annotations

import re
from itertools import pairwise

from prompt_toolkit.utils import get_cwidth

from gptoss_tui.repl.code import CodeBlock
from gptoss_tui.repl.inline import inline
from gptoss_tui.repl.rows import Row, row_text, row_width, wrap

_FENCE = re.compile(r"^ *(`{3,}|~{3,}) *([\w+#.-]*)[^`]*$")
_HEADING = re.compile(r"^ {0,3}(#{1,6})\s+(.*?)\s*#*$")
_ITEM = re.compile(r"^(\s*)(?:([-*+])|(\d{1,9}[.)]))\s+(.*)$")
_QUOTE = re.compile(r"^ {0,3}>\s?(.*)$")
_RULE = re.compile(r"^ {0,3}([-*_])(?:\s*\1){2,}\s*$")
_TABLE_LINE = re.compile(r"^\s*\|.*")
_TABLE_RULE = re.compile(r"^[\s|:-]+$")
LONGEST_TABLE = 60
"""Lines of a table that are held back to be aligned."""


class MarkdownStream:
    """One message. `width` is in cells."""

    def __init__(self, width: int) -> None:
        self._width = width
        self._line = ""
        self._given = 0
        """Rows of the line under way that were handed out."""
        self._table: list[str] = []
        self._code: CodeBlock | None = None
        self._fence = ""

    def feed(self, text: str) -> list[Row]:
        """More text; the rows that are settled by it."""
        rows: list[Row] = []
        *lines, rest = text.split("\n")
        for line in lines:
            rows += self._end_line(self._line + line)
            self._line = ""
        self._line += rest
        return rows + self._settled()

    def tail(self) -> list[Row]:
        """What was written since the last settled row, as it looks now."""
        held = _table(self._table, self._width) if self._table else []
        if not self._line:
            return held
        if self._code is not None:
            return held + self._code.partial(self._line)
        return held + self._block(self._line, complete=False)[0][self._given :]

    def finish(self) -> list[Row]:
        """The last rows, at the end of the message."""
        rows = self._end_line(self._line) if self._line else []
        self._line = ""
        rows += self._end_table()
        if self._code is not None:
            rows.append(self._code.end())
            self._code = None
        return rows

    def _settled(self) -> list[Row]:
        """Rows of the line under way that stay as they are whatever follows."""
        if self._code is not None or len(self._line) <= self._width or _TABLE_LINE.match(self._line):
            return []
        rows, open_at = self._block(self._line, complete=False)
        shown, settled = 0, 0
        for row, following in pairwise(rows):
            shown += len(row_text(row))
            # Where a row ends is up to the word behind it, which may turn out shorter: a link hides its address.
            indent = len(row_text(following)) - len(row_text(following).lstrip())
            word = row_text(following)[indent:].split(" ", 1)[0]
            if open_at is not None and shown + indent + len(word) >= open_at:
                break
            settled += 1
        new = rows[self._given : settled]
        self._given = max(self._given, settled)
        return new

    def _end_line(self, line: str) -> list[Row]:
        given, self._given = self._given, 0
        if self._code is not None:
            return self._end_code_line(line)
        if _TABLE_LINE.match(line) and not given:
            self._table.append(line)
            return self._end_table() if len(self._table) >= LONGEST_TABLE else []
        rows = self._end_table()
        fence = _FENCE.match(line)
        if fence is not None and not given:
            self._fence = fence[1]
            self._code = CodeBlock(fence[2], self._width)
            return [*rows, self._code.begin()]
        return rows + self._block(line, complete=True)[0][given:]

    def _end_code_line(self, line: str) -> list[Row]:
        assert self._code is not None
        bare = line.strip()
        if len(bare) >= len(self._fence) and bare == self._fence[0] * len(bare):
            row = self._code.end()
            self._code = None
            return [row]
        return self._code.line(line)

    def _end_table(self) -> list[Row]:
        lines, self._table = self._table, []
        return _table(lines, self._width) if lines else []

    def _block(self, line: str, *, complete: bool) -> tuple[list[Row], int | None]:
        """One line as rows, and how many of their characters are settled; None where all are."""
        if not line.strip():
            return [[]], None
        if complete and _RULE.match(line):
            return [[("class:border", "─" * min(self._width, 40))]], None
        first, hanging, style, text = "", "", "", line
        if heading := _HEADING.match(line):
            style, text = "bold class:accent", heading[2]
        elif item := _ITEM.match(line):
            marker = f"{item[1]}{'•' if item[2] else item[3]} "
            first, hanging, text = marker, " " * get_cwidth(marker), item[4]
        elif quote := _QUOTE.match(line):
            first = hanging = "▏ "
            style, text = "class:muted", quote[1]
        else:
            first = hanging = line[: len(line) - len(line.lstrip())][: self._width // 2]
            text = line.lstrip()
        fragments, settled = inline(text, style, complete=complete)
        return wrap(fragments, self._width, first, hanging), settled


class PlainStream:
    """The same for text that is no Markdown: one style throughout."""

    def __init__(self, width: int, style: str) -> None:
        self._width = width
        self._style = style
        self._line = ""
        self._given = 0

    def feed(self, text: str) -> list[Row]:
        """More text; the rows that are settled by it."""
        rows: list[Row] = []
        *lines, rest = text.split("\n")
        for line in lines:
            rows += self._rows(self._line + line)[self._given :]
            self._line, self._given = "", 0
        self._line += rest
        if len(self._line) > self._width:
            settled = self._rows(self._line)[:-1]
            rows += settled[self._given :]
            self._given = max(self._given, len(settled))
        return rows

    def tail(self) -> list[Row]:
        """The row that is being written."""
        return self._rows(self._line)[self._given :] if self._line else []

    def finish(self) -> list[Row]:
        """The last row."""
        rows = self.tail()
        self._line, self._given = "", 0
        return rows

    def _rows(self, line: str) -> list[Row]:
        return wrap([(self._style, line)], self._width)


def _table(lines: list[str], width: int) -> list[Row]:
    """A table with its columns aligned; as it was typed where it is wider than the terminal."""
    cells: list[list[Row]] = []
    ruled = False
    for line in lines:
        if _TABLE_RULE.match(line) and "-" in line:
            ruled = True
            continue
        parts = re.split(r"(?<!\\)\|", line.strip().removeprefix("|").removesuffix("|"))
        cells.append([inline(part.strip(), "bold" if not cells else "")[0] for part in parts])
    columns = max((len(row) for row in cells), default=0)
    wide = [max((row_width(row[at]) for row in cells if at < len(row)), default=0) for at in range(columns)]
    if not ruled or sum(wide) + 3 * (columns - 1) > width:
        return [row for line in lines for row in wrap(inline(line)[0], width)]
    rows: list[Row] = []
    for row in cells:
        drawn: Row = []
        for at, cell in enumerate(row):
            if at:
                drawn.append(("class:border", " │ "))
            drawn += cell
            if at < columns - 1:
                drawn.append(("", " " * (wide[at] - row_width(cell))))
        rows.append(drawn)
        if len(rows) == 1:
            rows.append([("class:border", "─┼─".join("─" * each for each in wide))])
    return rows
