"""What is left out because the terminal shows it already is really shown: a terminal emulator is the judge."""

from __future__ import annotations

import os
import signal
import termios
import time
from pathlib import Path

import pyte

from tests.chat.talker import talking_checkpoint
from tests.tui.test_leaving import RAMBLING, Line


class _Emulator:
    """A terminal emulator on the program's line."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self.screen = pyte.Screen(120, 36)
        self._stream = pyte.ByteStream(self.screen)
        self._fed = 0

    def until(self, condition: str, *, absent: bool = False) -> None:
        """Reads until the screen holds this text, or no longer does."""
        deadline = time.monotonic() + 30
        while any(condition in line for line in self.screen.display) is absent:
            assert time.monotonic() < deadline, "\n".join(self.screen.display)
            self.read(0.1)

    def quiet(self) -> list[str]:
        """The screen, once nothing more comes."""
        before = -1
        while before != len(self._line.seen):
            before = len(self._line.seen)
            # Longer than the second after which the caches are looked at again, as they are read ahead into.
            self.read(1.6)
        return list(self.screen.display)

    def read(self, seconds: float) -> None:
        """Reads what is there."""
        self._line.read(seconds)
        # pyte does not know the private sequences of keyboard protocols and would print their ends.
        self._stream.feed(self._line.seen[self._fed :].replace(b"\x1b[>25u", b"").replace(b"\x1b[<u", b""))
        self._fed = len(self._line.seen)


def test_the_screen_is_what_a_full_repaint_makes_it(tmp_path: Path) -> None:
    line = Line(talking_checkpoint(tmp_path / "rambler", [RAMBLING]), tmp_path)
    terminal = _Emulator(line)
    terminal.until("Ask something")
    os.write(line.master, b"Go on\r")
    terminal.until("writing")
    os.write(line.master, b"\x13")
    terminal.until("▸temperature")
    os.write(line.master, b"\x1b[C\x1b[C")
    terminal.until("0.20")
    os.write(line.master, b"?")
    terminal.until("Divides the logits")
    os.write(line.master, b"\x1b")
    terminal.until("Divides the logits", absent=True)
    os.write(line.master, b"\x1b")
    terminal.until("Stopped.")
    shown = terminal.quiet()
    for columns in (121, 120):
        termios.tcsetwinsize(line.slave, (36, columns))
        os.kill(line.pid, signal.SIGWINCH)
        terminal.quiet()
    assert terminal.quiet() == shown
    os.kill(line.pid, signal.SIGTERM)
    line.left()
