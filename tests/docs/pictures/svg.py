"""A grid of cells as SVG: rectangles, lines and runs of text, on whole pixels."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from itertools import groupby

from tests.docs.pictures.cells import Cell, Grid

WIDTH, HEIGHT = 9, 19
"""Pixels of a cell."""
MARGIN = 12
# The size at which a character of DejaVu Sans Mono is WIDTH wide: its advance is 1233 of 2048 units.
_FONT_SIZE = WIDTH * 2048 / 1233
_BASELINE = 14

_EIGHTHS = {"▁": 1, "▂": 2, "▃": 3, "▄": 4, "▅": 5, "▆": 6, "▇": 7, "█": 8}
_SIDES = {"▏": (0.0, 0.125), "▎": (0.0, 0.25), "▌": (0.0, 0.5), "▐": (0.5, 0.5), "▕": (0.875, 0.125)}
_LINES = {
    "─": "M0 9.5H9",
    "━": "M0 9.5H9",
    "│": "M4.5 0V19",
    "┃": "M4.5 0V19",
    "╭": "M4.5 19V14Q4.5 9.5 9 9.5",
    "╮": "M0 9.5Q4.5 9.5 4.5 14V19",
    "╰": "M4.5 0V5Q4.5 9.5 9 9.5",
    "╯": "M0 9.5Q4.5 9.5 4.5 5V0",
    "┌": "M4.5 19V9.5H9",
    "┐": "M0 9.5H4.5V19",
    "└": "M4.5 0V9.5H9",
    "┘": "M0 9.5H4.5V0",
    "├": "M4.5 0V19M4.5 9.5H9",
    "┤": "M4.5 0V19M0 9.5H4.5",
    "┬": "M0 9.5H9M4.5 9.5V19",
    "┴": "M0 9.5H9M4.5 9.5V0",
    "┼": "M0 9.5H9M4.5 0V19",
}


def svg(grid: Grid, background: str) -> str:
    """The picture; `background` is what surrounds the screen."""
    width = max(len(row) for row in grid) * WIDTH + 2 * MARGIN
    height = len(grid) * HEIGHT + 2 * MARGIN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}">',
        f'<rect width="{width}" height="{height}" rx="8" fill="{background}"/>',
        f'<g font-family="DejaVu Sans Mono, Menlo, monospace" font-size="{_FONT_SIZE:.3f}">',
    ]
    for number, row in enumerate(grid):
        top = MARGIN + number * HEIGHT
        parts += _backgrounds(row, top, background)
        parts += _texts(row, top)
    return "\n".join([*parts, "</g>", "</svg>", ""])


def _backgrounds(row: list[Cell], top: int, around: str) -> Iterator[str]:
    at = 0
    for colour, run in groupby(row, key=lambda cell: cell.background):
        cells = len(list(run))
        if colour != around:
            yield _rectangle(MARGIN + at * WIDTH, top, cells * WIDTH, HEIGHT, colour)
        at += cells


def _texts(row: list[Cell], top: int) -> Iterator[str]:
    at = 0
    while at < len(row):
        cell, left = row[at], MARGIN + at * WIDTH
        if shape := _shape(cell, left, top):
            yield shape
            at += 1
            continue
        end = at + 1
        # Only characters that the font surely has at one width may stand in one run.
        if cell.text.isascii():
            while end < len(row) and row[end].text.isascii() and row[end].text and _style(row[end]) == _style(cell):
                end += 1
        text = "".join(each.text for each in row[at:end])
        if text.strip():
            yield (
                f'<text xml:space="preserve" x="{left}" y="{top + _BASELINE}" {_style(cell)}>'
                f"{escape(text.rstrip())}</text>"
            )
        at = end


def _style(cell: Cell) -> str:
    how = f'fill="{cell.colour}"'
    how += ' font-weight="bold"' if cell.bold else ""
    how += ' font-style="italic"' if cell.italic else ""
    return how + (' text-decoration="underline"' if cell.underline else "")


def _shape(cell: Cell, left: int, top: int) -> str:
    """Boxes and bars are drawn, so that they join; empty for what is text."""
    char = cell.text
    if char in _EIGHTHS:
        tall = HEIGHT * _EIGHTHS[char] / 8
        return _rectangle(left, top + HEIGHT - tall, WIDTH, tall, cell.colour)
    if char in _SIDES:
        at, wide = (part * WIDTH for part in _SIDES[char])
        return _rectangle(left + at, top, wide, HEIGHT, cell.colour)
    if char in _LINES:
        thick = 2.5 if char in "━┃" else 1
        return (
            f'<path transform="translate({left} {top})" d="{_LINES[char]}" fill="none" stroke="{cell.colour}" '
            f'stroke-width="{thick}"/>'
        )
    return ""


def _rectangle(left: float, top: float, width: float, height: float, colour: str) -> str:
    # Whole pixels, so that neighbours leave no seam between them.
    box = f'x="{left:g}" y="{top:g}" width="{width:g}" height="{height:g}"'
    return f'<rect shape-rendering="crispEdges" {box} fill="{colour}"/>'
