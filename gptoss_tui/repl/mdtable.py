"""A Markdown table as rows: columns aligned, and as narrow as the terminal asks, with cells of several lines.

Knows no terminal; wants text that is safe to show.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from gptoss_tui.repl.inline import inline
from gptoss_tui.repl.rows import Row, joined_cells, row_text, row_width, wrap

TABLE_LINE = re.compile(r"^\s*\|.*")
"""A line that may be one of a table."""
_RULE = re.compile(r"^[\s|:-]+$")
_BARS = re.compile(r"(?<!\\)\|")
_GAP = " │ "
NARROWEST = 8
"""Cells that a column keeps, where it is not narrower by itself."""


def table(lines: Sequence[str], width: int) -> list[Row]:
    """The table in these lines; as it was typed where it is none, or has too many columns for `width` cells."""
    marks = next((at for at, line in enumerate(lines) if _RULE.match(line) and "-" in line), None)
    if marks is None or marks > 1:
        return _typed(lines, width)
    signs = _split(lines[marks])
    body = [_split(line) for at, line in enumerate(lines) if at != marks]
    columns = max(map(len, body), default=0)
    texts = [
        [inline(part, "bold" if marks and not at else "")[0] for part in (*row, *[""] * (columns - len(row)))]
        for at, row in enumerate(body)
    ]
    widths = _fitting([max(row_width(row[at]) for row in texts) for at in range(columns)], width)
    if not columns or widths is None:
        return _typed(lines, width)
    aligned = [_alignment(signs[at]) if at < len(signs) else "left" for at in range(columns)]
    rows: list[Row] = []
    tall = any(row_width(cell) > widths[at] for row in texts for at, cell in enumerate(row))
    for number, row in enumerate(texts):
        # Where cells take several lines, rules tell the rows of the table apart.
        if number == marks or (tall and number):
            rows.append(_rule(widths))
        rows += _drawn(row, widths, aligned)
    return rows


def _typed(lines: Sequence[str], width: int) -> list[Row]:
    return [row for line in lines for row in wrap(inline(line)[0], width)]


def _split(line: str) -> list[str]:
    bare = line.strip().removeprefix("|")
    if bare.endswith("|") and not bare.endswith("\\|"):
        bare = bare[:-1]
    return [part.strip().replace("\\|", "|") for part in _BARS.split(bare)]


def _alignment(sign: str) -> str:
    if sign.endswith(":"):
        return "middle" if sign.startswith(":") else "right"
    return "left"


def _fitting(wide: Sequence[int], width: int) -> list[int] | None:
    """The columns' widths, the widest ones cut until all fit; None where they cannot."""
    room = width - len(_GAP) * (len(wide) - 1)
    if sum(min(each, NARROWEST) for each in wide) > room:
        return None
    # The widest share equally what the narrower ones leave.
    widths, left = list(wide), room
    for remaining, at in enumerate(sorted(range(len(wide)), key=lambda each: wide[each])):
        widths[at] = min(wide[at], left // (len(wide) - remaining))
        left -= widths[at]
    return widths


def _rule(widths: Sequence[int]) -> Row:
    return [("class:border", "─┼─".join("─" * each for each in widths))]


def _drawn(row: Sequence[Row], widths: Sequence[int], aligned: Sequence[str]) -> list[Row]:
    """One row of the table; as many of the terminal's as its tallest cell."""
    cells = [wrap(cell, widths[at]) if row_width(cell) > widths[at] else [cell] for at, cell in enumerate(row)]
    drawn: list[Row] = []
    for line in range(max(map(len, cells))):
        parts: Row = []
        for at, cell in enumerate(cells):
            if at:
                parts.append(("class:border", _GAP))
            parts += _padded(cell[line] if line < len(cell) else [], widths[at], aligned[at], last=at == len(cells) - 1)
        drawn.append(parts)
    return drawn


def _padded(cell: Row, width: int, side: str, *, last: bool) -> Row:
    spare = max(0, width - joined_cells(row_text(cell)))
    left = spare if side == "right" else spare // 2 if side == "middle" else 0
    right = 0 if last else spare - left
    return [*([("", " " * left)] if left else []), *cell, *([("", " " * right)] if right else [])]
