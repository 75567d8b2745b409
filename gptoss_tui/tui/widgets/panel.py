"""`Panel`: a bordered, focusable pane made of lines, which repaints only the lines that changed.

The base of the four instruments. It knows no figures: a subclass turns a `Snapshot` into lines.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import BindingType
from textual.content import Content
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.timer import Timer

from gptoss_tui.keys.table import PANE
from gptoss_tui.tui.actions import bindings
from gptoss_tui.tui.diff import changed
from gptoss_tui.tui.snapshot import Snapshot

TITLE_S = 1.0
"""Seconds between two changes of the figures in a title while an answer is being written."""

Part = tuple[str, str]
"""Text, and the name of its style: a component class of `Panel` without `panel--`, or empty for plain text."""

TABS: tuple[tuple[str, str], ...] = (
    ("layers", "Layers"),
    ("kv", "KV"),
    ("tokens", "Tokens"),
    ("sampling", "Sampling"),
)
"""(widget id, name) of every pane, for where one is shown at a time."""

STYLES = (
    "accent",
    "error",
    "full",
    "history",
    "label",
    "muted",
    "selected",
    "sliding",
    "special",
    "surprise-0",
    "surprise-1",
    "surprise-2",
    "surprise-3",
    "surprise-4",
    "track",
    "value",
    "warning",
)


class Panel(ScrollView, can_focus=True):
    """One instrument. `show` gives it a new snapshot; `build` makes the lines."""

    ALLOW_SELECT = False
    BINDINGS: ClassVar[list[BindingType]] = [*bindings(PANE)]
    COMPONENT_CLASSES: ClassVar[set[str]] = {f"panel--{name}" for name in STYLES}
    TITLE: ClassVar[str] = ""

    class HelpAsked(Message):
        """The person wants the figures of this pane explained."""

        def __init__(self, topic: str) -> None:
            super().__init__()
            self.topic = topic

    class TabChosen(Message):
        """The name of another pane was clicked."""

        def __init__(self, pane: str) -> None:
            super().__init__()
            self.pane = pane

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.snapshot = Snapshot()
        self._strips: list[Strip] = []
        self._title: tuple[Part, ...] = ()
        self._titled_at = 0.0
        self._title_timer: Timer | None = None
        self._tabbed = False
        self._ground = Style()
        """The pane's own colours: Textual works them out anew whenever it is asked."""

    def show(self, snapshot: Snapshot) -> None:
        """Draws a new picture; costs nothing while the pane is hidden."""
        self.snapshot = snapshot
        self.redraw()

    def build(self, width: int, height: int) -> list[list[Part]]:
        """The pane's lines for this many cells; more than `height` lines scroll."""
        raise NotImplementedError

    def title_parts(self) -> list[Part]:
        """What follows the pane's name in its border."""
        return []

    def set_tabbed(self, tabbed: bool) -> None:
        """Where one pane is shown at a time, its border names the others too."""
        if tabbed != self._tabbed:
            self._tabbed = tabbed
            self.redraw()

    def redraw(self) -> None:
        """Builds the lines anew and repaints those that changed."""
        size = self.scrollable_content_region.size
        if not self.is_attached or not self.display or not size.width or not size.height:
            return
        self._draw_title(size.width)
        strips = [self._strip(parts, size.width) for parts in self.build(size.width, size.height)]
        before, self._strips = self._strips, strips
        if len(before) != len(strips) or self.virtual_size.width != size.width:
            self.virtual_size = Size(size.width, len(strips))
            self.refresh()
            return
        for y, (old, new) in enumerate(zip(before, strips, strict=True)):
            for x, cells in changed(old, new):
                self.refresh(Region(x, y - self.scroll_offset.y, cells, 1))

    def _draw_title(self, width: int) -> None:
        shown: list[Part] = self._tabs() if self._tabbed else [(self.TITLE, "")]
        # The names must stay; figures that do not fit are left out from the end.
        room = width - 4 - sum(cell_len(text) for text, _ in shown)
        for part in self.title_parts():
            room -= cell_len(part[0])
            if room < 0:
                break
            shown.append(part)
        now = time.monotonic()
        hasty = self.snapshot.phase == "writing" and now - self._titled_at < TITLE_S
        if (title := tuple(shown)) == self._title:
            return
        if hasty and len(title) == len(self._title):
            if self._title_timer is None:
                self._title_timer = self.set_timer(TITLE_S, self._draw_title_late)
        else:
            # Textual repaints the whole pane for a title.
            self._title, self._titled_at = title, now
            spans = [(text, f"${style}" if style else "") for text, style in title]
            self.border_title = Content.assemble(*spans).markup

    def _draw_title_late(self) -> None:
        self._title_timer = None
        self.redraw()

    def _tabs(self) -> list[Part]:
        parts: list[Part] = []
        for pane, name in TABS:
            parts += [(f" {name} ", "accent bold on $selection" if pane == self.id else "muted"), (" ", "")]
        return parts[:-1]

    def on_click(self, event: events.Click) -> None:
        """A click on another pane's name shows that one."""
        if not self._tabbed or event.y != 0:
            return
        # The border's corner, its line and a blank stand before the names.
        end = 3
        for pane, name in TABS:
            end += len(name) + 3
            if event.x < end:
                self.post_message(self.TabChosen(pane))
                return

    def _strip(self, parts: Iterable[Part], width: int) -> Strip:
        segments = [Segment(text, self.style_named(name)) for text, name in parts if text]
        return Strip(segments).adjust_cell_length(width).apply_style(self._ground)

    def style_named(self, name: str) -> Style | None:
        """The style of a part."""
        return self.get_component_rich_style(f"panel--{name}", partial=True) if name else None

    def render_line(self, y: int) -> Strip:
        """One line of the pane, as the compositor asks for it."""
        line = y + self.scroll_offset.y
        width = self.scrollable_content_region.width
        if line < len(self._strips):
            return self._strips[line].adjust_cell_length(width, self._ground)
        return Strip.blank(width, self._ground)

    def on_resize(self, _event: events.Resize) -> None:
        """Another size, other lines."""
        self.redraw()

    def on_show(self, _event: events.Show) -> None:
        """What changed while the pane was hidden is drawn now."""
        self.redraw()

    def notify_style_update(self) -> None:
        """Another theme: every line has other colours."""
        super().notify_style_update()
        self._strips = []
        self._ground = self.rich_style
        self.call_later(self.redraw)

    def action_pane_help(self) -> None:
        """Asks for this pane's help."""
        self.post_message(self.HelpAsked(self.id or ""))
