"""The command line: `gptoss`. Reads the arguments, calls one command, turns what it raises into lines and exit codes.

What a command needs is imported inside it, so that `--version` and `--help` cost hardly more than Python itself.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module

from gptoss_tui.cli.arguments import parse
from gptoss_tui.errors import EXIT_FAULT, EXIT_INTERRUPTED, GptOssError


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command (`argv` without the program's name; None: the process's) and returns the exit code.

    Argument errors leave by `SystemExit` with 2, as argparse has it.
    """
    _open_standard_files()
    try:
        command, options = parse(sys.argv[1:] if argv is None else argv)
        code: int = import_module(command.module).main(options)
        return code
    except GptOssError as fault:
        tell(fault)
        return EXIT_FAULT
    except KeyboardInterrupt:  # before a command has arranged for signals, or after
        return EXIT_INTERRUPTED


def _open_standard_files() -> None:
    """Lets descriptors 0 to 2 exist, where the caller closed some.

    Otherwise the next file that is opened gets such a number: MLX takes a shard on 0 for one that did not open.
    """
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free, which is this one


def tell(fault: GptOssError) -> None:
    """The fault's two lines, on standard error."""
    from gptoss_tui.cli.notes import note

    note(fault.message)
    if fault.hint:
        note(fault.hint, sign="  ")
