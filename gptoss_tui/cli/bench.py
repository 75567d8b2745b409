"""`gptoss bench MODEL`: this engine beside mlx-lm's, the memory's speed, and what the screen costs."""

from __future__ import annotations

import argparse
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from gptoss_tui.cli.arguments import COMMANDS
from gptoss_tui.cli.notes import Progress
from gptoss_tui.cli.output import ClosedPipe, Output
from gptoss_tui.errors import EXIT_OK, ParameterError
from gptoss_tui.signals import Interrupted, Leaving

if TYPE_CHECKING:
    from gptoss_tui.bench.interface import Interface
    from gptoss_tui.bench.plan import Plan


def main(options: argparse.Namespace) -> int:
    """Measures, printing each part as it is there; returns the exit code. Raises `GptOssError`."""
    if options.minutes is not None and not 0.1 <= options.minutes <= 1440:
        raise ParameterError(f"{options.minutes:g} minutes make no bench", "Give 0.1 to 1440.")
    output = Output()
    progress = Progress()
    with Leaving() as leaving:
        try:
            with suppress(ClosedPipe):  # whoever asked has seen enough
                _bench(options, output, progress)
        except Interrupted:
            leaving.leave()
        finally:
            progress.clear()
    return EXIT_OK


def _bench(options: argparse.Namespace, output: Output, progress: Progress) -> None:
    from gptoss_tui.models.find import resolve

    folder = resolve(options.model, COMMANDS)
    from gptoss_tui.bench.measure import Listener, measure
    from gptoss_tui.bench.plan import QUICK, Plan, Row
    from gptoss_tui.bench.report import as_json, closing, heading, interface_part, line
    from gptoss_tui.engine.events import ModelInfo

    class Told(Listener):
        """Prints the table's rows as they come."""

        def progress(self, text: str) -> None:
            progress.show(text)

        def begin(self, info: ModelInfo, versions: dict[str, str]) -> None:
            self._put(heading(info, versions))

        def row(self, row: Row) -> None:
            self._put(line(row))

        def early(self, row: Row) -> None:
            progress.keep(f"gptoss alone, so far: {line(row).strip()}")

        def _put(self, text: str) -> None:
            progress.clear()
            if not options.json:
                output.write(text)

    plan = QUICK if options.quick else Plan()
    if options.minutes is not None:
        plan = replace(plan, seconds=48 * options.minutes, interface_s=12 * options.minutes)
    results = measure(folder, plan, Told())
    progress.clear()
    if not options.json:
        output.write(closing(results))
    interface, why_not = _interface(folder, plan, progress)
    progress.clear()
    output.write(as_json(results, interface) if options.json else interface_part(interface, why_not))


def _interface(folder: Path, plan: Plan, progress: Progress) -> tuple[Interface | None, str]:
    """What the interface costs, or why that was not measured."""
    from gptoss_tui.bench.interface import measure_interface

    if not (folder / "tokenizer.json").is_file():
        return None, "this checkpoint has no tokenizer.json to write a prompt with"
    progress.show("With the interface attached, in a terminal of its own")
    # Each answer gets a share of half the time; the other half is for loading once more.
    share = plan.interface_s / 2 / (2 * plan.interface_rounds)
    command = [sys.executable, "-m", "gptoss_tui.cli.attached", str(folder)]
    command += [str(2 * plan.decode_tokens), f"{share:.2f}", str(plan.interface_rounds)]
    interface = measure_interface(command, plan.interface_s)
    return interface, "" if interface else f"it took longer than {plan.interface_s:.0f} s"
