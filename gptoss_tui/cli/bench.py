"""`gptoss bench MODEL`: this engine beside mlx-lm's on the same model."""

from __future__ import annotations

import argparse
from contextlib import suppress

from gptoss_tui.cli.arguments import COMMANDS
from gptoss_tui.cli.notes import Progress
from gptoss_tui.cli.output import ClosedPipe, Output
from gptoss_tui.errors import EXIT_OK
from gptoss_tui.signals import Interrupted, Leaving


def main(options: argparse.Namespace) -> int:
    """Measures and prints; returns the exit code. Raises `GptOssError`."""
    output = Output()
    progress = Progress()
    with Leaving() as leaving:
        try:
            from gptoss_tui.models.find import resolve

            folder = resolve(options.model, COMMANDS)
            from gptoss_tui.bench.measure import QUICK, Plan, measure
            from gptoss_tui.bench.report import as_json, table

            results = measure(folder, QUICK if options.quick else Plan(), progress.show)
        except Interrupted:
            leaving.leave()
        finally:
            progress.clear()
        with suppress(ClosedPipe):  # whoever asked has seen enough
            output.write(as_json(results) if options.json else table(results))
    return EXIT_OK
