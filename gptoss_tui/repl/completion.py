"""Completion of slash commands and their arguments, from the registry. Knows no terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document

from gptoss_tui.chat.commands import COMMANDS, Command, complete
from gptoss_tui.chat.controls import CONTROLS


class CommandCompleter(Completer):
    """Completes the first line where it begins with a slash."""

    def __init__(self, own: Sequence[Command]) -> None:
        self._own = tuple(own)
        self._help = {f"/{command.name}": command.help for command in (*COMMANDS, *self._own)}
        self._help |= {control.id: control.help for control in CONTROLS}

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        """What the last word may become."""
        text = document.text_before_cursor
        if document.text_after_cursor or "\n" in text:
            return
        begun = text.rpartition(" ")[2]
        for line in complete(text, self._own):
            word = line.rpartition(" ")[2]
            if line != text:
                yield Completion(word, start_position=-len(begun), display_meta=self._help.get(word, ""))
