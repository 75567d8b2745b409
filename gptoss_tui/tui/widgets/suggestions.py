"""The slash commands that fit what is typed, over the prompt. What commands there are is `chat.commands`' business."""

from __future__ import annotations

from textual.content import Content
from textual.widgets import Static

from gptoss_tui.chat.commands import COMMANDS, complete
from gptoss_tui.visible import visible_token

_SHOWN = 8


class Suggestions(Static):
    """Hidden unless the prompt begins with a slash."""

    ALLOW_SELECT = False

    def __init__(self) -> None:
        super().__init__(id="suggestions")
        self.display = False

    def offer(self, text: str) -> None:
        """Shows what the text could become."""
        lines = _lines(text) if text.startswith("/") and "\n" not in text else []
        self.display = bool(lines)
        if lines:
            self.update(Content("\n").join(lines[:_SHOWN]))

    def completed(self, text: str) -> str | None:
        """The text with its last word completed as far as it is certain; None where nothing fits."""
        found = [choice.value for choice in complete(text)]
        if not found:
            return None
        sure = found[0]
        while not all(line.startswith(sure) for line in found):
            sure = sure[:-1]
        return sure + (" " if len(found) == 1 else "")


def _lines(text: str) -> list[Content]:
    name, space, _ = text.partition(" ")
    word = name[1:].lower()
    if space:
        fitting = [each for each in COMMANDS if word in (each.name, *each.aliases)]
    else:
        fitting = [each for each in COMMANDS if each.name.startswith(word)]
    rows = [(f" {each.usage}", each.help) for each in fitting[:_SHOWN]]
    if space:
        rows += [(f"   {visible_token(choice.value[len(name) + 1 :], 100)}", choice.help) for choice in complete(text)]
    wide = max((len(left) for left, _ in rows), default=0)
    return [
        Content.assemble((f"{left:<{wide}}  ", "$accent"), (visible_token(help, 100), "$muted")) for left, help in rows
    ]
