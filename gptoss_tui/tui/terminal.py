"""What Textual reads from the terminal, mended in three points.

Without the kitty keyboard protocol a terminal sends Escape before a key pressed with alt. Textual then takes alt+enter
for enter, alt+1 for ¡, and waits a tenth of a second for the others. It takes a terminal's answers for
typing. And an escape character inside a paste lets it take what follows for keys: a pasted text could send itself.
"""

from __future__ import annotations

from collections.abc import Iterable

from textual import events
from textual._xterm_parser import BRACKETED_PASTE_END, BRACKETED_PASTE_START, XTermParser
from textual.drivers import linux_driver
from textual.keys import _character_to_key
from textual.message import Message

from gptoss_tui.colours import Answers

# These begin longer sequences.
_INTRODUCERS = "[O]P_^X"


class BackgroundTold(Message):
    """The terminal has told its background's colour."""

    def __init__(self, light: bool) -> None:
        super().__init__()
        self.light = light


class TerminalParser(XTermParser):
    """Keys, mouse and answers from what a terminal sends."""

    answers = Answers(expected=False)
    """Picks answers out; replaced where a question was asked."""

    def __init__(self, debug: bool = False) -> None:
        super().__init__(debug)
        self._pasting = False
        self._begun = ""
        """What may be the beginning of a paste's end."""

    def feed(self, data: str) -> Iterable[Message]:
        """Messages for what was sent; an empty text ends it."""
        typed, light = self.answers.take(data) if data else ("", None)
        if light is not None:
            yield BackgroundTold(light)
        typed = self._safe_to_paste(typed)
        if typed or not data:
            yield from super().feed(typed)

    def _safe_to_paste(self, typed: str) -> str:
        """The same without escape characters inside a paste."""
        typed, self._begun = self._begun + typed, ""
        safe = ""
        while typed:
            marker = BRACKETED_PASTE_END if self._pasting else BRACKETED_PASTE_START
            part, found, typed = typed.partition(marker)
            if self._pasting:
                if not found and (cut := _begins_at(part, marker)) is not None:
                    part, self._begun = part[:cut], part[cut:]
                part = part.replace("\x1b", "")
            if found:
                self._pasting = not self._pasting
            safe += part + found
        return safe

    def tick(self) -> Iterable[Message]:
        """Messages for what has waited long enough for more to come."""
        if typed := self.answers.released():
            yield from super().feed(typed)
        yield from super().tick()

    def _sequence_to_key_events(self, sequence: str, alt: bool = False) -> Iterable[events.Key]:
        name = _with_alt(sequence[1]) if len(sequence) == 2 and sequence[0] == "\x1b" else ""
        if name:
            yield events.Key(name, None)
        else:
            yield from super()._sequence_to_key_events(sequence, alt)


def _begins_at(text: str, marker: str) -> int | None:
    """Where a beginning of the marker stands at the end of the text."""
    lengths = range(min(len(text), len(marker) - 1), 0, -1)
    return next((len(text) - length for length in lengths if text.endswith(marker[:length])), None)


def _with_alt(char: str) -> str:
    """The key that a terminal means by Escape and this character; empty where Textual knows it better."""
    if char in "\r\n":
        return "alt+enter"
    if char == "\x7f":
        return "alt+backspace"
    if char in _INTRODUCERS or not char.isprintable():
        return ""
    key = _character_to_key(char)
    return f"alt+shift+{key.lower()}" if len(key) == 1 and key.isupper() else f"alt+{key}"


def install(*, asked: bool) -> None:
    """Lets Textual's driver read through `TerminalParser`; `asked`: an answer is under way."""
    TerminalParser.answers = Answers(expected=asked)
    # The driver offers no other place for it.
    vars(linux_driver)["XTermParser"] = TerminalParser
