"""`gptoss repl [MODEL]`: the plain front end, for slow links, small terminals, screen readers and pipes."""

from __future__ import annotations

import argparse

from gptoss_tui.cli import keeping
from gptoss_tui.cli.arguments import history_bytes, sampling_for, sampling_params
from gptoss_tui.cli.tui import about, check_theme, model_asked_for
from gptoss_tui.keys import keymap_of


def main(options: argparse.Namespace) -> int:
    """Runs the REPL until the person leaves; returns the exit code. Raises `GptOssError`."""
    params = sampling_params(options)
    keymap = keymap_of(options.config)
    check_theme(options.config, options.theme)
    resumed = keeping.to_resume(options)
    model = model_asked_for(options, resumed)
    from gptoss_tui.config import config_folder
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
            thinking=options.thinking,
            editing=options.editing,
            plain=options.plain,
            low_bandwidth=options.low_bandwidth,
            keymap=keymap,
            about=about,
            saving=keeping.saving(options, resumed),
        )
    )
