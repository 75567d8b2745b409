"""Completion of slash commands and their arguments, from the registry, and of @files. Knows no terminal."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from pathlib import Path

from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document

from gptoss_tui.chat.commands import Command, complete
from gptoss_tui.chat.session import Session
from gptoss_tui.visible import visible_token

MOST_FILES = 10_000
"""Entries of a folder that are looked at."""


class PromptCompleter(Completer):
    """Completes the first line where it begins with a slash, and words that begin with @ wherever they stand."""

    def __init__(self, own: Sequence[Command], session: Callable[[], Session | None]) -> None:
        """`own` are the front end's own commands; `session` is asked for the conversation at each completion."""
        self._own = tuple(own)
        self._session = session

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        """What the last word may become."""
        text = document.text_before_cursor
        if not text.startswith("/"):
            yield from _files(text)
            return
        if document.text_after_cursor or "\n" in text:
            return
        # What stays is what all of them begin with, word by word: a path or a title may hold spaces.
        kept = text.rfind(" ") + 1
        for choice in complete(text, self._own, self._session()):
            if choice.value != text and choice.value[:kept].lower() == text[:kept].lower():
                word = choice.value[kept:]
                yield Completion(
                    word,
                    start_position=kept - len(text),
                    display=visible_token(word),
                    display_meta=visible_token(choice.help, 60),
                )


def _files(text: str) -> Iterable[Completion]:
    """Files and folders that the last word, an @ and a path begun, may become."""
    word = re.search(r"(?:^|\s)@(\S*)\Z", text)
    if word is None:
        return
    folder, _, begun = word[1].rpartition("/")
    place = Path(f"{folder}/" if folder or word[1].startswith("/") else ".").expanduser()
    try:
        with os.scandir(place) as entries:
            found = [(entry.name, entry.is_dir()) for entry in islice(entries, MOST_FILES)]
    except (OSError, ValueError):
        return
    for name, is_folder in sorted(found):
        hidden = name.startswith(".") and not begun.startswith(".")
        if name.startswith(begun) and not hidden and not re.search(r"\s", name):
            shown = visible_token(name, 60) + ("/" if is_folder else "")
            yield Completion(name + ("/" if is_folder else ""), start_position=-len(begun), display=shown)
