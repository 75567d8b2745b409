"""Helpers for tests that drive the interface: they wait for conditions, never for time."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from textual import events
from textual.pilot import Pilot

from gptoss_tui.engine.params import SamplingParams
from gptoss_tui.tui.app import GptOssApp
from gptoss_tui.tui.backend import open_backend
from gptoss_tui.tui.options import TuiOptions
from gptoss_tui.tui.ports import OpenBackend
from gptoss_tui.tui.snapshot import Phase
from tests.tui.scripted import ScriptedOpener

SIZES = ((40, 12), (60, 20), (80, 24), (100, 30), (120, 36), (200, 50), (300, 100))


class Driven:
    """A running app and what tests ask of it."""

    def __init__(self, app: GptOssApp, pilot: Pilot[None]) -> None:
        self.app = app
        self.main = app.main
        self.pilot = pilot

    async def until(self, condition: Callable[[], object], seconds: float = 30.0) -> None:
        """Returns as soon as the condition holds."""
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, "it never happened"
            await self.pilot.pause(0.01)

    async def phase(self, phase: Phase) -> None:
        """Waits for a phase."""
        await self.until(lambda: self.main.conductor.snapshot.phase == phase)

    async def type(self, text: str) -> None:
        """Types a text, without Enter."""
        await self.pilot.press(*("space" if char == " " else "slash" if char == "/" else char for char in text))

    def keys(self, *keys: str) -> None:
        """Presses keys and does not wait for the app to fall idle, which it does not while a model writes."""
        for key in keys:
            self.app.post_message(events.Key(key, {"full_stop": ".", "escape": "\x1b"}.get(key, key[:1])))

    async def ask(self, text: str) -> None:
        """Types and sends; returns when the prompt is on the screen, and queued or being answered."""
        turns = len(self.main.chat.turns)
        self.main.prompt.fill(text)
        self.app.post_message(events.Key("enter", "\r"))
        await self.until(lambda: len(self.main.chat.turns) > turns and self._begun())

    def _begun(self) -> bool:
        last = self.main.chat.turns[-1]
        return self.main.conductor.running or last.queued or len(last.children) > 2

    def text_of(self, selector: str) -> str:
        """What is drawn in a widget, line by line."""
        region = self.app.screen.query_one(selector).region
        lines = self.screen_lines()[region.y : region.bottom]
        return "\n".join(line[region.x : region.right] for line in lines)

    def screen_lines(self) -> list[str]:
        """The whole screen as text, a character a cell (a wide one takes one place and leaves the next empty)."""
        lines = []
        for strip in self.app.screen._compositor.render_strips():
            line = ""
            for segment in strip:
                for char in segment.text:
                    line += char
            lines.append(line)
        return lines


@asynccontextmanager
async def driven(
    opener: OpenBackend | None = None,
    *,
    size: tuple[int, int] = (120, 36),
    folder: Path | None = None,
    params: SamplingParams | None = None,
    max_tokens: int | None = None,
    history: Path | None = None,
    loaded: bool = True,
    **others: Any,
) -> AsyncIterator[Driven]:
    """Runs the app on a scripted model, or on the real one in `folder`; waits until it is loaded unless told not to.

    `others` go into the options.
    """
    opener = opener or (open_backend if folder is not None else ScriptedOpener())
    options = TuiOptions(
        model=folder or Path("nowhere"),
        params=params or SamplingParams(),
        max_tokens=max_tokens,
        history_file=history or Path("/dev/null"),
        **others,
    )
    app = GptOssApp(options, opener)
    try:
        async with app.run_test(size=size) as pilot:
            test = Driven(app, pilot)
            if loaded:
                await test.phase("idle")
            yield test
    finally:
        app.close()
