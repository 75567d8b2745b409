"""What the prompt may become, over it: slash commands and paths that fit, and the files that it names with their size.

What commands there are is `chat.commands`' business.
"""

from __future__ import annotations

from collections.abc import Callable

from textual.content import Content
from textual.widgets import Static

from gptoss_tui.chat.attach import Measure, mentioned, sizes
from gptoss_tui.chat.commands import COMMANDS, complete
from gptoss_tui.visible import visible_token

_SHOWN = 8


class Suggestions(Static):
    """Hidden where there is nothing to say about the prompt."""

    ALLOW_SELECT = False

    def __init__(self, measure: Callable[[], Measure | None]) -> None:
        """`measure` tells how long a text is; None while no model is loaded."""
        super().__init__(id="suggestions")
        self.display = False
        self._measure = measure
        self._files: tuple[list[str], list[tuple[str, str]]] = ([], [])
        """Names, and what was said of them: they are read again when others are named."""

    def offer(self, text: str) -> None:
        """Shows what the text could become, and what it would attach."""
        rows = _commands(text) if text.startswith("/") and "\n" not in text else _paths(text)
        rows = [*rows[:_SHOWN], *(self._attached(text) if "@" in text else [])]
        self.display = bool(rows)
        if rows:
            wide = max(len(visible_token(left, 100)) for left, _ in rows)
            self.update(Content("\n").join(_line(left, right, wide) for left, right in rows))

    def completed(self, text: str) -> str | None:
        """The text with its last word completed as far as it is certain; None where nothing fits."""
        found = [choice.value for choice in complete(text)]
        if not found:
            return None
        sure = found[0]
        while not all(line.startswith(sure) for line in found):
            sure = sure[:-1]
        # A folder stays open: what lies in it comes next.
        return sure + (" " if len(found) == 1 and not sure.endswith("/") else "")

    def _attached(self, text: str) -> list[tuple[str, str]]:
        measure, names = self._measure(), mentioned(text)
        if measure is None or not names:
            return []
        if names != self._files[0]:
            self._files = (names, sizes(text, measure))
        return [(f" @{name}", size) for name, size in self._files[1]]


def _line(left: str, right: str, wide: int) -> Content:
    return Content.assemble((f"{visible_token(left, 100):<{wide}}  ", "$accent"), (visible_token(right, 100), "$muted"))


def _paths(text: str) -> list[tuple[str, str]]:
    return [(f" {choice.value.rpartition(' ')[2]}", choice.help) for choice in complete(text)]


def _commands(text: str) -> list[tuple[str, str]]:
    name, space, _ = text.partition(" ")
    word = name[1:].lower()
    if not space:
        return [(f" {each.usage}", each.help) for each in COMMANDS if each.name.startswith(word)]
    rows = [(f" {each.usage}", each.help) for each in COMMANDS if word in (each.name, *each.aliases)]
    return rows + [(f"   {choice.value[len(name) + 1 :]}", choice.help) for choice in complete(text)]
