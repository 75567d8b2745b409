"""Both front ends, run on the recorded conversation until the screen is as the picture wants it."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import cast

from gptoss_tui.engine.events import LoadProgress
from gptoss_tui.models.bundled import NOTICE, demo_checkpoint
from gptoss_tui.repl.opening import Opened
from gptoss_tui.repl.options import ReplOptions
from gptoss_tui.themes import theme_named
from gptoss_tui.tui.app import GptOssApp
from gptoss_tui.tui.options import TuiOptions
from gptoss_tui.tui.ports import Backend, SessionPort
from tests.docs.pictures.cells import Grid, from_emulator, from_strips
from tests.docs.pictures.recording import BEGIN, COOLER, QUESTIONS, Recording, load, play
from tests.repl.window import Window
from tests.tui.pilots import Driven

# Longer than the longest pause between two draws of the instruments: what is still after that stays.
_QUIET_S = 0.6


async def tui(recording: Recording, theme: str, columns: int, rows: int) -> Grid:
    """The terminal interface: an answer that is there, one being written, a temperature changed on the way."""
    engine, session = play(recording)

    def open_recording(
        options: TuiOptions, on_progress: Callable[[LoadProgress], None], cancelled: Callable[[], bool]
    ) -> Backend:
        return Backend(engine, cast(SessionPort, session), NOTICE)

    with tempfile.TemporaryDirectory() as folder:
        options = TuiOptions(
            model=demo_checkpoint(), params=BEGIN, theme=theme, history_file=Path(folder) / "history.jsonl"
        )
        app = GptOssApp(options, open_recording)
        async with app.run_test(size=(columns, rows)) as pilot:
            test = Driven(app, pilot)
            await test.phase("idle")
            for question in QUESTIONS:
                await test.ask(question)
                last = question == QUESTIONS[-1]
                await test.phase("writing" if last else "idle")
                if last:
                    await test.until(lambda: engine.done)
                    test.main.conductor.set_params(replace(session.params, temperature=COOLER))
                    await test.until(lambda: test.main.conductor.snapshot.layers == engine.layers())
            await _still(test)
            grid = from_strips(app.screen._compositor.render_strips(), theme_named(theme))
        app.close()
    return grid


async def _still(test: Driven) -> None:
    """Waits until every timer has drawn what it had to."""
    before: list[str] = []
    while before != (before := test.screen_lines()):
        await test.pilot.pause(_QUIET_S)


def repl(recording: Recording, theme: str, columns: int, rows: int) -> Grid:
    """The plain front end on a pseudo-terminal: the same conversation, and a table asked for in between."""
    with tempfile.TemporaryDirectory() as folder:
        argv = [sys.executable, "-m", "tests.docs.pictures.fronts", theme]
        env = {"COLORTERM": "truecolor", "TERM": "xterm-256color"}
        with Window(argv, folder=Path(folder), columns=columns, rows=rows, env=env) as window:
            window.until_shown("context 0/")
            window.type(f"{QUESTIONS[0]}\r")
            window.until_shown("first token")
            window.type("/kv\r")
            window.until_shown("allocated")
            window.type(f"{QUESTIONS[1]}\r")
            window.until_shown("esc stops")
            turns = round((BEGIN.temperature - COOLER) * 10)
            window.type("-" * turns)
            window.until_shown(f"temperature {COOLER:.2f}")
            window.until_shown(f"context {recording.answers[-1].tokens:,}/")
            _settled(window)
            return from_emulator(window.screen, theme_named(theme))


def _settled(window: Window) -> None:
    """Reads until nothing more comes: the last row may be drawn a twelfth of a second after the keys."""
    before = -1
    while before != (before := len(window.terminal.written)):
        window.terminal.read(_QUIET_S)


def main(theme: str) -> int:
    """The REPL on the recording, in a process of its own."""
    from gptoss_tui.repl.running import run

    def open_recording(
        options: ReplOptions, on_progress: Callable[[LoadProgress], None], cancelled: Callable[[], bool]
    ) -> Opened:
        engine, session = play(load())
        return Opened(engine, session, NOTICE)  # type: ignore[arg-type]

    return run(ReplOptions(model=demo_checkpoint(), params=BEGIN, theme=theme), open_recording)


async def shoot(recording: Recording, front: str, theme: str, columns: int, rows: int) -> Grid:
    """One picture's screen. Several may be taken at once: most of the time is waiting."""
    if front == "tui":
        # A task of its own, since Textual knows the app by the task's context.
        return await asyncio.create_task(tui(recording, theme, columns, rows))
    return await asyncio.to_thread(repl, recording, theme, columns, rows)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1]))
