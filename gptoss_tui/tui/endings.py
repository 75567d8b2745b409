"""How an answer ended, in words, with the ways on where it ended early. Pure; knows no widget."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gptoss_tui.chat import format
from gptoss_tui.chat.endings import ending_note
from gptoss_tui.keys import Keymap
from gptoss_tui.tui.snapshot import Snapshot

if TYPE_CHECKING:
    from gptoss_tui.chat.tree import Ending, Figures
    from gptoss_tui.engine.events import Finished


def ending(
    reason: Ending | None, figures: Finished | Figures | None, snapshot: Snapshot, keymap: Keymap
) -> list[tuple[str, str]]:
    """(text, kind) of each line under the answer."""
    context = snapshot.info.context if snapshot.info is not None else 0
    note = ending_note(reason, context)
    if note and reason in ("length", "interrupted", "context"):
        retry, copy, new = (keymap.first(f"app.{name}") for name in ("retry", "copy", "new"))
        note += f" {retry} asks again, {copy} copies this answer, {new} begins a new conversation."
    lines = [(note, "warning")] if note else []
    return [*lines, *([(format.answer_figures(figures), "figures")] if figures is not None else [])]
