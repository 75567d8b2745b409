"""Searches the prompts of before; gives back the chosen one, to be edited or sent."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from gptoss_tui.chat.history import PromptHistory
from gptoss_tui.keys import Keymap
from gptoss_tui.keys.table import HISTORY
from gptoss_tui.tui.actions import bindings
from gptoss_tui.visible import visible_token

_SHOWN = 200


class HistoryScreen(ModalScreen[str | None]):
    """A line to type in, and the prompts that hold those words, newest first."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(HISTORY)]

    def __init__(self, history: PromptHistory, keymap: Keymap) -> None:
        super().__init__()
        self._keymap = keymap
        self._history = history
        self._found: list[str] = []

    def compose(self) -> ComposeResult:
        """Input above, list below."""
        with Vertical(id="history"):
            yield Input(placeholder="Words of an earlier prompt", id="history-words")
            yield OptionList(id="history-found")

    def on_mount(self) -> None:
        """Every prompt, until words are typed."""
        self.query_one("#history").border_title = "Earlier prompts"
        self.query_one("#history").border_subtitle = f"enter takes it · {self._keymap.first('history.back')} back"
        self._search("")

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        self._search(event.value)

    def _search(self, words: str) -> None:
        self._found = self._history.search(words)[:_SHOWN]
        found = self.query_one(OptionList)
        found.clear_options()
        found.add_options([Option(Content(visible_token(prompt, 200))) for prompt in self._found])
        found.highlighted = 0 if self._found else None

    @on(Input.Submitted)
    def _take_highlighted(self) -> None:
        at = self.query_one(OptionList).highlighted
        self.dismiss(self._found[at] if at is not None else None)

    @on(OptionList.OptionSelected)
    def _take(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self._found[event.option_index])

    def action_move(self, by: int) -> None:
        """Moves through the list while the words keep the focus."""
        found = self.query_one(OptionList)
        if self._found:
            found.highlighted = max(0, min(len(self._found) - 1, (found.highlighted or 0) + by))

    def action_leave(self) -> None:
        """Takes none."""
        self.dismiss(None)
