"""First frame, and how long a typed character takes to appear while a model writes 40 tokens/s with all panes shown.

`python -m tests.benchmarks.tui_keys [KEYS]`, in a pseudo-terminal of 120×36.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path

from tests.benchmarks.tui_terminal import Terminal

# Letters that nothing else on the screen uses, so that seeing one means its key was echoed.
_LETTERS = "абвгджзиклмнпрстуфхцчшщэюя"


def main() -> None:
    """Prints both."""
    keys = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    with tempfile.TemporaryDirectory() as folder:
        arguments = [str(Path(folder) / "report.json"), "40", str(keys * 0.13 + 2)]
        with Terminal("tests.benchmarks.tui_child", arguments) as terminal:
            terminal.read(20, until=b"Ask something")
            print(f"first frame after {time.monotonic() - terminal.began:.2f} s")
            terminal.read(20, until=b"writing")
            waits = []
            for at in range(keys):
                letter = _LETTERS[at % len(_LETTERS)]
                terminal.read(0.1)
                began = time.monotonic()
                terminal.type(letter)
                terminal.read(5, until=letter.encode())
                waits.append(1000 * (time.monotonic() - began))
                # The prompt is emptied again, so that each letter is new on the screen.
                terminal.type("\x7f")
            while terminal.read(1.0) is not None:
                pass
    waits.sort()
    late = waits[min(len(waits) - 1, int(0.99 * len(waits)))]
    print(f"key to echo: median {statistics.median(waits):.0f} ms · 99th percentile {late:.0f} ms · {keys} keys")


if __name__ == "__main__":
    main()
