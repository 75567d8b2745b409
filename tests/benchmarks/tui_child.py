"""The interface as the other tui benchmarks measure it: a scripted model that writes at a given pace.

Run by them in a pseudo-terminal of its own: `python -m tests.benchmarks.tui_child REPORT TOKENS_PER_S SECONDS`, or
`loading` as the pace for a model that never gets loaded. When
the answer is written it leaves, and REPORT holds what its interface thread computed, as JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path

from gptoss_tui.tui import collector
from gptoss_tui.tui.app import GptOssApp
from gptoss_tui.tui.options import TuiOptions
from tests.tui.scripted import Script, ScriptedOpener, words

PARAGRAPH = (
    "A qubit holds a superposition of both values, and a gate turns it without looking. **Interference** is what makes "
    "it useful: paths that lead to a wrong answer cancel, paths that lead to a right one add up.\n\n"
    "- the first point is short\n- the second point has `code` in it\n\n"
    "```python\nfor step in range(10):\n    state = apply(gate, state)\n```\n\n"
)


def _count_steps() -> list[float]:
    """Seconds of computing of each step of the event loop, from now on; a key is heard between two of them."""
    steps: list[float] = []
    run = asyncio.Handle._run

    def timed(self: asyncio.Handle) -> None:
        before = time.thread_time()
        run(self)
        steps.append(time.thread_time() - before)

    # The loop offers no other place for it.
    asyncio.Handle._run = timed  # type: ignore[method-assign]
    return steps


def _waited(steps: list[float], wall_s: float, share: float) -> float:
    """How long at most this share of keys, pressed at any moment, waits for the step under way to end."""
    low, high = 0.0, max(steps)
    for _ in range(40):
        middle = (low + high) / 2
        later = sum(max(0.0, step - middle) for step in steps) / wall_s
        low, high = (middle, high) if later > 1 - share else (low, middle)
    return high


def main() -> None:
    """Asks as soon as the model is there; leaves when it has answered."""
    loading = sys.argv[2] == "loading"
    report, pace, seconds = Path(sys.argv[1]), 1.0 if loading else float(sys.argv[2]), float(sys.argv[3])
    pieces = words(PARAGRAPH * 200)[: max(2, int(pace * seconds))]
    opener = ScriptedOpener(Script(pieces, tokens_per_s=pace, prompt_tokens=3_000), at_once=not loading)
    low = "--low-bandwidth" in sys.argv
    app = GptOssApp(TuiOptions(model=Path("nowhere"), history_file=Path("/dev/null"), low_bandwidth=low), opener)
    began: list[float] = []
    steps = _count_steps()

    def look() -> None:
        phase = app.main.conductor.snapshot.phase
        if phase == "writing" and not began:
            began.extend((time.thread_time(), time.monotonic()))
            steps.clear()
        elif phase == "idle" and not began and not app.main.chat.turns:
            app.run_worker(app.main.conductor.send("Explain quantum computing"))
        elif phase == "idle" and began:
            cpu, wall = time.thread_time() - began[0], time.monotonic() - began[1]
            told = {
                "cpu_s": cpu,
                "wall_s": wall,
                "interval_s": app.main.conductor.player.interval_s,
                "wait_s": _waited(steps, wall, 0.99),
                "longest_s": max(steps),
            }
            report.write_text(json.dumps(told))
            app.exit()

    collector.calm()
    app.call_later(lambda: app.set_interval(0.1, look))
    app.run()
    app.close()


if __name__ == "__main__":
    main()
