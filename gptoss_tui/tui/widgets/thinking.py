"""A block of thinking, or of a call: one line while it is closed, the whole text while it is open."""

from __future__ import annotations

import math
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from gptoss_tui.chat import format
from gptoss_tui.keys.table import THINKING
from gptoss_tui.tui.actions import bindings
from gptoss_tui.tui.widgets.grows import Grows
from gptoss_tui.visible import Visible


class Thinking(Grows, Vertical, can_focus=True):
    """Text that is written before the answer: one line while closed, the whole text while open."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(THINKING)]

    def __init__(self, label: str) -> None:
        super().__init__()
        self._label = label
        self._raw: list[str] = []
        self._shown: list[str] = []
        self._sanitiser = Visible()
        self.opened = False
        self.tokens = 0
        self.elapsed_s = 0.0
        self._head = Static(classes="thinking--head")
        self._body = Static(classes="thinking--body")

    def compose(self) -> ComposeResult:
        """A line, and the text under it."""
        yield self._head
        self._body.display = False
        yield self._body

    @property
    def text(self) -> str:
        """What the model wrote, as it wrote it."""
        return "".join(self._raw)

    def write(self, text: str, tokens: int, elapsed_s: float) -> None:
        """More of the text; `tokens` and `elapsed_s` are what this block took so far."""
        self._raw.append(text)
        self._shown.append(self._sanitiser.feed(text))
        self.tokens, self.elapsed_s = tokens, elapsed_s
        self.refresh_text()

    def refresh_text(self) -> None:
        """Draws the line, and the text where it is open."""
        sign = "▾" if self.opened else "▸"
        took = f"{self.tokens:,} {'token' if self.tokens == 1 else 'tokens'}"
        if not math.isnan(self.elapsed_s):
            took += f" · {format.seconds(self.elapsed_s)}"
        self._head.update(Content.assemble((f"{sign} {self._label}", "$secondary"), (f" · {took}", "$muted")))
        if self.opened:
            self._body.update(Content("".join(self._shown).strip("\n") or "…"))

    def action_fold(self) -> None:
        """Opens or closes the block."""
        self.opened = not self.opened
        self._body.display = self.opened
        self.refresh_text()

    def action_copy(self) -> None:
        """Copies the text as it was written."""
        self.app.copy_to_clipboard(self.text)
        self.app.notify(f"{self._label} copied.")

    def on_click(self, event: events.Click) -> None:
        """A click on the line opens or closes the block."""
        if event.widget is self._head:
            self.action_fold()
