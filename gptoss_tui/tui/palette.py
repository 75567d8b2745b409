"""The command palette's entries: every action of the table that makes sense by name. Knows the app, no widget."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from textual.app import SystemCommand

from gptoss_tui.harmony.messages import EFFORTS
from gptoss_tui.keys.table import ON_SCREEN

if TYPE_CHECKING:
    from gptoss_tui.tui.app import GptOssApp


def commands(app: GptOssApp) -> Iterator[SystemCommand]:
    """Every action, then the levels of effort and what Textual brings for any app."""
    for actions in ON_SCREEN.values():
        for action in actions:
            if action.palette:
                title = action.title.capitalize()
                yield SystemCommand(title, action.help, lambda name=action.action: app.run_named(name))
    for level in EFFORTS:
        yield SystemCommand(
            f"Effort: {level}",
            f"The model thinks at {level} effort from the next prompt on.",
            lambda level=level: app.main.conductor.set_effort(level),
        )
    yield SystemCommand("Save screenshot", "Save the screen as an SVG picture.", app.deliver_screenshot)
