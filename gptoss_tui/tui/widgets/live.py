"""Markdown while it is being written: one widget of lines, which repaints the lines that changed.

Textual's Markdown makes a widget of every part and lays all of them out anew for every line; this costs one layout for
every few lines. It takes the answer's place until the answer is whole.
"""

from __future__ import annotations

from itertools import zip_longest

from textual import events
from textual.containers import VerticalScroll
from textual.content import Content
from textual.geometry import Region, Size
from textual.strip import Strip
from textual.visual import Visual

from gptoss_tui.tui.diff import changed
from gptoss_tui.tui.markdown_lines import finished_until, lines, parted
from gptoss_tui.tui.widgets.grows import Grows

LONGEST_BLOCK = 4_000
"""Characters of a block that are drawn again with every few words: beyond that its beginning is drawn for good."""
STEP = (0.25, 8)
"""Share of the lines in sight by which the conversation moves up when the text has filled the room under it, and the
most lines."""
LOW_STEP = (0.67, 20)
"""The same where bandwidth is low: each time, all of the conversation in sight is sent anew."""
LOW_BANDWIDTH = "-low-bandwidth"
"""The screen's class that says so."""


class Live(Grows):
    """The answer so far. What is in finished blocks is drawn once."""

    ALLOW_SELECT = False

    def __init__(self) -> None:
        super().__init__()
        self._finished: list[tuple[str, bool]] = []
        """Blocks, and whether an empty line follows each."""
        self._unfinished = ""
        self._above: list[Strip] = []
        """The lines of the finished blocks."""
        self._below: list[Strip] = []
        """The lines of the block that is being written."""
        self._room = 0
        self._blank_strip: Strip | None = None
        self._width = 0
        """Columns that the lines were drawn for."""

    def write(self, text: str) -> None:
        """More of the answer, made visible already."""
        self._unfinished += text
        if until := finished_until(self._unfinished):
            self._finish(self._unfinished[:until], self._unfinished[until:], gap=True)
        block, rest = parted(self._unfinished, LONGEST_BLOCK)
        if block:
            self._finish(block, rest, gap=False)
        before, self._below = self._below, self._drawn(self._unfinished)
        self._repaint(before)

    def settle(self) -> None:
        """Nothing more will come: the room for it goes."""
        self._room = len(self._above) + len(self._below)
        self.refresh(layout=True)

    def _finish(self, block: str, rest: str, *, gap: bool) -> None:
        """Draws a block for good; `rest` is what follows it, behind an empty line or not."""
        self._finished.append((block, gap))
        self._unfinished = rest
        before, self._below = self._below, self._whole(block, gap)
        self._repaint(before)
        self._above += self._below
        self._below = []

    def _whole(self, block: str, gap: bool) -> list[Strip]:
        return [*self._drawn(block), *([self._blank] if gap else [])]

    @property
    def _blank(self) -> Strip:
        if self._blank_strip is None or self._blank_strip.cell_length != self.size.width:
            self._blank_strip = Strip.blank(self.size.width, self.rich_style)
        return self._blank_strip

    def _drawn(self, source: str) -> list[Strip]:
        width = self.size.width
        if not width or not source.strip():
            return []
        drawn = lines(source, width)
        return Visual.to_strips(self, Content("\n").join(drawn), width, len(drawn), self.visual_style)

    def _repaint(self, before: list[Strip]) -> None:
        top = len(self._above)
        if top + len(self._below) > self._room:
            self._room = top + len(self._below) + self._step - 1
            self.refresh(layout=True)
            return
        for at, (old, new) in enumerate(zip_longest(before, self._below, fillvalue=self._blank)):
            for x, cells in changed(old, new):
                self.refresh(Region(x, top + at, cells, 1))

    @property
    def _step(self) -> int:
        around = next((each for each in self.ancestors if isinstance(each, VerticalScroll)), self.screen)
        share, most = LOW_STEP if self.screen.has_class(LOW_BANDWIDTH) else STEP
        return max(1, min(most, int(share * around.size.height)))

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """The lines there are, and the room for a few more."""
        return max(1, self._room)

    def render_line(self, y: int) -> Strip:
        """One line, as the compositor asks for it."""
        at = y - len(self._above)
        if at < 0:
            return self._above[y]
        return self._below[at] if at < len(self._below) else self._blank

    def _redraw(self) -> None:
        self._above = [strip for block, gap in self._finished for strip in self._whole(block, gap)]
        self._below = self._drawn(self._unfinished)
        self._room = 0
        self._repaint([])

    def on_resize(self, event: events.Resize) -> None:
        """Another width, other lines; another height is our own doing."""
        if event.size.width != self._width:
            self._width = event.size.width
            self._redraw()

    def notify_style_update(self) -> None:
        """Another theme, other colours."""
        super().notify_style_update()
        self._blank_strip = None
        self.call_later(self._redraw)
