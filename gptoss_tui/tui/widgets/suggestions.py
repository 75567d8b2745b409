"""What the prompt may become, over it: slash commands and paths that fit, and the files that it names with their size.

What commands there are is `chat.commands`' business.
"""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content
from textual.widgets import Static

from gptoss_tui.chat import format
from gptoss_tui.chat.attach import FileSize
from gptoss_tui.chat.commands import COMMANDS, complete
from gptoss_tui.visible import visible_token

_SHOWN = 8


class Suggestions(Static):
    """Hidden where there is nothing to say about the prompt."""

    ALLOW_SELECT = False

    def __init__(self) -> None:
        super().__init__(id="suggestions")
        self.display = False
        self._rows: list[tuple[str, str]] = []
        self._files: list[tuple[str, str]] = []
        """(name, size) of what goes along."""

    def offer(self, text: str) -> None:
        """Shows what the text could become."""
        self._rows = (_commands(text) if text.startswith("/") and "\n" not in text else _paths(text))[:_SHOWN]
        self._draw()

    def show_files(self, files: Sequence[FileSize]) -> None:
        """Shows what goes along with the prompt, and what cannot."""
        self._files = [(f" @{file.name}", file.fault or format.tokens(file.tokens)) for file in files]
        self._draw()

    def _draw(self) -> None:
        rows = [*self._rows, *self._files]
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
