"""How an answer ended, in words, with the ways on where it ended early. Pure; knows no widget."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gptoss_tui.chat import format
from gptoss_tui.keys import Keymap
from gptoss_tui.tui.snapshot import Snapshot

if TYPE_CHECKING:
    from gptoss_tui.chat.events import TurnFinished


def ending(event: TurnFinished, snapshot: Snapshot, keymap: Keymap) -> list[tuple[str, str]]:
    """(text, kind) of each line under the answer."""
    lines = [(format.answer_figures(event.finished), "figures")]
    new, copy, retry = (keymap.first(f"app.{name}") for name in ("new", "copy", "retry"))
    context = f"{snapshot.info.context:,} tokens" if snapshot.info is not None else "it"
    if event.reason == "length":
        text = f"Stopped at the longest answer allowed. Ask it to go on, raise --max-tokens, or {retry} to ask again."
        lines.insert(0, (text, "warning"))
    elif event.reason == "context":
        text = (
            f"The context is full: {context}. What was written is kept. Ways on: {new} begins a new conversation; "
            f"{copy} copies this answer, to go on there with what matters; {retry} asks again for a shorter one."
        )
        lines.insert(0, (text, "warning"))
    elif event.reason == "interrupted":
        lines.insert(0, (f"Stopped. {retry} asks again.", "warning"))
    elif event.reason == "tool_call":
        lines.insert(0, ("The model called a tool, and none is connected here.", "warning"))
    return lines
