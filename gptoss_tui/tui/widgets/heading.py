"""The line over a message: whose it is, which of several it is, and what can be done with it. Clickable."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from textual import events
from textual.content import Content
from textual.message import Message
from textual.widget import Widget

Way = tuple[str, str, str]
"""An action's name, its title, and its key for people; empty where none is to be shown."""


class Acted(Message):
    """The person wants something done with a turn. `by` is the widget in it that was clicked."""

    def __init__(self, by: Widget, name: str) -> None:
        super().__init__()
        self.by, self.name = by, name


class Heading(Widget):
    """One line. What does not fit is left out, whole, from the end."""

    ALLOW_SELECT = False

    def __init__(self, who: str, style: str, before: str, after: str) -> None:
        """`before` and `after` are the actions that show another branch."""
        super().__init__()
        self._who = (who, style)
        self._branch = (0, 0)
        self._turning = (before, after)
        self._said = ""
        self._ways: tuple[Way, ...] = ()
        self._spots: list[tuple[int, int, str]] = []
        """(first cell, cell behind, action) of what can be clicked."""

    def say(self, *, branch: tuple[int, int] | None = None, said: str | None = None) -> None:
        """`branch`: which one this is, of how many. `said`: what should be known, such as that it waits."""
        now = (self._branch if branch is None else branch, self._said if said is None else said)
        if now != (self._branch, self._said):
            self._branch, self._said = now
            self.refresh()

    def offer(self, ways: Sequence[Way]) -> None:
        """What can be done now; nothing where nobody looks."""
        if tuple(ways) != self._ways:
            self._ways = tuple(ways)
            self.refresh()

    def render(self) -> Content:
        """Name and branch at the left, actions at the right."""
        parts: list[tuple[str, str] | str] = [self._who]
        at = cell_len(self._who[0])
        self._spots = []
        if self._branch[1] > 1:
            parts += ["  ", ("‹", "$accent"), (f" {self._branch[0]}/{self._branch[1]} ", "$muted"), ("›", "$accent")]
            figures = len(f" {self._branch[0]}/{self._branch[1]} ")
            # A cell more on either side: a single one is hard to hit.
            self._spots += [(at + 1, at + 5, self._turning[0]), (at + 2 + figures, at + 5 + figures, self._turning[1])]
            at += 4 + figures
        if self._said:
            parts.append((f"  {self._said}", "$warning"))
            at += 2 + cell_len(self._said)
        return Content.assemble(*parts, *self._offered(at))

    def _offered(self, left: int) -> list[tuple[str, str] | str]:
        room = self.size.width - left - 2
        shown: list[tuple[Way, int]] = []
        for way in self._ways:
            cells = cell_len(way[1]) + (cell_len(way[2]) + 1 if way[2] else 0)
            if cells + (2 if shown else 0) > room:
                break
            room -= cells + (2 if shown else 0)
            shown.append((way, cells))
        if not shown:
            return []
        parts: list[tuple[str, str] | str] = [" " * (room + 2)]
        at = left + room + 2
        for place, ((name, title, key), cells) in enumerate(shown):
            if place:
                parts.append("  ")
                at += 2
            if key:
                parts += [(key, "$accent"), " "]
            parts.append((title, "$muted"))
            self._spots.append((at, at + cells, name))
            at += cells
        return parts

    def on_click(self, event: events.Click) -> None:
        """Does what was clicked."""
        for left, right, name in self._spots:
            if left <= event.x < right:
                event.stop()
                self.post_message(Acted(self, name))
                return
