"""Help: what the figures of one pane mean, or of all, and the keys as they are bound now."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from gptoss_tui.tui.actions import GROUPS, Action
from gptoss_tui.tui.helptext import FIGURES


class HelpScreen(ModalScreen[None]):
    """A sheet over the screen; everything but scrolling closes it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,enter,ctrl+c", "dismiss", "close", tooltip="Close the help.", id="help.close"),
        Binding("question_mark", "all", "everything", tooltip="All panes and all keys.", id="help.all"),
    ]

    def __init__(self, topic: str = "") -> None:
        super().__init__()
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
        sheet.border_title = FIGURES[self._topic][0] if self._topic else "Help"
        sheet.border_subtitle = "? everything · esc close" if self._topic else "↑↓ scroll · esc close"

    def _text(self) -> Content:
        topics = [self._topic] if self._topic else list(FIGURES)
        parts: list[tuple[str, str] | str] = []
        for topic in topics:
            title, figures = FIGURES[topic]
            if not self._topic:
                parts.append((f"{title}\n", "$accent bold"))
            for name, meaning in figures:
                parts += [(f"{name}\n", "$foreground bold"), (f"{meaning}\n\n", "$foreground")]
        groups = GROUPS if not self._topic else {}
        for title, actions in groups.items():
            parts.append((f"{title}\n", "$accent bold"))
            for action in actions:
                parts += [(f"{self._keys(action):<20} ", "$accent"), (f"{action.help}\n", "$foreground")]
            parts.append("\n")
        if not self._topic:
            parts.append(("Everything is in the command palette too (ctrl+p), and works by mouse.", "$muted"))
        return Content.assemble(*parts)

    def _keys(self, action: Action) -> str:
        """The keys as they are bound now: a keymap may have changed them."""
        binding = action.binding()
        # Textual keeps the keymap to itself; there is no other way to ask what a binding out of focus is bound to.
        keys = self.app._keymap.get(action.id, action.keys)
        return " ".join(self.app.get_key_display(binding.with_key(key.strip())) for key in keys.split(","))

    def action_all(self) -> None:
        """From one pane's help to all of it."""
        if not self._topic:
            self.dismiss()
            return
        self._topic = ""
        self.query_one("#help-text", Static).update(self._text())
        self._name_sheet()
