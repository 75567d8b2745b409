"""What the REPL sends to its terminal, how soon a key is echoed, and what a stalled terminal costs, as a model writes.

`python -m tests.benchmarks.repl_terminal [SECONDS]`, in pseudo-terminals of 120×36, a scripted model at a set pace.
Beside the bytes stand those of the answer itself, which nothing could leave out.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

from tests.benchmarks.tui_child import PARAGRAPH
from tests.benchmarks.tui_terminal import Terminal
from tests.tui.scripted import words

_LETTERS = "абвгджзиклмнпрстуфхцчшщэюя"
STALL_S = 10.0
"""How long the terminal is not read."""
STALL_TOKENS_PER_S = 1_000.0
"""Fast enough for what the system itself holds for a terminal to be full long before that."""


class Repl(Terminal):
    """The REPL with a scripted answer of so many seconds."""

    def __init__(self, folder: Path, tokens_per_s: float, seconds: float, *options: str) -> None:
        pieces = words(PARAGRAPH * 200)[: int(tokens_per_s * seconds)]
        self.answer = "".join(text for _, text in pieces)
        pieces.append(("final", "\n\nThat_was_all"))
        file = folder / "script.json"
        file.write_text(json.dumps(pieces))
        super().__init__("tests.repl.scripted", [str(file), str(tokens_per_s), *options])

    def ask(self) -> None:
        """Waits for the model, and asks it."""
        self.read(20, until=b"ready")
        self.type("Explain\r")
        self.read(20, until=b"writing")

    def leave(self) -> None:
        """Leaves, and waits for the end."""
        self.type("\x04")
        while self.read(2.0) is not None:
            pass


def measure_bytes(folder: Path, tokens_per_s: float, seconds: float, *options: str) -> tuple[float, float]:
    """(bytes a second to the terminal, bytes a second of the answer itself)."""
    with Repl(folder, tokens_per_s, seconds, *options) as repl:
        repl.ask()
        before, began = repl.written, time.monotonic()
        repl.read(seconds + 20, until=b"That_was_all")
        took = time.monotonic() - began
        sent = repl.written - before
        repl.leave()
    return sent / took, len(repl.answer.encode()) / took


def measure_echo(folder: Path, tokens_per_s: float, keys: int, *options: str) -> tuple[float, float]:
    """(median, 99th percentile) of the milliseconds from a key to its echo."""
    waits = []
    with Repl(folder, tokens_per_s, keys * 0.15 + 5, *options) as repl:
        repl.ask()
        for at in range(keys):
            letter = _LETTERS[at % len(_LETTERS)]
            repl.read(0.1)
            began = time.monotonic()
            repl.type(letter)
            repl.read(5, until=letter.encode())
            waits.append(1000 * (time.monotonic() - began))
            # The prompt is emptied again, so that each letter is new on the screen.
            repl.type("\x7f")
        repl.type("\x1b")
        repl.read(20, until=b"Stopped")
        repl.leave()
    waits.sort()
    return statistics.median(waits), waits[min(len(waits) - 1, int(0.99 * len(waits)))]


def measure_stall(folder: Path, tokens_per_s: float) -> tuple[float, int]:
    """(seconds from reading again to the end of an answer that was over by then, words of it that never came)."""
    with Repl(folder, tokens_per_s, STALL_S - 2) as repl:
        repl.ask()
        time.sleep(STALL_S)
        began = time.monotonic()
        seen = repl.read(20, until=b"That_was_all") or b""
        took = time.monotonic() - began
        repl.leave()
    lost = max(0, repl.answer.count("Interference") - seen.count(b"Interference"))
    return took, lost


def main() -> None:
    """Prints all of it."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 10.0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for pace in (40.0, 120.0):
            usual, text = measure_bytes(folder, pace, seconds)
            slow, _ = measure_bytes(folder, pace, seconds, "--low-bandwidth")
            print(
                f"{pace:.0f} tokens/s: {usual / 1000:.2f} KB/s · low bandwidth {slow / 1000:.2f} KB/s "
                f"(ratio {slow / usual:.2f}) · the answer itself {text / 1000:.2f} KB/s",
                flush=True,
            )
        for options in ((), ("--low-bandwidth",)):
            median, late = measure_echo(folder, 40.0, 60, *options)
            named = " ".join(options) or "as usual"
            print(f"key to echo, {named}: median {median:.0f} ms · 99th percentile {late:.0f} ms · 60 keys", flush=True)
        took, lost = measure_stall(folder, STALL_TOKENS_PER_S)
        print(f"stalled for {STALL_S:.0f} s: all there {took:.2f} s after reading goes on, {lost} words lost")


if __name__ == "__main__":
    main()
