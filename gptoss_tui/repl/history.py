"""The prompts of before, as prompt_toolkit asks for them. What is remembered, and where, is `chat.history`'s."""

from __future__ import annotations

from collections.abc import Iterable

from prompt_toolkit.history import History

from gptoss_tui.chat.history import PromptHistory


class SharedHistory(History):
    """The same prompts as in the other front end."""

    def __init__(self, prompts: PromptHistory) -> None:
        super().__init__()
        self._prompts = prompts

    def load_history_strings(self) -> Iterable[str]:
        """Newest first."""
        return reversed(self._prompts.prompts)

    def store_string(self, string: str) -> None:
        """Remembers one more."""
        self._prompts.add(string)
