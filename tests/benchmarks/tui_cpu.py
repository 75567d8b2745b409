"""The interface thread's own CPU time, and the bytes it sends, while a model writes with all panes shown.

`python -m tests.benchmarks.tui_cpu [SECONDS]`: 40 and 100 tokens/s in a pseudo-terminal of 120×36.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from tests.benchmarks.tui_terminal import Terminal


def measure(pace: int, seconds: float) -> None:
    """Prints one line for one pace."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        with Terminal("tests.benchmarks.tui_child", [str(report), str(pace), str(seconds)]) as terminal:
            while terminal.read(1.0) is not None:
                pass
        told = json.loads(report.read_text())
    share, sent = told["cpu_s"] / told["wall_s"], terminal.written / told["wall_s"] / 1000
    print(f"{pace:>4} tokens/s: {share:.3f} s CPU a second · {sent:5.1f} KB/s · draws every {told['interval_s']:.3f} s")


def main() -> None:
    """Both paces."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 10.0
    for pace in (40, 100):
        measure(pace, seconds)


if __name__ == "__main__":
    main()
