"""`gptoss models`: the checkpoints on this machine, each with its size, bits, fit and last use."""

from __future__ import annotations

import argparse
from contextlib import suppress
from pathlib import Path

from gptoss_tui.cli.jsonl import Fields, line
from gptoss_tui.cli.output import ClosedPipe, Output
from gptoss_tui.errors import EXIT_OK, CheckpointError
from gptoss_tui.models.fit import this_machine
from gptoss_tui.models.listing import Listed, list_models
from gptoss_tui.models.table import table
from gptoss_tui.visible import visible


def main(options: argparse.Namespace) -> int:
    """Prints the list. Raises `CheckpointError` for a folder that is not there."""
    folders = [Path(folder).expanduser() for folder in options.folders]
    for folder in folders:
        if not folder.is_dir():
            raise CheckpointError(f"The folder {folder} does not exist", "Give a folder with checkpoints in it.")
    output = Output()
    listed = list_models(this_machine(), folders)
    with suppress(ClosedPipe):  # whoever read it has seen enough
        if options.json:
            for one in listed:
                output.write(line(fields(one)))
        else:
            output.write(visible(table(list(listed))))
    return EXIT_OK


def fields(one: Listed) -> Fields:
    """One checkpoint as JSON."""
    return {
        "name": one.place.name,
        "folder": str(one.place.folder),
        "found_in": one.place.source,
        "parameters": one.parameters or None,
        "weights_bytes": one.nbytes or None,
        "bits_per_weight": one.bits_per_weight,
        "fit": one.fit.verdict if one.fit else None,
        "comfortable_context": one.fit.comfortable_context if one.fit else None,
        "largest_context": one.fit.largest_context if one.fit else None,
        "last_used": one.last_used,
        "problem": one.problem or None,
    }
