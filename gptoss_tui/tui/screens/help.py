"""Help: what the figures of one pane mean, or of all, and the keys as they are bound now."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from gptoss_tui.keys import Keymap
from gptoss_tui.keys.table import HELP, ON_SCREEN
from gptoss_tui.tui.actions import bindings
from gptoss_tui.tui.helptext import FIGURES

_KEYS = 22
"""Cells for keys; the few that are longer move their sentence to the right."""


class HelpScreen(ModalScreen[None]):
    """A sheet over the screen; everything but scrolling closes it."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(HELP)]

    def __init__(self, keymap: Keymap, topic: str = "") -> None:
        super().__init__()
        self._keymap = keymap
        self._topic = topic if topic in FIGURES else ""

    def compose(self) -> ComposeResult:
        """The figures, then the keys."""
        with VerticalScroll(id="help"):
            yield Static(self._text(), id="help-text")

    def on_mount(self) -> None:
        """Named after what it explains."""
        self._name_sheet()
        self.query_one("#help").focus()

    def _name_sheet(self) -> None:
        sheet = self.query_one("#help")
        close, everything = self._keymap.first("help.close"), self._keymap.first("help.all")
        sheet.border_title = FIGURES[self._topic][0] if self._topic else "Help"
        more = f"{everything} everything" if self._topic else "↑↓ scroll"
        sheet.border_subtitle = f"{more} · {close} close"

    def _text(self) -> Content:
        topics = [self._topic] if self._topic else list(FIGURES)
        parts: list[tuple[str, str] | str] = []
        for topic in topics:
            title, figures = FIGURES[topic]
            if not self._topic:
                parts.append((f"{title}\n", "$accent bold"))
            for name, meaning in figures:
                parts += [(f"{name}\n", "$foreground bold"), (f"{meaning}\n\n", "$foreground")]
        groups = ON_SCREEN if not self._topic else {}
        for title, actions in groups.items():
            parts.append((f"{title}\n", "$accent bold"))
            for action in actions:
                parts += [
                    (f"{self._keymap.shown(action) or 'no key':<20} ", "$accent"),
                    (f"{action.help}\n", "$foreground"),
                ]
            parts.append("\n")
        if not self._topic:
            palette = self._keymap.first("app.palette")
            parts.append((f"Everything is in the command palette too ({palette}), and works by mouse.", "$muted"))
        return Content.assemble(*parts)

    def action_all(self) -> None:
        """From one pane's help to all of it."""
        if not self._topic:
            self.dismiss()
            return
        self._topic = ""
        self.query_one("#help-text", Static).update(self._text())
        self._name_sheet()
