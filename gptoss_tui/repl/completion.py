"""Completion of slash commands and their arguments, from the registry, and of @files. Knows no terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document

from gptoss_tui.chat.attach import complete_path
from gptoss_tui.chat.choices import Choice
from gptoss_tui.chat.commands import Command, complete
from gptoss_tui.chat.session import Session
from gptoss_tui.visible import visible_token


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
            for choice in complete_path(text):
                # A name with spaces gets quotes, so that what stays may be less than what was typed.
                kept = max(
                    at + 1 for at, char in enumerate(text) if char in "@/" and choice.value[: at + 1] == text[: at + 1]
                )
                yield _completion(choice, kept, text)
            return
        if document.text_after_cursor or "\n" in text:
            return
        # What stays is what all of them begin with, word by word: a path or a title may hold spaces.
        kept = text.rfind(" ") + 1
        for choice in complete(text, self._own, self._session()):
            if choice.value != text and choice.value[:kept].lower() == text[:kept].lower():
                yield _completion(choice, kept, text)


def _completion(choice: Choice, kept: int, text: str) -> Completion:
    """The choice in place of all of `text` but so many characters."""
    word = choice.value[kept:]
    return Completion(
        word,
        start_position=kept - len(text),
        display=visible_token(word, 60),
        display_meta=visible_token(choice.help, 60),
    )
