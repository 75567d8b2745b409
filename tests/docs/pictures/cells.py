"""A screen as a grid of cells: what stands in each, and in which colours. From Textual's strips, or from pyte.

Knows no picture format: `svg` draws grids.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style

from gptoss_tui.themes import Theme


@dataclass(frozen=True, slots=True)
class Cell:
    """One place on the screen."""

    text: str
    """What stands there; empty behind a wide character."""
    colour: str
    """`#rrggbb`."""
    background: str
    """`#rrggbb`."""
    bold: bool = False
    italic: bool = False
    underline: bool = False


Grid = list[list[Cell]]
"""Rows of cells."""


def lines(grid: Grid) -> list[str]:
    """The screen as text, row by row."""
    return ["".join(cell.text for cell in row).rstrip() for row in grid]


def digest(grid: Grid) -> str:
    """The same for screens that look the same, colours included."""
    text = "\n".join("\t".join(repr(cell) for cell in row) for row in grid)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def from_strips(strips: Iterable[Iterable[Segment]], theme: Theme) -> Grid:
    """What a Textual app has composed."""
    grid: Grid = []
    for strip in strips:
        row: list[Cell] = []
        for segment in strip:
            style = segment.style or Style.null()
            colour, background = _rich(style.color, theme, "foreground"), _rich(style.bgcolor, theme, "background")
            if style.reverse:
                colour, background = background, colour
            if style.dim:
                colour = _mixed(colour, background)
            how = (colour, background, bool(style.bold), bool(style.italic), bool(style.underline))
            for char in segment.text:
                row.append(Cell(char, *how))
                row += [Cell("", *how)] * (cell_len(char) - 1)
        grid.append(row)
    return grid


def from_emulator(screen: Any, theme: Theme) -> Grid:
    """What stands on a pyte screen, down to the last row in use; the terminal has the theme's own background."""
    grid: Grid = []
    for number in range(screen.lines):
        row: list[Cell] = []
        for column in range(screen.columns):
            char = screen.buffer[number][column]
            colour, background = _named(char.fg, theme, "foreground"), _named(char.bg, theme, "background")
            if char.reverse:
                colour, background = background, colour
            row.append(Cell(char.data, colour, background, char.bold, char.italics, char.underscore))
        grid.append(row)
    while not any(cell.text.strip() for cell in grid[-1]):
        grid.pop()
    return grid


def _rich(colour: Any, theme: Theme, role: str) -> str:
    return theme.colours[role] if colour is None or colour.is_default else colour.get_truecolor().hex


def _named(colour: str, theme: Theme, role: str) -> str:
    if colour == "default":
        return theme.colours[role]
    assert len(colour) == 6, f"{colour}: the pictures are made with all colours"
    return f"#{colour}"


def _mixed(colour: str, background: str) -> str:
    pairs = ((int(colour[at : at + 2], 16), int(background[at : at + 2], 16)) for at in (1, 3, 5))
    return "#" + "".join(f"{(2 * front + back) // 3:02x}" for front, back in pairs)
