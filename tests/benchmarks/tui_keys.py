"""First frame, and how long a typed character takes to appear: while the model loads, and while it writes.

`python -m tests.benchmarks.tui_keys [KEYS]`, 40 tokens/s in a pseudo-terminal of 120×36 with all panes shown. Beside
each row stands what a program takes that does nothing but echo, typed to in turn: on a machine with other work, that
much is not ours.
"""

from __future__ import annotations

import os
import signal
import statistics
import sys
import tempfile
import time
from pathlib import Path

from tests.benchmarks.tui_terminal import Terminal

# Letters that nothing else on the screen uses, so that seeing one means its key was echoed.
_LETTERS = "абвгджзиклмнпрстуфхцчшщэюя"


def main() -> None:
    """Prints all of it."""
    keys = int(sys.argv[1]) if len(sys.argv) > 1 else 300
    with tempfile.TemporaryDirectory() as folder:
        report = str(Path(folder) / "report.json")
        # It ends by a signal: an answer that ended before the last key would be measured as quick.
        for name, pace in (("loading", "loading"), ("writing", "40")):
            with (
                Terminal("tests.benchmarks.tui_child", [report, pace, "100000"]) as terminal,
                Terminal("tests.benchmarks.echo_child", []) as echo,
            ):
                terminal.read(20, until=b"Ask something")
                print(f"first frame after {time.monotonic() - terminal.began:.2f} s")
                terminal.read(20, until=name.encode())
                _measure(name, keys, terminal, echo)
                for each in (terminal, echo):
                    os.kill(each.pid, signal.SIGKILL)


def _measure(name: str, keys: int, terminal: Terminal, echo: Terminal) -> None:
    ours: list[float] = []
    theirs: list[float] = []
    for at in range(keys):
        letter = _LETTERS[at % len(_LETTERS)]
        theirs.append(_wait(echo, letter))
        ours.append(_wait(terminal, letter))
        # The prompt is emptied again, so that each letter is new on the screen.
        terminal.type("\x7f")
        terminal.read(0.05 + 0.05 * (at % 7) / 7)
    print(f"key to echo while {name}: {_figures(ours)}; a program that only echoes: {_figures(theirs)} ({keys} keys)")


def _wait(terminal: Terminal, letter: str) -> float:
    began = time.monotonic()
    terminal.type(letter)
    seen = terminal.read(5, until=letter.encode())
    if seen is None or letter.encode() not in seen:
        raise SystemExit(f"{letter} never came")
    return 1000 * (time.monotonic() - began)


def _figures(waits: list[float]) -> str:
    ordered = sorted(waits)
    late = ordered[min(len(ordered) - 1, int(0.99 * len(ordered)))]
    return f"median {statistics.median(waits):.1f} ms, 99th percentile {late:.1f} ms, worst {ordered[-1]:.1f} ms"


if __name__ == "__main__":
    main()
