"""A line from the program: how an answer ended, what went wrong, what can be done; the ways on can be clicked."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content
from textual.style import Style
from textual.widgets import Static

from gptoss_tui.tui.widgets.heading import Acted, Way
from gptoss_tui.visible import visible

_SHORT = 34


class Note(Static):
    """Text, and behind it the ways on."""

    def __init__(self, text: str, *, kind: str = "info", ways: Sequence[Way] = ()) -> None:
        parts: list[tuple[str, Style | str] | str] = [visible(text)]
        shown = [f"{key} {title}".lstrip() for _, title, key in ways]
        # Where all of it makes one line in any window, it is one.
        between = "   " if len("   ".join((text, *shown))) <= _SHORT else "\n"
        for (name, _, _), label in zip(ways, shown, strict=True):
            parts += [between, (label, Style.from_meta({"@click": f"act({name!r})"}))]
            between = "   "
        super().__init__(Content.assemble(*parts), classes=f"-{kind}")

    def action_act(self, name: str) -> None:
        """Goes one of the ways."""
        self.post_message(Acted(self, name))
