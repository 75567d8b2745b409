"""`gptoss [MODEL]`: the terminal interface, once it is clear that there is a terminal and a model to begin with."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from gptoss_tui.cli.arguments import COMMANDS, sampling_params
from gptoss_tui.errors import CheckpointError, TerminalError

SMALLEST = (40, 12)
"""Columns and rows that the screen needs."""

_INSTEAD = 'Or use it without a screen: gptoss run "…"'


def main(options: argparse.Namespace) -> int:
    """Runs the interface until the person leaves; returns the exit code. Raises `GptOssError`."""
    params = sampling_params(options)
    name = _model_name(options)
    from gptoss_tui.models.bundled import NOTICE, is_demo
    from gptoss_tui.models.find import resolve
    from gptoss_tui.themes import DEFAULT_THEME
    from gptoss_tui.tui import TuiOptions, run_tui

    # A name is looked up now, while a wrong one can still be told in a line; the search may take its time.
    model = (lambda: resolve(None)) if name is None else resolve(name, COMMANDS)
    check_terminal()

    def about(folder: Path) -> str:
        return NOTICE if is_demo(folder) else ""

    return run_tui(
        TuiOptions(
            model=model,
            params=params,
            effort=options.effort,
            instructions=options.instructions,
            max_tokens=options.max_tokens,
            theme=options.theme or DEFAULT_THEME,
            about=about,
        )
    )


def check_terminal() -> None:
    """Raises `TerminalError` where no screen can be drawn: no terminal, a dumb one, or one that is too small."""
    for stream, name in ((sys.stdin, "input"), (sys.stdout, "output")):
        if stream is None or not stream.isatty():
            raise TerminalError(f"Standard {name} is not a terminal", f"Start gptoss in one. {_INSTEAD}")
    if os.environ.get("TERM", "dumb") in ("", "dumb"):
        raise TerminalError("This terminal cannot place text on its screen (TERM is dumb)", f"Set TERM. {_INSTEAD}")
    columns, rows = os.get_terminal_size(sys.stdout.fileno())
    if 0 < columns < SMALLEST[0] or 0 < rows < SMALLEST[1]:
        raise TerminalError(
            f"The terminal has {columns}×{rows} characters; the screen needs {SMALLEST[0]}×{SMALLEST[1]}",
            f"Make it larger. {_INSTEAD}",
        )


def _model_name(options: argparse.Namespace) -> str | None:
    names: list[str] = [name for name in (options.model, options.model_option) if name is not None]
    if len(set(names)) > 1:
        raise CheckpointError(f"Two models are named: {names[0]} and {names[1]}", "Name one.")
    return names[0] if names else None
