"""How soon a key is echoed while a model floods either front end: endless lines, open marks, long tables and code.

`python -m tests.benchmarks.floods [WORD…]`, in pseudo-terminals of 120×36; 100,000 characters each, 120 tokens/s of 100
characters. With words, only the floods with one of them in their name.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

from tests.benchmarks.tui_terminal import Terminal

SIZE = 100_000
FLOODS = {
    "prose, to compare": "A sentence of some words, as it goes on and on. " * 4 + "\n\n",
    "endless line": "x",
    "endless wide line": "字",
    "zero-width flood": "\u200b",
    "open marks": "*a **b `c [d ",
    "brackets": "[x](",
    "a long table": "| a cell | **another** |\n",
    "long code": "```python\n" + "value = [f(x) for x in range(10)]  # a comment\n" * 60,
    "nested quotes": "> > > - 1. x\n",
    "controls": "\x1b[2J\x07\x9b",
}
# Letters that nothing else on the screen uses, so that seeing one means its key was echoed.
_LETTERS = "абвгджзиклмнпрстуфхцчшщэюя"


FRONT_ENDS = (("tests.repl.scripted", b"ready", "\x04"), ("tests.tui.scripted_app", b"Ask something", "\x11"))
"""(module, what it shows when it may be asked, the key that leaves it)."""


def measure(front_end: tuple[str, bytes, str], flood: str, folder: Path) -> tuple[float, float]:
    """(median, longest) of the milliseconds from a key to its echo, in a front end while it shows the flood."""
    module, ready, leave = front_end
    text = (flood * (SIZE // len(flood) + 1))[:SIZE]
    file = folder / "script.json"
    file.write_text(json.dumps([("final", text[at : at + 100]) for at in range(0, SIZE, 100)]))
    waits = []
    with Terminal(module, [str(file), "120"]) as terminal:
        terminal.read(20, until=ready)
        terminal.type("Go\r")
        terminal.read(20, until=b"writing")
        for letter in _LETTERS:
            terminal.read(0.2)
            began = time.monotonic()
            terminal.type(letter)
            terminal.read(20, until=letter.encode())
            waits.append(1000 * (time.monotonic() - began))
            # The prompt is emptied again, so that each letter is new on the screen.
            terminal.type("\x7f")
        terminal.type("\x1b")
        while terminal.read(1.0) is not None:
            terminal.type(leave)
    return statistics.median(waits), max(waits)


def main() -> None:
    """Prints a row for each flood."""
    with tempfile.TemporaryDirectory() as name:
        print(f"{'key to echo, ms: median, longest':<34}  {'REPL':>12}  {'TUI':>12}")
        for kind, flood in FLOODS.items():
            if sys.argv[1:] and not any(word in kind for word in sys.argv[1:]):
                continue
            shown = []
            for front_end in FRONT_ENDS:
                median, longest = measure(front_end, flood, Path(name))
                shown.append(f"{median:.0f}, {longest:.0f}")
            print(f"{kind:<34}  {shown[0]:>12}  {shown[1]:>12}", flush=True)


if __name__ == "__main__":
    main()
