"""Markdown as it streams: text in, finished rows out, and a tail of rows that may still change.

A row is handed out once, when nothing that follows can change it, so a terminal never has to take one back: paragraphs
row by row, code line by line, a table when it is whole. The width may change at any time. Knows no terminal; wants text
that is safe to show.
"""

from __future__ import annotations

import re

from gptoss_tui.repl.code import CodeBlock
from gptoss_tui.repl.inline import inline
from gptoss_tui.repl.mdtable import TABLE_LINE, table
from gptoss_tui.repl.rows import Row, after, cells, row_text, wrap_to

_FENCE = re.compile(r"^ *(`{3,}|~{3,}) *([\w+#.-]*)[^`]*$")
_FENCE_BEGUN = re.compile(r"^ *(?:`{3}|~{3})")
_HEADING = re.compile(r"^ {0,3}(#{1,6})\s+(.*?)\s*#*$")
_ITEM = re.compile(r"^(\s*)(?:([-*+])|(\d{1,9}[.)]))\s+(?:\[([ xX])\]\s+)?(.*)$")
_QUOTE = re.compile(r"^ {0,3}((?:>\s?)+)(.*)$")
_RULE = re.compile(r"^ {0,3}([-*_])(?:\s*\1){2,}\s*$")
_RULE_BEGUN = re.compile(r"^ {0,3}([-*_])(?:\s*\1)*\s*$")
LONGEST_TABLE = 60
"""Lines of a table that are held back to be aligned."""


class MarkdownStream:
    """One message."""

    def __init__(self, width: int) -> None:
        self.width = width
        """In cells; may be changed at any time, and holds for the rows not yet handed out."""
        self._line = ""
        self._given = 0
        """Characters of the line under way that stand in rows that were handed out."""
        self._begun = False
        """Whether rows of it were handed out."""
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
        return rows + self._take_code() + self._settled()

    def tail(self) -> list[Row]:
        """What was written since the last settled row, as it looks now."""
        held = table(self._table, self.width) if self._table else []
        if not self._line:
            return held
        if self._code is not None:
            return held + self._code.partial(self._line, self.width)
        return held + self._block(self._line, complete=False)[0]

    def finish(self) -> list[Row]:
        """The last rows, at the end of the message."""
        rows = self._end_line(self._line) if self._line else []
        self._line = ""
        rows += self._end_table() + self._take_code()
        if self._code is not None:
            rows.append(self._code.end(self.width))
            self._code = None
        return rows

    def _settled(self) -> list[Row]:
        """Rows of the line under way that stay as they are whatever follows."""
        if self._code is not None or len(self._line) <= self.width or self._may_be_something_else():
            return []
        rows, ends, open_at = self._block(self._line, complete=False)
        settled = 0
        for at, following in enumerate(rows[1:]):
            indent = len(row_text(following)) - len(row_text(following).lstrip())
            # Where a row ends is up to the word behind it, which may turn out shorter: a link hides its address.
            word = row_text(following)[indent:].split(" ", 1)[0]
            if open_at is not None and ends[at] + indent + len(word) >= open_at:
                break
            settled = at + 1
        if settled:
            self._begun = True
            self._given = ends[settled - 1]
        return rows[:settled]

    def _may_be_something_else(self) -> bool:
        """Whether the line under way, no row of which was handed out, may be no paragraph in the end."""
        line = self._line
        return not self._begun and bool(TABLE_LINE.match(line) or _FENCE_BEGUN.match(line) or _RULE_BEGUN.match(line))

    def _end_line(self, line: str) -> list[Row]:
        if self._code is not None:
            return self._end_code_line(line)
        if self._begun:
            rows = self._block(line, complete=True)[0]
            self._given, self._begun = 0, False
            return rows
        if TABLE_LINE.match(line):
            self._table.append(line)
            return self._end_table() if len(self._table) >= LONGEST_TABLE else []
        rows = self._end_table()
        if (fence := _FENCE.match(line)) is not None:
            self._fence = fence[1]
            self._code = CodeBlock(fence[2])
            return [*rows, self._code.begin(self.width)]
        return rows + self._block(line, complete=True)[0]

    def _end_code_line(self, line: str) -> list[Row]:
        assert self._code is not None
        bare = line.strip()
        if len(bare) >= len(self._fence) and bare == self._fence[0] * len(bare):
            rows = [*self._take_code(), self._code.end(self.width)]
            self._code = None
            return rows
        self._code.add(line)
        return []

    def _take_code(self) -> list[Row]:
        return self._code.take(self.width) if self._code is not None else []

    def _end_table(self) -> list[Row]:
        lines, self._table = self._table, []
        return table(lines, self.width) if lines else []

    def _block(self, line: str, *, complete: bool) -> tuple[list[Row], list[int], int | None]:
        """What is left of one line as rows, how many of its characters stand up to the end of each, and how many are
        settled; None where all are."""
        if not line.strip():
            return [[]], [0], None
        if complete and not self._begun and _RULE.match(line):
            return [[("class:border", "─" * min(self.width, 40))]], [0], None
        first, hanging, style, text = _opening(line, self.width)
        fragments, settled = inline(text, style, complete=complete)
        if not self._begun:
            return *wrap_to(fragments, self.width, first, hanging), settled
        left = after(fragments, self._given)
        if not left:
            return [], [], settled
        skipped = len(row_text(fragments)) - len(row_text(left))
        rows, ends = wrap_to(left, self.width, hanging, hanging)
        return rows, [skipped + end for end in ends], settled


def _opening(line: str, width: int) -> tuple[str, str, str, str]:
    """What stands before a line's first row and before its others, the style of its text, and the text."""
    if heading := _HEADING.match(line):
        return "", "", "bold class:accent" + (" underline" if len(heading[1]) == 1 else ""), heading[2]
    if item := _ITEM.match(line):
        sign = f"{item[3]} " if item[3] else "• "
        if item[4]:
            sign = "☐ " if item[4] == " " else "☑ "
        marker = item[1][: width // 2] + sign
        return marker, " " * cells(marker), "", item[5]
    if quote := _QUOTE.match(line):
        bars = "▏ " * min(quote[1].count(">"), width // 8)
        return bars, bars, "class:muted", quote[2]
    indent = line[: len(line) - len(line.lstrip())][: width // 2]
    return indent, indent, "", line.lstrip()


class PlainStream:
    """The same for text that is no Markdown: one style throughout."""

    def __init__(self, width: int, style: str) -> None:
        self.width = width
        """In cells; may be changed at any time."""
        self._style = style
        self._line = ""
        self._begun = False
        """Whether rows of the line under way were handed out."""

    def feed(self, text: str) -> list[Row]:
        """More text; the rows that are settled by it."""
        rows: list[Row] = []
        *lines, rest = text.split("\n")
        for line in lines:
            self._line += line
            rows += self.tail() if self._begun else self._wrapped()[0]
            self._line, self._begun = "", False
        self._line += rest
        if len(self._line) > self.width:
            settled, ends = self._wrapped()
            if len(settled) > 1:
                rows += settled[:-1]
                self._line = self._line[ends[-2] :].lstrip(" ")
                self._begun = True
        return rows

    def tail(self) -> list[Row]:
        """The row that is being written."""
        return self._wrapped()[0] if self._line else []

    def finish(self) -> list[Row]:
        """The last row."""
        rows = self.tail()
        self._line, self._begun = "", False
        return rows

    def _wrapped(self) -> tuple[list[Row], list[int]]:
        return wrap_to([(self._style, self._line)], self.width)
