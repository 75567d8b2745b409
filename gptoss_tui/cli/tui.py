"""`gptoss [MODEL]`: the terminal interface where the terminal can hold it, the REPL where it cannot."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from gptoss_tui.cli import keeping
from gptoss_tui.cli.arguments import find_model, history_bytes, sampling_for, sampling_params
from gptoss_tui.cli.notes import note
from gptoss_tui.colours import background_is_light, colours
from gptoss_tui.config import Config, Value, config_folder
from gptoss_tui.errors import CheckpointError
from gptoss_tui.keys import keymap_of

if TYPE_CHECKING:
    from gptoss_tui.chat.store.rows import Listed

SMALLEST = (40, 12)
"""Columns and rows that the screen needs."""


def main(options: argparse.Namespace) -> int:
    """Runs the interface until the person leaves; returns the exit code. Raises `GptOssError`."""
    params = sampling_params(options)
    keymap = keymap_of(options.config)
    check_theme(options.config, options.theme)
    resumed = keeping.to_resume(options)
    model = model_asked_for(options, resumed)
    saving = keeping.saving(options, resumed)
    if why := why_no_screen():
        note(f"{why}: this is gptoss repl.")
        from gptoss_tui.repl import ReplOptions, run_repl

        return run_repl(
            ReplOptions(
                model=model,
                params=params,
                sampling=sampling_for(options),
                effort=options.effort,
                instructions=options.instructions,
                max_tokens=options.max_tokens,
                history_bytes=history_bytes(options),
                theme=options.theme,
                themes_folder=config_folder() / "themes",
                keymap=keymap,
                low_bandwidth=options.low_bandwidth,
                about=about,
                saving=saving,
            )
        )
    from gptoss_tui.tui import TuiOptions, run_tui

    return run_tui(
        TuiOptions(
            model=model,
            params=params,
            sampling=sampling_for(options),
            effort=options.effort,
            instructions=options.instructions,
            max_tokens=options.max_tokens,
            history_bytes=history_bytes(options),
            theme=options.theme,
            light=background_is_light(os.environ),
            themes_folder=config_folder() / "themes",
            keep_theme=keep_theme,
            colours=colours(os.environ),
            keymap=keymap,
            low_bandwidth=options.low_bandwidth,
            about=about,
            saving=saving,
        )
    )


def check_theme(config: Config, name: Value | None) -> None:
    """Raises `ConfigError`, with its line, where config.toml names a theme that is none. Its file may be broken."""
    from gptoss_tui.themes import broken_themes, known_themes

    if not isinstance(name, str) or config.written.get("theme") != name:
        return
    themes, broken = known_themes()
    if name not in themes:
        hint = " ".join([f"There are: {', '.join(themes)}.", *broken_themes(broken)])
        raise config.fault("theme", f"there is no theme {name!r}", hint)


def keep_theme(name: str) -> str:
    """Makes a theme the default, and says so. Raises `ConfigError`."""
    from gptoss_tui.config_writing import keep

    return keep("theme", name)


def why_no_screen() -> str:
    """Why no screen can be drawn: no terminal, a dumb one, or one that is too small. Empty where one can."""
    for stream, name in ((sys.stdin, "input"), (sys.stdout, "output")):
        if stream is None or not stream.isatty():
            return f"Standard {name} is not a terminal"
    if os.environ.get("TERM", "dumb") in ("", "dumb"):
        return "This terminal cannot place text on its screen (TERM is dumb)"
    columns, rows = os.get_terminal_size(sys.stdout.fileno())
    if 0 < columns < SMALLEST[0] or 0 < rows < SMALLEST[1]:
        return f"The terminal has {columns}×{rows} characters and the screen needs {SMALLEST[0]}×{SMALLEST[1]}"
    return ""


def about(folder: Path) -> str:
    """One line on the model in this folder; empty where there is nothing to say."""
    from gptoss_tui.models.bundled import NOTICE, is_demo

    return NOTICE if is_demo(folder) else ""


def model_asked_for(options: argparse.Namespace, resumed: Listed | None) -> Path | Callable[[], Path]:
    """The model's folder, or what finds the best one. Raises `CheckpointError`.

    A conversation that is resumed comes with its own model, unless one is named on the command line. A name is looked
    up now, while a wrong one can still be told in a line; the search may take its time.
    """
    names: list[str] = [name for name in (options.model, options.model_option) if name is not None]
    if len(set(names)) > 1:
        raise CheckpointError(f"Two models are named: {names[0]} and {names[1]}", "Name one.")
    name = names[0] if names else options.configured_model
    if names or (name is not None and resumed is None):
        return find_model(options, name)
    return keeping.model_of(resumed, lambda: find_model(options, name))
