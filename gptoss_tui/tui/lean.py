"""Sends only the cells that changed: half of this program's sessions are on the far side of an SSH link.

Textual repaints a widget's lines whole, and from their left edge, whatever changed in them. This keeps what was sent
last and compares. It is the one place that leans on Textual's insides; without it more bytes are sent, that is all.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

from rich.console import Console
from rich.control import Control
from rich.style import Style
from textual._compositor import ChopsUpdate, Compositor, LayoutUpdate, ReflowResult
from textual.geometry import Size
from textual.widget import Widget

from gptoss_tui.tui.pen import Pen

_Cell = tuple[str, Style | None]
_Row = list[_Cell | None]

GAP = 6
"""Cells that are sent although they did not change, since moving the cursor over them is no shorter."""


class LeanCompositor(Compositor):
    """Textual's compositor, with a memory of what the terminal shows."""

    def __init__(self, behind: Callable[[], bool]) -> None:
        """`behind` tells whether the terminal has yet to take what was sent: then nothing more is."""
        super().__init__()
        self._shown: list[_Row] = []
        self._behind = behind
        self.held = False
        """True where something was not sent for that reason: it is to be asked for again."""

    def forget(self) -> None:
        """Somebody else has drawn: nothing is known of what the terminal shows."""
        self._shown = []

    def reflow(self, parent: Widget, size: Size) -> ReflowResult:
        """A terminal of another size has rearranged its lines itself."""
        if size != self.size:
            self.forget()
        return super().reflow(parent, size)

    def render_full_update(self, simplify: bool = False) -> LayoutUpdate:
        """Everything is sent, unseen."""
        self.forget()
        return super().render_full_update(simplify)

    def render_partial_update(self) -> ChopsUpdate | None:
        """What changed, of what is to be repainted."""
        self.held = self._behind()
        if self.held:
            return None
        update = super().render_partial_update()
        if update is None:
            return None
        if not self._shown:
            self._shown = [[None] * self.size.width for _ in range(self.size.height)]
        return _LeanUpdate(update, self._shown)


class _LeanUpdate(ChopsUpdate):
    """The spans of a partial update, compared with what is shown when they are written."""

    def __init__(self, update: ChopsUpdate, shown: list[_Row]) -> None:
        super().__init__(update.chops, update.spans, update.chop_ends)
        self._shown = shown

    def render_segments(self, console: Console) -> str:
        """The escape sequences for the cells that differ; remembers them as shown."""
        pen = Pen(console._color_system)
        written: list[str] = []
        for y, left, right in self.spans:
            if y < len(self._shown):
                written += self._line(pen, y, left, right)
        return "".join([*written, pen.plain()])

    def _line(self, pen: Pen, y: int, left: int, right: int) -> Iterator[str]:
        row = self._shown[y]
        for end, (x, strip) in zip(self.chop_ends[y], self.chops[y].items(), strict=False):
            if strip is None or x >= right or end <= left:
                continue
            start, stop = max(x, left), min(end, right, len(row))
            piece = strip.crop(start - x, stop - x)
            if not all(segment.text.isascii() or _narrow(segment.text) for segment in piece):
                # Terminals disagree on how wide some characters are: such a line is sent whole and not trusted.
                row[start:stop] = [None] * (stop - start)
                yield Control.move_to(start, y).segment.text
                yield from (pen.to(segment.style) + segment.text for segment in piece)
                continue
            cells: list[_Cell] = [
                (char, _ground(segment.style) if char == " " else segment.style)
                for segment in piece
                for char in segment.text
            ]
            for first, last in _differing(row[start : start + len(cells)], cells):
                yield Control.move_to(start + first, y).segment.text
                yield from (pen.to(style) + char for char, style in cells[first:last])
            row[start : start + len(cells)] = cells


@lru_cache(4096)
def _ground(style: Style | None) -> Style | None:
    """The style of a blank as it is seen: its colour is not, unless something is drawn on it."""
    if style is None or style.underline or style.reverse or style.strike or style.overline:
        return style
    return Style(bgcolor=style.bgcolor)


_NARROW = re.compile("[\u0020-\u007e\u00a1-\u00ac\u00ae-\u02ff\u2010-\u2027\u2190-\u21ff\u2500-\u25fc]*")


def _narrow(text: str) -> bool:
    """True where every character is surely one cell wide: Latin, and what this program draws with."""
    return _NARROW.fullmatch(text) is not None


def _differing(shown: list[Any], cells: list[_Cell]) -> Iterator[tuple[int, int]]:
    """(first, last + 1) of every stretch to be sent."""
    first = last = -1
    for at, (old, new) in enumerate(zip(shown, cells, strict=True)):
        if old == new:
            continue
        if first >= 0 and at - last > GAP:
            yield first, last + 1
            first = at
        if first < 0:
            first = at
        last = at
    if first >= 0:
        yield first, last + 1
