"""Lines for a person, on standard error, beside whatever standard output carries."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import TextIO

from gptoss_tui.visible import visible


def note(text: str, sign: str = "gptoss: ") -> None:
    """One line, whatever is in `text`: a file's name may hold line ends and escape sequences."""
    write(sys.stderr, sign + visible(text).replace("\n", " ") + "\n")


def write(stream: TextIO | None, text: str) -> None:
    """Writes and flushes where there is still somebody who reads it."""
    with suppress(OSError, ValueError):
        if stream is not None:
            stream.write(text)
            stream.flush()


class Progress:
    """A line on standard error that is written over, where that is a terminal; nothing elsewhere."""

    def __init__(self) -> None:
        self._shown = False
        self._terminal = sys.stderr is not None and sys.stderr.isatty()

    def show(self, text: str) -> None:
        """Replaces the line."""
        if self._terminal:
            write(sys.stderr, f"\r\x1b[K{text}")
            self._shown = True

    def keep(self, text: str) -> None:
        """A line that stays, above the one that is written over."""
        if self._terminal:
            self.clear()
            write(sys.stderr, f"{text}\n")

    def clear(self) -> None:
        """Takes the line away, so that other text may come."""
        if self._shown:
            write(sys.stderr, "\r\x1b[K")
            self._shown = False
