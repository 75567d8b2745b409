"""Makes the pictures in docs/images from the running program: the bundled model, a fixed seed, three sizes.

    python docs/screenshots.py

Needs `rsvg-convert` (Debian: librsvg2-bin; Homebrew: librsvg) to turn Textual's SVG into PNG.
"""

from __future__ import annotations

import asyncio
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from gptoss_tui.chat.session import Session
from gptoss_tui.engine.params import SamplingParams
from gptoss_tui.engine.worker import Engine
from gptoss_tui.models.bundled import NOTICE, demo_checkpoint
from gptoss_tui.tui import TuiOptions
from gptoss_tui.tui.app import GptOssApp

IMAGES = Path(__file__).with_name("images")
SIZES = {"tui-narrow": (80, 24), "tui-wide": (120, 36), "tui-large": (200, 50)}
QUESTIONS = ("Write a Python function that reverses a string.", "Why is the sky blue?")
TOKENS = 70
"""How far the second answer has come when the picture is taken."""


async def picture(name: str, size: tuple[int, int], scratch: Path) -> None:
    """One picture: an answer that is there, one that is being written, and a temperature changed on the way."""
    params = SamplingParams(temperature=0.7, top_p=0.9, seed=4)
    options = TuiOptions(
        model=demo_checkpoint(), params=params, about=lambda folder: NOTICE, history_file=scratch / "history.jsonl"
    )
    app = GptOssApp(options)
    async with app.run_test(size=size) as pilot:
        conductor = app.main.conductor
        await _until(lambda: conductor.backend is not None)
        assert conductor.backend is not None
        session, engine = conductor.backend.session, conductor.backend.engine
        assert isinstance(session, Session)
        assert isinstance(engine, Engine)
        for question in QUESTIONS:
            await pilot.press(*question)
            await pilot.press("enter")
            await _until(lambda: session.turn is not None)
            if question is not QUESTIONS[-1]:
                await _until(lambda: session.turn is None)
        prompt_tokens = len(session.turn.prompt_ids) if session.turn is not None else 0
        await _until(lambda: engine.cached_tokens >= prompt_tokens + TOKENS // 2)
        conductor.set_params(replace(session.params, temperature=0.3))
        await _until(lambda: engine.cached_tokens >= prompt_tokens + TOKENS)
        await pilot.pause(0.25)
        svg = scratch / f"{name}.svg"
        drawn = app.export_screenshot(title="gptoss")
        # Spaces at the edges of a text element are columns here, which SVG drops unless told otherwise.
        svg.write_text(drawn.replace("<text ", '<text xml:space="preserve" '), encoding="utf-8")
    app.close()
    subprocess.run(["rsvg-convert", "--zoom", "1", "--output", str(IMAGES / f"{name}.png"), str(svg)], check=True)
    print(IMAGES / f"{name}.png")


async def _until(condition: Callable[[], bool]) -> None:
    while not condition():
        await asyncio.sleep(0.01)


def main() -> None:
    """Writes all pictures."""
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        for name, size in SIZES.items():
            asyncio.run(picture(name, size, Path(scratch)))


if __name__ == "__main__":
    main()
