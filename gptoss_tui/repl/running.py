"""Runs the REPL in the form that the terminal can hold, and leaves in order whatever happens to it."""

from __future__ import annotations

import asyncio
import io
import os
import signal
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial

from prompt_toolkit.data_structures import Size
from prompt_toolkit.formatted_text import FormattedText
from prompt_toolkit.output.vt100 import Vt100_Output
from prompt_toolkit.renderer import print_formatted_text

from gptoss_tui.colours import background_asked, background_is_light, colours, colours_forced
from gptoss_tui.errors import EXIT_OK, TerminalError
from gptoss_tui.repl.lines import Lines, Paint
from gptoss_tui.repl.opening import Open
from gptoss_tui.repl.options import ReplOptions
from gptoss_tui.repl.screen import Screen
from gptoss_tui.repl.styles import colour_depth, prompt_style
from gptoss_tui.signals import Interrupted, Leaving
from gptoss_tui.themes import default_theme, theme_named

SMALLEST = (24, 6)
"""Columns and rows that drawing needs."""


def run(options: ReplOptions, open_model: Open | None = None) -> int:
    """Runs it; see `run_repl`. `open_model` loads the model, where not the one that the options name."""
    if sys.stdin is None or sys.stdout is None:
        raise TerminalError("Standard input or output is closed", "Connect both.")
    drawing = not options.plain and can_draw(os.environ)
    with Leaving() as leaving:
        with suppress(Interrupted):  # it came before the loop, or after
            asyncio.run((_draw if drawing else _write_lines)(options, open_model, leaving))
        if leaving.signum is not None:
            leaving.restore_terminal()
            leaving.leave()
    return EXIT_OK


def can_draw(environment: Mapping[str, str]) -> bool:
    """Whether standard input and output are a terminal that can move its cursor and is large enough."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()) or environment.get("TERM", "") in ("", "dumb", "unknown"):
        return False
    columns, rows = os.get_terminal_size(sys.stdout.fileno())
    # Some terminals tell no size: 0 means unknown.
    return not (0 < columns < SMALLEST[0] or 0 < rows < SMALLEST[1])


async def _draw(options: ReplOptions, open_model: Open | None, leaving: Leaving) -> None:
    # Whoever has chosen a theme, or has no colours, need not know.
    ask = options.theme is None and background_is_light(os.environ) is None and colours(os.environ) > 0
    with background_asked(os.environ if ask else {}) as asked:
        screen = Screen(options, open_model, asked=asked)
        loop = asyncio.get_running_loop()
        leaving.on_signal = partial(_soon, loop, screen.quit)
        leaving.outlives_the_line = lambda: screen.conversation.outlives_the_line
        try:
            await screen.run()
            if screen.line_dropped:
                leaving.line_dropped()
        finally:
            screen.conversation.close(leaving)


async def _write_lines(options: ReplOptions, open_model: Open | None, leaving: Leaving) -> None:
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A character that the terminal's encoding lacks must not end the program.
        sys.stdout.reconfigure(errors="replace")
    lines = Lines(options, open_model, paint=_paint(options, os.environ))
    loop = asyncio.get_running_loop()
    leaving.on_signal = partial(_soon, loop, lines.quit)
    leaving.outlives_the_line = lambda: lines.conversation.outlives_the_line
    if sys.stdin.isatty():
        # Typed, Ctrl-C means the answer first; from outside, SIGINT ends the program as ever.
        loop.add_signal_handler(signal.SIGINT, lines.interrupt)
    try:
        await lines.run()
    finally:
        lines.conversation.close(leaving)


def _soon(loop: asyncio.AbstractEventLoop, call: Callable[[], None]) -> None:
    loop.call_soon_threadsafe(call)


def _paint(options: ReplOptions, environment: Mapping[str, str]) -> Paint:
    """Colours only where CLICOLOR_FORCE or FORCE_COLOR asks for them and --plain does not forbid them."""
    if options.plain or not colours_forced(environment):
        return lambda style, text: text
    style = prompt_style(
        theme_named(options.theme) if options.theme else default_theme(background_is_light(environment))
    )
    depth = colour_depth(environment)

    def paint(role: str, text: str) -> str:
        written = io.StringIO()
        output = Vt100_Output(written, lambda: Size(rows=24, columns=80), default_color_depth=depth)
        print_formatted_text(output, FormattedText([(f"class:{role}", text)]), style, color_depth=depth)
        return written.getvalue().replace("\r\n", "\n")

    return paint
