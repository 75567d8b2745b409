"""What the program and the person say, as rows for the scrollback. Pure functions; text is made safe to show here."""

from __future__ import annotations

from gptoss_tui.repl.rows import Row, wrap
from gptoss_tui.visible import visible

ASKED_LINES = 10
"""Lines of a prompt that the scrollback repeats: whoever has pasted a file knows it."""
ASIDE = "┊ "
"""Before the program's own lines while an answer is being written."""


def told(text: str, style: str, width: int, *, aside: bool) -> list[Row]:
    """The program's lines. `aside`: an answer is being written, and a margin tells them from the model's."""
    wide = width - len(ASIDE) if aside else width
    rows = [row for line in visible(text).split("\n") for row in wrap([(style, line)], wide)]
    return [[("class:border", ASIDE), *row] for row in rows] if aside else rows


def asked(text: str, width: int) -> list[Row]:
    """A prompt, between two empty rows."""
    lines = visible(text).split("\n")
    if len(lines) > ASKED_LINES:
        lines[ASKED_LINES:] = [f"… {len(lines) - ASKED_LINES:,} more lines"]
    rows = [row for line in lines for row in wrap([("bold", line)], width - 2)]
    return [[], *([("", "  ") if at else ("class:prompt", "> "), *row] for at, row in enumerate(rows)), []]
