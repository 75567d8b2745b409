"""`gptoss inspect`: a checkpoint's model card, read from its files."""

from __future__ import annotations

import argparse
from contextlib import suppress

from gptoss_tui.cli.arguments import COMMANDS
from gptoss_tui.cli.jsonl import line
from gptoss_tui.cli.output import ClosedPipe, Output
from gptoss_tui.errors import EXIT_FAULT, EXIT_OK, ParameterError
from gptoss_tui.models.card import lines, sections
from gptoss_tui.models.description import describe
from gptoss_tui.models.find import resolve
from gptoss_tui.models.fit import fit, mac, this_machine
from gptoss_tui.models.inspection import inspect
from gptoss_tui.visible import in_line, visible


def main(options: argparse.Namespace) -> int:
    """Prints the card; returns 1 where the checkpoint has problems. Raises `GptOssError` where it cannot be read."""
    if options.context < 1:
        raise ParameterError(f"a context of {options.context} tokens makes no sense", "Give 1 or more.")
    found = inspect(resolve(options.model, COMMANDS))
    fits = [fit(found, machine, options.context) for machine in (this_machine(), *map(mac, options.mac))]
    card = (
        line(describe(found, fits))
        if options.json
        else visible(f"{in_line(found.name)}\n\n{lines(sections(found, fits))}")
    )
    with suppress(ClosedPipe):  # whoever read it has seen enough
        Output().write(card)
    return EXIT_FAULT if found.problems else EXIT_OK
