"""Searches the prompts of before; gives back the chosen one, to be edited or sent."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import BindingType
from textual.content import Content

from gptoss_tui.chat.history import PromptHistory
from gptoss_tui.keys import Keymap
from gptoss_tui.keys.table import HISTORY
from gptoss_tui.tui.actions import bindings
from gptoss_tui.tui.screens.listing import ListScreen
from gptoss_tui.visible import visible_token


class HistoryScreen(ListScreen[str, str]):
    """The prompts that hold the words, newest first."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(HISTORY)]
    SHEET = "history"
    PLACEHOLDER = "Words of an earlier prompt"

    def __init__(self, history: PromptHistory, keymap: Keymap) -> None:
        super().__init__()
        self._keymap = keymap
        self._history = history

    def on_mount(self) -> None:
        """Every prompt, until words are typed."""
        self.name_sheet("Earlier prompts", f"enter takes it · {self._keymap.first('history.back')} back")
        self.say(head="", foot="")
        self.typed("")

    def typed(self, words: str) -> None:
        """Searches."""
        self.show_items(self._history.search(words))

    def line(self, item: str) -> Content:
        """The beginning of a prompt."""
        return Content(visible_token(item, 200))

    def chosen(self, item: str) -> None:
        """Gives it back."""
        self.dismiss(item)
