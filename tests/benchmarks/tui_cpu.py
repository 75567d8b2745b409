"""The interface thread's own CPU time, and the bytes it sends, while a model writes with all panes shown.

`python -m tests.benchmarks.tui_cpu [SECONDS]`: 40, 100 and 120 tokens/s in a pseudo-terminal of 120×36, then the same
with --low-bandwidth. Bytes are counted from the first token on. A key waits for what the thread is just computing;
that time is the thread's own, so that other work on the machine does not count.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from tests.benchmarks.tui_terminal import Terminal


def measure(pace: int, seconds: float, *options: str) -> float:
    """Prints one line for one pace; returns KB/s."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        with Terminal("tests.benchmarks.tui_child", [str(report), str(pace), str(seconds), *options]) as terminal:
            terminal.read(20, until=b"writing")
            before = terminal.written
            while terminal.read(1.0) is not None:
                pass
        told: dict[str, float] = json.loads(report.read_text())
    share, sent = told["cpu_s"] / told["wall_s"], (terminal.written - before) / told["wall_s"] / 1000
    print(
        f"{pace:>4} tokens/s {' '.join(options):15}: {share:.3f} s CPU a second · {sent:5.1f} KB/s · "
        f"draws every {told['interval_s']:.3f} s · 99 of 100 keys wait {1000 * told['wait_s']:.0f} ms at most, "
        f"the worst {1000 * told['longest_s']:.0f} ms"
    )
    return sent


def main() -> None:
    """Every pace, both ways."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 10.0
    for pace in (40, 100, 120):
        whole, low = measure(pace, seconds), measure(pace, seconds, "--low-bandwidth")
        print(f"     low bandwidth sends {low / whole:.2f} of it")


if __name__ == "__main__":
    main()
