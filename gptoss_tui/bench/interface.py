"""What the interface costs: tokens a second with it attached, in a terminal that is read at once, beside without.

Runs the command that it is given in a pseudo-terminal and reads what that reports; knows no interface itself.
"""

from __future__ import annotations

import fcntl
import json
import os
import pty
import select
import struct
import subprocess
import tempfile
import termios
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

COLUMNS, ROWS = 120, 36
"""A terminal in which all panes are shown."""


@dataclass(frozen=True, slots=True)
class Interface:
    """Tokens a second of each answer, and what was sent to the terminal."""

    without: tuple[float, ...]
    attached: tuple[float, ...]
    bytes_per_s: float
    """Over the time in which the interface was there."""


def measure_interface(command: Sequence[str], seconds: float) -> Interface | None:
    """Runs `command` with the name of a report file behind it; None where it reported nothing in time.

    The report has a JSON object a line: `{"attached": true, "tokens_per_s": 40.1}`.
    """
    with tempfile.TemporaryDirectory(prefix="gptoss-bench-") as folder:
        report = Path(folder) / "report"
        sent, drawn_s = _run([*command, str(report)], seconds)
        lines = report.read_text(encoding="utf-8").splitlines() if report.exists() else []
    runs: dict[bool, list[float]] = {True: [], False: []}
    for line in lines:
        with suppress(ValueError, KeyError, TypeError):  # the last one may be cut
            told = json.loads(line)
            runs[bool(told["attached"])].append(float(told["tokens_per_s"]))
    if not runs[True] or not runs[False]:
        return None
    return Interface(tuple(runs[False]), tuple(runs[True]), sent / drawn_s if drawn_s else 0.0)


def _run(command: Sequence[str], seconds: float) -> tuple[int, float]:
    """Bytes that the command wrote to its terminal, and the seconds between the first and the last of them."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    environment = os.environ | {
        "TERM": "xterm-256color",
        "COLORTERM": "truecolor",
        "COLUMNS": str(COLUMNS),
        "LINES": str(ROWS),
    }
    process = subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment, start_new_session=True
    )
    os.close(theirs)
    sent, first, last = 0, 0.0, 0.0
    end = time.monotonic() + seconds
    try:
        while (left := end - time.monotonic()) > 0:
            if select.select([ours], [], [], min(left, 0.2))[0]:
                try:
                    part = os.read(ours, 65536)
                except OSError:  # Linux's way of saying that nobody holds the other end
                    break
                if not part:
                    break
                last = time.monotonic()
                first = first or last
                sent += len(part)
            elif process.poll() is not None:
                break
    finally:
        process.kill()
        process.wait()
        os.close(ours)
    return sent, last - first
