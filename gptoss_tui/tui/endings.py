"""The lines under an answer: why it ended early, with the ways on, and its figures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from gptoss_tui.chat import format
from gptoss_tui.chat.endings import ending_reason
from gptoss_tui.keys import Keymap
from gptoss_tui.tui.widgets.note import Note

if TYPE_CHECKING:
    from gptoss_tui.chat.tree import Ending, Figures
    from gptoss_tui.engine.events import Finished

_AGAIN = ("continue", "retry")
_WAYS: Mapping[str, tuple[str, ...]] = {
    "length": _AGAIN,
    "interrupted": _AGAIN,
    "fault": _AGAIN,
    "context": ("shorten", "fork", "new"),
}


def ending(reason: Ending | None, figures: Finished | Figures | None, context: int, keymap: Keymap) -> list[Note]:
    """Each line. `context` is what the model's context holds, in tokens."""
    lines: list[Note] = []
    if why := ending_reason(reason, context):
        lines.append(Note(why, kind="warning", ways=ways(_WAYS.get(reason or "", ()), keymap)))
    if figures is not None:
        lines.append(Note(format.answer_figures(figures), kind="figures"))
    return lines


def ways(names: tuple[str, ...], keymap: Keymap) -> list[tuple[str, str, str]]:
    """Actions as a note offers them, with their keys."""
    return [(name, name, keymap.key(f"app.{name}")) for name in names]
