"""The prompt: several lines, history at its edges, Enter sends, pasted line ends never do. Knows no session."""

from __future__ import annotations

import unicodedata
from typing import ClassVar

from textual import events
from textual.binding import BindingType
from textual.message import Message
from textual.timer import Timer
from textual.widgets import TextArea

from gptoss_tui.chat.attach import complete_path
from gptoss_tui.chat.history import PromptHistory
from gptoss_tui.keys.table import PROMPT
from gptoss_tui.tui.actions import bindings

PASTE_S = 0.002
"""Keys closer together than this were not typed: a terminal without bracketed paste sent them."""
SEND_AFTER_S = 0.02
"""How long Enter waits for such a key before it sends."""


def typed(text: str) -> str:
    """Pasted text as it may be edited: one kind of line end, no control characters."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(char for char in text if char in "\n\t" or unicodedata.category(char) not in ("Cc", "Cs"))


class Prompt(TextArea):
    """#prompt."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(PROMPT)]

    class Sent(Message):
        """The person sent a prompt or a command."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class SearchAsked(Message):
        """The person searches the history."""

    class HelpAsked(Message):
        """The person asked for help."""

    class Edited(Message):
        """The text changed; the first line decides whether commands are offered."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class CompleteAsked(Message):
        """The person wants the command completed."""

    class ScrollAsked(Message):
        """The person pages through the conversation from here."""

        def __init__(self, pages: int) -> None:
            super().__init__()
            self.pages = pages

    def __init__(self, history: PromptHistory) -> None:
        super().__init__(
            id="prompt",
            soft_wrap=True,
            show_line_numbers=False,
            compact=True,
            highlight_cursor_line=False,
            tab_behavior="focus",
            placeholder="Ask something",
        )
        self.cursor_blink = False
        self.prompts = history
        self.remembers = True
        """False while it holds what is no prompt."""
        self._sending: Timer | None = None
        self._enter_at = 0.0
        self._key_at = 0.0

    def fill(self, text: str) -> None:
        """Puts a text into the prompt, the cursor at its end."""
        self.load_text(text)
        self.move_cursor(self.document.end)

    async def _on_key(self, event: events.Key) -> None:
        # Textual runs priority bindings before the characters that were typed ahead of them, and the others, backspace
        # among them, after those that were typed behind them.
        if self._sending is not None:
            if event.time - self._enter_at < PASTE_S:
                # What came with the next character was part of a paste: it breaks the line.
                self._sending.stop()
                self._sending = None
                self.insert("\n")
            else:
                self._send()
        active = self.screen.active_bindings.get(event.key)
        if active is None or active.node is not self:
            return
        event.stop()
        event.prevent_default()
        self._key_at = event.time
        await self.run_action(active.binding.action)

    def action_send(self) -> None:
        """Sends, unless this Enter turns out to be part of a paste."""
        self._enter_at = self._key_at
        self._sending = self.set_timer(SEND_AFTER_S, self._send)

    def _send(self) -> None:
        if self._sending is not None:
            self._sending.stop()
            self._sending = None
        text = self.text.strip("\n")
        if not text.strip():
            return
        if self.remembers:
            self.prompts.add(text)
        self.load_text("")
        self.post_message(self.Sent(text))

    def action_newline(self) -> None:
        """Breaks the line."""
        self.insert("\n")
        self.scroll_cursor_visible()

    def action_help_or_type(self) -> None:
        """A question mark begins no question: on an empty prompt it asks for help."""
        if self.text:
            self.insert("?")
        else:
            self.post_message(self.HelpAsked())

    def action_search(self) -> None:
        """Searches the history."""
        self.post_message(self.SearchAsked())

    def action_complete(self) -> None:
        """Completes a command or a path, or goes on to the next pane."""
        if self.text.startswith("/") or complete_path(self.text):
            self.post_message(self.CompleteAsked())
        else:
            self.screen.focus_next()

    def action_cursor_up(self, select: bool = False) -> None:
        """One line up; from the first line on, into the history."""
        if not select and self.navigator.is_first_wrapped_line(self.cursor_location):
            if (prompt := self.prompts.older(self.text)) is not None:
                self.fill(prompt)
                self.move_cursor((0, 0))
            return
        super().action_cursor_up(select)

    def action_cursor_down(self, select: bool = False) -> None:
        """One line down; from the last line on, back through the history."""
        if not select and self.navigator.is_last_wrapped_line(self.cursor_location):
            if (prompt := self.prompts.newer()) is not None:
                self.fill(prompt)
            return
        super().action_cursor_down(select)

    def action_cursor_page_up(self) -> None:
        """Pages the conversation: the prompt itself is a few lines."""
        self.post_message(self.ScrollAsked(-1))

    def action_cursor_page_down(self) -> None:
        """Pages the conversation."""
        self.post_message(self.ScrollAsked(1))

    def on_text_area_changed(self, event: TextArea.Changed) -> None:
        """Tells what is typed, for suggestions."""
        event.stop()
        self.post_message(self.Edited(self.text))

    async def _on_paste(self, event: events.Paste) -> None:
        # Textual calls the base class's handler after this one, with the same event.
        event.text = typed(event.text)
