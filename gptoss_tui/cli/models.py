"""`gptoss models`: the checkpoints on this machine, each with its size, bits, fit and last use."""

from __future__ import annotations

import argparse
import math
import time
from contextlib import suppress
from pathlib import Path

from gptoss_tui.cli.jsonl import Fields, line
from gptoss_tui.cli.output import ClosedPipe, Output
from gptoss_tui.errors import EXIT_OK, CheckpointError
from gptoss_tui.models.fit import this_machine
from gptoss_tui.models.listing import Listed, list_models
from gptoss_tui.visible import visible

_FIT = {"fits": "fits", "tight": "tight", "no": "too large"}
_HEADINGS = ("MODEL", "SIZE", "BITS", "FIT", "CONTEXT", "LAST USED", "FOUND IN")


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


def table(listed: list[Listed]) -> str:
    """The list as text; what is wrong with a checkpoint stands under it."""
    if not listed:
        return "There are no gpt_oss checkpoints here. To get one: gptoss pull mlx-community/gpt-oss-20b-MXFP4-Q4\n"
    rows = [_HEADINGS, *map(_row, listed)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    for at, one in reversed(list(enumerate(listed, start=1))):
        if one.problem:
            lines.insert(at + 1, f"  problem: {one.problem}")
    return "\n".join(lines) + "\n"


def _row(one: Listed) -> tuple[str, ...]:
    used = time.strftime("%Y-%m-%d %H:%M", time.localtime(one.last_used)) if one.last_used else "never"
    home = str(Path.home())
    name = one.place.name
    return (
        "~" + name.removeprefix(home) if name.startswith(home + "/") else name,
        _size(one.nbytes) if one.nbytes else "?",
        "?" if math.isnan(one.bits_per_weight) else f"{one.bits_per_weight:.2f}",
        _FIT[one.fit.verdict] if one.fit else "?",
        f"{one.fit.comfortable_context or one.fit.largest_context:,}" if one.fit else "?",
        used,
        one.place.source,
    )


def _size(nbytes: int) -> str:
    return f"{nbytes / 1e9:.1f} GB" if nbytes >= 1e9 else f"{nbytes / 1e6:.1f} MB"
